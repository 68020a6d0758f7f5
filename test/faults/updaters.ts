import { setTimeout as sleep } from 'node:timers/promises'
import { onTestFinished } from 'vitest'
import type { Duration } from '../../src/index.ts'
import type { Attempt, Job } from './job.ts'
import { type Begun, begin, find } from './kept.ts'
import { type Report, reportOn } from './report.ts'
import type { StoreSource } from './source.ts'
import { type Update, UpdaterProcess } from './updater-process.ts'

export interface UpdatersOptions {
  /** How the processes open the store; different nodes for different processes, in turn. */
  sources: readonly StoreSource[]
  /** @defaultValue 4 */
  processes?: number
  /** @defaultValue `'2s'` */
  storeTimeout?: Duration
  /** Milliseconds between two updates of one session by one process. @defaultValue 10 */
  pace?: number
  /** How many milliseconds a process may take to end when it is told to stop. @defaultValue 120_000 */
  endsWithin?: number
  /** What no error may tell beside what the sessions hold, by what it is. Passwords in the URLs are known. */
  secrets?: Readonly<Record<string, string>>
}

const OFTEN = 20
/** Below the limit of a test, so that it is told which process waits for what. */
const PATIENCE = 200_000

/**
 * Several processes of one site that send updates, each to a session that all share and to one of its own, while a test
 * does to the server what fate may do. In the end it is known of each update whether it was lost, or came twice.
 *
 * @example
 * const updaters = await Updaters.start({ sources: [{ url }] })
 * await updaters.each(20)
 * await server.kill()
 * await server.start()
 * await updaters.each(20)
 * expectNothingLost(await updaters.stop())
 */
export class Updaters {
  readonly #options: UpdatersOptions
  readonly #processes: UpdaterProcess[] = []
  readonly #shared: Begun

  private constructor(options: UpdatersOptions, shared: Begun) {
    this.#options = options
    this.#shared = shared
  }

  static async start(options: UpdatersOptions): Promise<Updaters> {
    const [source] = options.sources
    if (!source) throw new TypeError('"sources" must name a store')
    const { processes = 4 } = options
    // The sessions are begun before anything befalls the server.
    const [shared, ...own] = await begin(source, processes + 1)
    if (!shared) throw new Error('No session was begun')
    const updaters = new Updaters(options, shared)
    for (const session of own) updaters.#spawn(session)
    onTestFinished(async () => {
      await Promise.all(updaters.#running.map((process) => process.kill().catch(() => undefined)))
    })
    return updaters
  }

  get #running(): UpdaterProcess[] {
    return this.#processes.filter(({ isKilled }) => !isKilled)
  }

  /** Resolves when each process that runs has had so many updates more acknowledged in each of its sessions. */
  async each(updates: number, within = PATIENCE): Promise<void> {
    const goals = this.#running.flatMap((process) =>
      (['shared', 'own'] as const).map((of) => ({ process, of, goal: process.acknowledged(of) + updates })),
    )
    const until = performance.now() + within
    const left = () => goals.filter(({ process, of, goal }) => process.acknowledged(of) < goal)
    while (left().length > 0) {
      for (const { process } of goals) process.expectRunning()
      if (performance.now() > until) throw new Error(this.#stuck(left(), within))
      await sleep(OFTEN)
    }
  }

  /** Resolves when each process that runs has been told of a failure once more. */
  async eachFails(): Promise<void> {
    const goals = this.#running.map((process) => ({ process, goal: process.failures + 1 }))
    while (goals.some(({ process, goal }) => process.failures < goal)) {
      for (const { process } of goals) process.expectRunning()
      await sleep(OFTEN)
    }
  }

  /** How many updates there were so far of which nobody knows whether they were written. */
  get unknown(): number {
    const attempts = this.#processes.flatMap((process) => process.attempts)
    return attempts.filter(({ outcome }) => outcome === 'unknown').length
  }

  /** How many requests have found no session so far. */
  get gone(): number {
    const attempts = this.#processes.flatMap((process) => process.attempts)
    return attempts.filter(({ outcome }) => outcome === 'gone').length
  }

  /** How many updates have been acknowledged so far, as far as has been heard here. */
  get acknowledged(): number {
    const of = (which: 'shared' | 'own') => this.#processes.map((process) => process.acknowledged(which))
    return [...of('shared'), ...of('own')].reduce((total, count) => total + count, 0)
  }

  /** What has become of each update, as far as has been heard here. */
  get heard(): readonly Update[] {
    return this.#processes.flatMap((process) => process.updates)
  }

  /** The ids of all sessions. */
  get ids(): string[] {
    return [...new Set(this.#processes.flatMap(({ job }) => Object.values(job.ids)))]
  }

  /** Kills one of the processes that run, in the middle of whatever it does. */
  async kill(): Promise<void> {
    await this.#running[0]?.kill()
  }

  /** Starts one more, with a new session of its own. */
  async add(): Promise<void> {
    const { sources } = this.#options
    const [session] = await begin(sources[0] as StoreSource, 1)
    this.#spawn(session as Begun)
  }

  /**
   * Stops all processes, and tells what is in the store of what they were told.
   * @param from where to look, when it is not where the processes looked
   */
  async stop(from: StoreSource = this.#options.sources[0] as StoreSource): Promise<Report> {
    const { endsWithin = 120_000 } = this.#options
    await Promise.all(this.#processes.map((process) => process.stop(endsWithin)))
    const found = await find(from, this.ids)
    return reportOn(this.#processes, (id) => found.get(id) ?? { n: 0, ledgers: {} })
  }

  #spawn(own: Begun): void {
    const { sources, storeTimeout = '2s', pace = 10, secrets = {} } = this.#options
    const number = this.#processes.length
    const source = sources[number % sources.length] as StoreSource
    const sessions = { shared: this.#shared, own }
    const logs = { ...passwordOf(source), ...secrets }
    for (const [name, { id, whose }] of Object.entries(sessions)) {
      const [, secret = ''] = id.split('.')
      Object.assign(logs, {
        [`the secret of the ${name} session`]: secret,
        [`data of the ${name} session`]: whose,
      })
    }
    // A key opens nothing, and logs may have it; a message has no use for it.
    const keys = { 'the shared key': keyOf(this.#shared.id), 'the own key': keyOf(own.id) }
    const job: Job = {
      name: String(number),
      source,
      storeTimeout,
      pace,
      ids: { shared: this.#shared.id, own: own.id },
      whose: { shared: this.#shared.whose, own: own.whose },
      secrets: { messages: { ...logs, ...keys }, logs },
    }
    this.#processes.push(new UpdaterProcess(job))
  }

  #stuck(left: { process: UpdaterProcess; of: Attempt['of'] }[], within: number): string {
    const which = left.map(({ process, of }) => {
      const { outcome = 'nothing', failure } = process.attempts.findLast((attempt) => attempt.of === of) ?? {}
      return `process ${process.job.name}, ${of} session: ${outcome} ${failure?.chain.join(' <- ') ?? ''}`
    })
    return `After ${within} ms the service had not come back:\n${which.join('\n')}`
  }
}

function passwordOf(source: StoreSource): Record<string, string> {
  if (!('url' in source) || !URL.canParse(source.url)) return {}
  const { password } = new URL(source.url)
  return password ? { 'the password': decodeURIComponent(password) } : {}
}

function keyOf(id: string): string {
  return id.slice(0, id.indexOf('.'))
}
