import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type VariantName, variantNames } from './apps.ts'
import { Child, canPin } from './child.ts'
import type { Job, Yield } from './load.ts'
import { surroundings } from './machine.ts'
import { type Cell, report } from './report.ts'
import { type WorkloadName, workloadNames, workloads } from './workloads.ts'

export interface ThroughputOptions {
  rounds: number
  /** How long each server is measured in each round. */
  seconds: number
  /** Part of the names of the variants wanted; bare Express is always there. */
  only: string
  /** The one workload wanted, or `''` for all. */
  workload: string
  json: string | undefined
  /** Where a CPU profile of each server goes. */
  profile: string | undefined
}

const CONNECTIONS = 32
const SESSIONS = 64
const MAX_ATTEMPTS = 5
const SERVER_CORE = 0
const LOAD_CORE = 1

type Load = Child<Job, Yield>

/** Measures all variants in turn, in each workload, round by round, so that what slows the machine slows them all. */
export async function throughput(options: ThroughputOptions): Promise<void> {
  const { rounds, seconds, json } = options
  const names = variantNames.filter((name) => name === 'bare' || name.includes(options.only))
  const asked = workloadNames.filter((name) => options.workload === '' || name === options.workload)
  console.log(`${surroundings()}
${CONNECTIONS} connections, ${SESSIONS} sessions of about 280 bytes, ${rounds} rounds of ${seconds} s for each server.
${canPin ? 'Servers and load each on a core of their own.' : 'No taskset here: servers and load share all cores, expect more noise.'}
`)
  const measured: Partial<Record<WorkloadName, Record<string, Cell[]>>> = {}
  const folder = await mkdtemp(join(tmpdir(), 'sojourn-bench-'))
  const { child: load } = await Child.start<Job, Yield>('load.ts', [], LOAD_CORE)
  try {
    for (const workload of asked) {
      const cells = await measure(workload, names, load, folder, options)
      measured[workload] = Object.fromEntries(cells)
      console.log(report(workloads[workload].title, cells))
    }
  } finally {
    await load.stop()
    await rm(folder, { recursive: true, force: true })
  }
  if (json) {
    await writeFile(
      json,
      JSON.stringify({ surroundings: surroundings(), rounds, seconds, measured }, null, 2),
    )
  }
}

async function measure(
  workload: WorkloadName,
  names: VariantName[],
  load: Load,
  folder: string,
  { rounds, seconds, profile }: ThroughputOptions,
): Promise<Map<VariantName, Cell[]>> {
  // Fresh servers, so that what one workload leaves behind does not weigh on the next one.
  const sites: Site[] = []
  const cells = new Map<VariantName, Cell[]>(names.map((name) => [name, []]))
  try {
    for (const name of names) sites.push(await Site.start(name, workload, folder, profile))
    for (const site of sites) await site.window(load, Math.min(1, seconds))
    for (let round = 0; round < rounds; round++) {
      // There and back again: what grows steadily during a round hits all alike.
      for (const site of round % 2 ? sites.toReversed() : sites) {
        cells.get(site.name)?.push(await site.window(load, seconds))
      }
    }
    for (const site of sites) await site.verify()
  } finally {
    for (const site of sites) await site.stop()
  }
  return cells
}

/** A server of one variant, with the sessions prepared on it. */
class Site {
  readonly name: VariantName
  readonly #workload: WorkloadName
  readonly #server: Child<'cpu', number>
  readonly #url: string
  #sessions: Job['sessions'] = []
  #newCookie: string | undefined

  private constructor(
    name: VariantName,
    workload: WorkloadName,
    server: Child<'cpu', number>,
    port: unknown,
  ) {
    this.name = name
    this.#workload = workload
    this.#server = server
    this.#url = `http://127.0.0.1:${port}`
  }

  static async start(
    name: VariantName,
    workload: WorkloadName,
    folder: string,
    profile: string | undefined,
  ): Promise<Site> {
    const own = await mkdtemp(join(folder, `${workload}-${name}-`))
    const flags = profile
      ? ['--cpu-prof', `--cpu-prof-dir=${profile}`, `--cpu-prof-name=${workload}-${name}.cpuprofile`]
      : []
    const { child, greeting } = await Child.start<'cpu', number>('server.ts', [name, own], SERVER_CORE, flags)
    const site = new Site(name, workload, child, greeting)
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

  stop(): Promise<void> {
    return this.#server.stop()
  }

  get #hasSessions(): boolean {
    return this.name !== 'bare'
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
      const [cookie] = response.headers.getSetCookie().map((line) => line.split(';')[0])
      if (this.#hasSessions && !cookie) throw new Error(`${this.name} gives no cookie`)
      // Without sessions a cookie of the same length comes all the same: to parse its header is the server's affair.
      sessions.push({ cookie: cookie ?? `sid=${String(i).padStart(85, '0')}`, count: 0, cutOff: 0 })
    }
    return sessions
  }
}
