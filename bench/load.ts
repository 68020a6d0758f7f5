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
  /** So many requests instead of so many seconds: then none is cut off. */
  amount?: number
  /** Whether all connections send the first session's cookie. */
  isShared?: boolean
  /** Whether the server keeps sessions at all: without them a count is anybody's. */
  hasSessions: boolean
  /** Whether the session is in its cookie, so that each answer may bring a new one that the next request must send. */
  hasMovingCookies: boolean
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
  const { path, hasCookie } = workloads[job.workload]
  // Only where it must: a request that is made anew each time costs the load as much as the rest of it.
  const follows = hasCookie && job.hasMovingCookies
  let connection = 0
  const cpu = process.cpuUsage()
  const start = performance.now()
  const result = await autocannon({
    url: `http://127.0.0.1:${job.port}`,
    connections: job.connections,
    duration: job.seconds,
    ...(job.amount === undefined ? {} : { amount: job.amount }),
    // How often it looks whether the time is over.
    sampleInt: 50,
    setupClient(client) {
      const mine = job.sessions
        .map((_, index) => index)
        .filter((index) => job.isShared || index % job.connections === connection)
      connection++
      client.setRequests(
        mine.map((index) => {
          const headers = () => (hasCookie ? { cookie: tally.sessions[index]?.cookie } : {})
          return {
            path,
            headers: headers(),
            ...(follows ? { setupRequest: (request) => ({ ...request, headers: headers() }) } : {}),
            onResponse: (status, body, _context, answered) => tally.add(index, status, body, answered),
          }
        }),
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
  /** How many answers of each session this window has seen. */
  readonly #seen = new Map<number, number>()

  constructor(job: Job) {
    this.#job = job
    this.sessions = job.sessions.map(({ cutOff, ...session }) => ({ ...session, cutOff: cutOff + 1 }))
  }

  add(index: number, status: number, body: string, headers: object | undefined): void {
    this.answers++
    const { body: pattern, counts, hasCookie } = workloads[this.#job.workload]
    const [matched, count] = pattern.exec(body) ?? []
    if (status !== 200 || matched === undefined) throw new Error(`A wrong answer: ${status} ${body}`)
    if (!this.#job.hasSessions) return
    const cookie = cookieOf(headers)
    if (hasCookie && this.#job.hasMovingCookies) this.#move(index, cookie)
    if (!counts) return
    if (hasCookie) this.#follow(index, Number(count))
    else this.#begin(Number(count), cookie)
  }

  #follow(index: number, count: number): void {
    const session = this.sessions[index] as PreparedSession
    const least = session.count + 1
    const seen = this.#seen.get(index) ?? 0
    // What the window before has cut off may still be saved while the first request of this one is answered, which tells its
    // count before it is saved. After that only this window's own end can cut off a request.
    const most = seen < 2 ? least + session.cutOff - 1 : least
    if (count < least || count > most) throw new Error(`A session counted ${count} after ${session.count}`)
    session.count = count
    session.cutOff = seen === 0 ? session.cutOff - (count - least) : 1
    this.#seen.set(index, seen + 1)
  }

  #move(index: number, cookie: string | undefined): void {
    if (cookie !== undefined) (this.sessions[index] as PreparedSession).cookie = cookie
  }

  #begin(count: number, cookie: string | undefined): void {
    if (count !== 1) throw new Error(`A first visit counted ${count}`)
    if (!cookie) throw new Error('A first visit was given no cookie')
    this.newCookie = cookie
  }
}

type Headers = Record<string, string | string[]>

/** What a browser would send back: some packages sign in a second cookie. */
function cookieOf(headers: object = {}): string | undefined {
  const { 'Set-Cookie': titled, 'set-cookie': set = titled } = headers as Headers
  if (set === undefined) return undefined
  return [set]
    .flat()
    .map((line) => line.split(';')[0])
    .join('; ')
}
