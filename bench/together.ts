/*
 * node bench/together.ts [rounds] [seconds]: visits of many sessions at once on PostgreSQL, whose statements travel together, beside
 * the same with a statement a call.
 */
import { readFileSync } from 'node:fs'
import { Postgres } from '../test/servers/postgres.ts'
import { Child, pin } from './child.ts'
import type { Job, Yield } from './load.ts'
import { show, spread } from './statistics.ts'

interface Used {
  cpu: number
  statements: number
}

interface Figures {
  rate: number
  cpu: number
  database: number
  trips: number
}

const [rounds = '5', seconds = '2'] = process.argv.slice(2)
const KINDS = ['alone', 'together']
const CONNECTIONS = [64, 1]
const SERVER_CORE = 0
const LOAD_CORE = 1

const database = await Postgres.start({ shared_buffers: '256MB' })
pin(database.server.pid, LOAD_CORE)
const { child: load } = await Child.start<Job, Yield>('load.ts', [], LOAD_CORE)

class Site {
  readonly kind: string
  readonly #child: Child<string, Used>
  readonly #port: number
  #sessions: Job['sessions'] = []

  private constructor(kind: string, child: Child<string, Used>, port: number) {
    this.kind = kind
    this.#child = child
    this.#port = port
  }

  static async start(kind: string): Promise<Site> {
    const { child, greeting } = await Child.start<string, Used>(
      'together-server.ts',
      [kind, database.url],
      SERVER_CORE,
    )
    const site = new Site(kind, child, Number(greeting))
    for (let i = 0; i < 64; i++) {
      const response = await fetch(`http://127.0.0.1:${site.#port}/prepare`)
      const [cookie = ''] = response.headers.getSetCookie().map((line) => line.split(';')[0] ?? '')
      site.#sessions.push({ cookie, count: 0, cutOff: 0 })
    }
    return site
  }

  async window(workload: Job['workload'], connections: number): Promise<Figures> {
    const before = await this.#child.ask('used')
    const served = databaseCpu()
    const done = await load.ask({
      port: this.#port,
      workload,
      sessions: this.#sessions,
      connections,
      seconds: Number(seconds),
      hasSessions: true,
      hasMovingCookies: false,
    })
    const after = await this.#child.ask('used')
    this.#sessions = done.sessions
    return {
      rate: done.answers / done.seconds,
      cpu: (after.cpu - before.cpu) / done.answers,
      database: (databaseCpu() - served) / done.answers,
      trips: (after.statements - before.statements) / done.answers,
    }
  }

  stop(): Promise<void> {
    return this.#child.stop()
  }
}

/** The CPU time of PostgreSQL's processes, in microseconds. */
function databaseCpu(): number {
  const { pid } = database.server
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ')
  const used = (process: string | number | undefined, from: number) => {
    const fields = readFileSync(`/proc/${process}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
    return (Number(fields[from]) + Number(fields[from + 1])) * 10_000
  }
  // Of those that have ended, it knows itself.
  return children.reduce((sum, child) => sum + used(child, 11), used(pid, 13))
}

const sites: Site[] = []
for (const kind of KINDS) sites.push(await Site.start(kind))
for (const workload of ['visit', 'read'] as const) {
  for (const connections of CONNECTIONS) {
    for (const site of sites) await site.window(workload, connections)
    const found = new Map<string, Figures[]>(sites.map(({ kind }) => [kind, []]))
    for (let round = 0; round < Number(rounds); round++) {
      for (const site of round % 2 ? sites.toReversed() : sites)
        found.get(site.kind)?.push(await site.window(workload, connections))
    }
    const alone = found.get('alone') ?? []
    console.log(`${workload}, ${connections} connections`)
    for (const [kind, figures] of found) {
      const of = (name: keyof Figures) => spread(figures.map((one) => one[name])).median
      const ratios = figures.map(({ rate }, round) => rate / (alone[round]?.rate ?? Number.NaN))
      console.log(
        `  ${kind}: ${of('rate').toFixed(0)}/s, ${show(spread(ratios), 2)} times, ${of('cpu').toFixed(0)} us of CPU, ${of('database').toFixed(0)} of PostgreSQL, ${of('trips').toFixed(2)} round trips`,
      )
    }
  }
}
for (const site of sites) await site.stop()
await load.stop()
await database.remove()
process.exit()
