/*
 * Puts load on a server, from a process of its own. Each connection has sessions of its own and one request at a time, so
 * that no session is hammered and every answer can be checked: what a visit counted must be one more than the last count.
 */
import autocannon from 'autocannon'
import { type WorkloadName, workloads } from './workloads.ts'

export interface PreparedSession {
  cookie: string
  /** The last count that was answered. */
  count: number
  /** How many requests since then the ends of windows may have cut off, which the server may have counted. */
  cutOff: number
}

export interface Job {
  port: number
  workload: WorkloadName
  /** The prepared sessions, dealt out to the connections in turn. */
  sessions: PreparedSession[]
  connections: number
  seconds: number
  /** Whether the server keeps sessions at all: without them a count is anybody's. */
  hasSessions: boolean
}

export interface Yield {
  answers: number
  seconds: number
  /** The CPU time of this process, in microseconds. */
  cpu: number
  /** As they are now. */
  sessions: PreparedSession[]
  /** A cookie that a first visitor was given. */
  newCookie: string | undefined
}

process.on('message', async (job: Job) => {
  process.send?.(await run(job))
})
process.on('disconnect', () => {
  process.exit()
})
process.send?.('ready')

async function run(job: Job): Promise<Yield> {
  const tally = new Tally(job)
  const { path } = workloads[job.workload]
  let connection = 0
  const cpu = process.cpuUsage()
  const start = performance.now()
  const result = await autocannon({
    url: `http://127.0.0.1:${job.port}`,
    connections: job.connections,
    duration: job.seconds,
    // How often it looks whether the time is over.
    sampleInt: 50,
    setupClient(client) {
      const mine = job.sessions
        .map((_, index) => index)
        .filter((index) => index % job.connections === connection)
      connection++
      client.setRequests(
        mine.map((index) => ({
          path,
          headers: workloads[job.workload].hasCookie ? { cookie: job.sessions[index]?.cookie } : {},
          onResponse: (status, body, _context, headers) => tally.add(index, status, body, headers),
        })),
      )
    },
  })
  const seconds = (performance.now() - start) / 1000
  const { user, system } = process.cpuUsage(cpu)
  if (result.errors > 0) throw new Error(`${result.errors} requests failed`)
  return {
    answers: tally.answers,
    seconds,
    cpu: user + system,
    sessions: tally.sessions,
    newCookie: tally.newCookie,
  }
}

class Tally {
  answers = 0
  newCookie: string | undefined
  readonly sessions: PreparedSession[]
  readonly #job: Job
  readonly #seen = new Set<number>()

  constructor(job: Job) {
    this.#job = job
    this.sessions = job.sessions.map(({ cutOff, ...session }) => ({ ...session, cutOff: cutOff + 1 }))
  }

  add(index: number, status: number, body: string, headers: object | undefined): void {
    this.answers++
    const { body: pattern, counts, hasCookie } = workloads[this.#job.workload]
    const [matched, count] = pattern.exec(body) ?? []
    if (status !== 200 || matched === undefined) throw new Error(`A wrong answer: ${status} ${body}`)
    if (!counts || !this.#job.hasSessions) return
    if (hasCookie) this.#follow(index, Number(count))
    else this.#begin(Number(count), headers as Record<string, string>)
  }

  #follow(index: number, count: number): void {
    const session = this.sessions[index] as PreparedSession
    const least = session.count + 1
    // An answer in this window: only its own end can cut off a request from now on.
    const most = this.#seen.has(index) ? least : least + session.cutOff - 1
    if (count < least || count > most) throw new Error(`A session counted ${count} after ${session.count}`)
    session.count = count
    session.cutOff = 1
    this.#seen.add(index)
  }

  #begin(count: number, headers: Record<string, string>): void {
    if (count !== 1) throw new Error(`A first visit counted ${count}`)
    const cookie = headers['Set-Cookie'] ?? headers['set-cookie']
    if (!cookie) throw new Error('A first visit was given no cookie')
    this.newCookie = cookie
  }
}
