import { mkdtemp } from 'node:fs/promises'
import { join } from 'node:path'
import { Child } from './child.ts'
import type { Job, Yield } from './load.ts'
import type { Cell } from './run.ts'
import type { Variant } from './variants.ts'
import { type WorkloadName, workloads } from './workloads.ts'

export type Load = Child<Job, Yield>

export const CONNECTIONS = 32
export const SESSIONS = 64
export const SERVER_CORE = 0
export const LOAD_CORE = 1
const MAX_ATTEMPTS = 5

/** A server of one variant, with the sessions prepared on it. */
export class Site {
  readonly #variant: Variant
  readonly #workload: WorkloadName
  readonly #server: Child<'cpu', number>
  readonly #url: string
  #sessions: Job['sessions'] = []
  #newCookie: string | undefined

  private constructor(variant: Variant, workload: WorkloadName, server: Child<'cpu', number>, port: unknown) {
    this.#variant = variant
    this.#workload = workload
    this.#server = server
    this.#url = `http://127.0.0.1:${port}`
  }

  static async start(
    variant: Variant,
    workload: WorkloadName,
    folder: string,
    url: string,
    profile: string | undefined,
  ): Promise<Site> {
    const label = variant.name.replaceAll('/', '-')
    const own = await mkdtemp(join(folder, `${workload}-${label}-`))
    const flags = profile
      ? ['--cpu-prof', `--cpu-prof-dir=${profile}`, `--cpu-prof-name=${workload}-${label}.cpuprofile`]
      : []
    const { child, greeting } = await Child.start<'cpu', number>(
      'server.ts',
      [variant.name, own, url],
      SERVER_CORE,
      flags,
    )
    const site = new Site(variant, workload, child, greeting)
    site.#sessions = await site.#prepare()
    return site
  }

  /** One measurement; taken again when something else kept the server from answering at all. */
  async window(load: Load, seconds: number): Promise<Cell> {
    for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
      const { answers, cell } = await this.#measure(load, seconds)
      if (answers >= SESSIONS) return cell
    }
    throw new Error(
      `${this.name} answers fewer than ${SESSIONS} requests in ${seconds} s: this machine is too busy`,
    )
  }

  async #measure(load: Load, seconds: number): Promise<{ answers: number; cell: Cell }> {
    const before = await this.#server.ask('cpu')
    const done = await load.ask({
      port: Number(new URL(this.#url).port),
      workload: this.#workload,
      sessions: this.#sessions,
      connections: CONNECTIONS,
      seconds,
      hasSessions: this.#hasSessions,
      hasMovingCookies: this.#variant.keeping === 'cookie',
    })
    const cpu = (await this.#server.ask('cpu')) - before
    this.#sessions = done.sessions
    this.#newCookie = done.newCookie
    const cell = {
      requestsPerSecond: done.answers / done.seconds,
      cpuPerRequest: cpu / done.answers,
      serverBusy: cpu / 1e6 / done.seconds,
      loadBusy: done.cpu / 1e6 / done.seconds,
    }
    return { answers: done.answers, cell }
  }

  /** What was answered under load must be what is there afterwards: a fast server that forgets measures nothing. */
  async verify(): Promise<void> {
    if (!this.#hasSessions) return
    if (this.#newCookie) await this.#visit(this.#newCookie, 2, 2)
    const { hasCookie, counts } = workloads[this.#workload]
    if (!hasCookie) return
    for (const { cookie, count, cutOff } of this.#sessions) {
      await this.#visit(cookie, count + 1, counts ? count + 1 + cutOff : count + 1)
    }
  }

  /** What the browser sends with each request: name and value, of the longest. */
  get cookieBytes(): number {
    return this.#hasSessions ? Math.max(...this.#sessions.map(({ cookie }) => cookie.length)) : 0
  }

  stop(): Promise<void> {
    return this.#server.stop()
  }

  get name(): string {
    return this.#variant.name
  }

  get #hasSessions(): boolean {
    return this.#variant.keeping !== undefined
  }

  async #visit(cookie: string, least: number, most: number): Promise<void> {
    const body = await (await fetch(this.#url, { headers: { cookie } })).text()
    const count = Number(workloads.visit.body.exec(body)?.[1])
    // Written so that it holds for NaN as well.
    if (!(count >= least && count <= most)) {
      throw new Error(`${this.name}: a session counts ${count} instead of ${least} to ${most}`)
    }
  }

  async #prepare(): Promise<Job['sessions']> {
    const sessions: Job['sessions'] = []
    for (let i = 0; i < SESSIONS; i++) {
      const response = await fetch(`${this.#url}/prepare`)
      const cookie = response.headers
        .getSetCookie()
        .map((line) => line.split(';')[0])
        .join('; ')
      if (this.#hasSessions && !cookie) throw new Error(`${this.name} gives no cookie`)
      // Without sessions a cookie of the same length comes all the same: to parse its header is the server's affair.
      sessions.push({ cookie: cookie || `sid=${String(i).padStart(85, '0')}`, count: 0, cutOff: 0 })
    }
    return sessions
  }
}
