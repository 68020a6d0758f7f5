import { AsyncLocalStorage } from 'node:async_hooks'
import type fc from 'fast-check'
import type { Entry, Store, StoredEntry, Version } from '../../src/store.ts'
import { memoryStore } from '../../src/stores/memory.ts'

/** What becomes of one call of the cache: it may fail before or after its effect, or have the effect some time later. */
export type Fate = 'well' | 'lost' | 'unanswered' | 'late'

export type Act = 'read' | 'update' | 'delete' | 'create' | 'evict' | { pass: number }

/** What one user does, one act after the other, on one of the servers. All use one session. */
export interface Script {
  server: number
  acts: Act[]
}

/** What a tiered store under test is made of. */
export interface Parts {
  cache: Store
  store: Store
  maxStale: number
  clock: () => number
}

export type Make = (parts: Parts) => Store

const MAX_STALE = 60_000
const KEY = 'key'
const DAY = 86_400_000

/** A call of a tiered store: when it began, by number and by the clock, and when it ended. */
interface Call {
  server: number
  begun: number
  begunAt: number
  ended: number
}

/** A state that the durable store got, and the call that gave it. */
interface Commit {
  step: number
  clock: number
  /** `undefined`: nothing is there. */
  version: Version | undefined
  count: number
  by: Call
}

/**
 * Servers with one cache and one durable store, in which every step of every call waits for the scheduler, and all that
 * happens is numbered. What breaks a promise is noted.
 */
export class World {
  readonly broken: string[] = []
  readonly #scheduler: fc.Scheduler
  readonly #fates: Fate[]
  readonly #calls = new AsyncLocalStorage<Call>()
  readonly #durable = memoryStore({ clock: () => this.now() })
  readonly #cache = memoryStore({ clock: () => this.now() })
  readonly #commits: Commit[]
  /** Whether the cache has done all that it was told, so far, and forgot nothing. */
  #isReliable = true
  /** Whether nothing has come late to the cache, or out of it, so far. */
  #isOrdered = true
  #step = 0
  #clock = 1_000_000

  constructor(scheduler: fc.Scheduler, fates: readonly Fate[]) {
    this.#scheduler = scheduler
    this.#fates = [...fates]
    const by = { server: -1, begun: 0, begunAt: 0, ended: 0 }
    this.#commits = [{ step: 0, clock: this.#clock, version: undefined, count: 0, by }]
  }

  now(): number {
    return this.#clock
  }

  async run(make: Make, scripts: readonly Script[]): Promise<void> {
    const servers = [0, 1, 2].map(() =>
      make({
        cache: this.#cacheStore(),
        store: this.#durableStore(),
        maxStale: MAX_STALE,
        clock: () => this.now(),
      }),
    )
    const acting = scripts.map(({ server, acts }) => this.#act(server, servers[server] as Store, acts))
    await this.#scheduler.waitFor(Promise.all(acting))
  }

  async #act(server: number, store: Store, acts: readonly Act[]): Promise<void> {
    let last: StoredEntry | undefined
    for (const act of acts) {
      if (typeof act === 'object') this.#clock += act.pass
      else if (act === 'evict') await this.#evict()
      else if (act === 'read') last = await this.#read(server, store)
      else last = await this.#write(server, store, act, last)
    }
  }

  async #evict(): Promise<void> {
    this.#isReliable = false
    this.#isOrdered = false
    await this.#cache.delete(KEY)
  }

  async #read(server: number, store: Store): Promise<StoredEntry | undefined> {
    const { call, answer } = await this.#call(server, 'read', () => store.read(KEY))
    this.#checkRead(answer, call)
    return answer
  }

  async #write(
    server: number,
    store: Store,
    act: 'update' | 'delete' | 'create',
    last: StoredEntry | undefined,
  ): Promise<StoredEntry | undefined> {
    if (act === 'create') await this.#call(server, act, () => store.create(KEY, this.#entry(1)))
    if (act === 'delete') await this.#call(server, act, () => store.delete(KEY))
    if (act !== 'update' || !last) return undefined
    const next = this.#entry(Number(last.value) + 1)
    const { answer } = await this.#call(server, act, () => store.update(KEY, next, last.version))
    if (!answer) return undefined
    return 'version' in answer ? { ...next, version: answer.version } : answer.current
  }

  /** Makes a call, and notes when. That it fails breaks a promise: only the cache ever does. */
  async #call<T>(
    server: number,
    name: string,
    make: () => Promise<T>,
  ): Promise<{ call: Call; answer: T | undefined }> {
    const call: Call = { server, begun: ++this.#step, begunAt: this.#clock, ended: Number.POSITIVE_INFINITY }
    try {
      const answer = await this.#calls.run(call, make)
      return { call, answer }
    } catch (error) {
      this.broken.push(`${name}() failed: ${error}`)
      return { call, answer: undefined }
    } finally {
      call.ended = ++this.#step
    }
  }

  #entry(count: number): Entry {
    return { value: String(count), expiresAt: this.#clock + DAY, userId: undefined }
  }

  /**
   * What was read must have been there at some time while it was read; or shortly before, in the time that it took to tell
   * the cache. When the cache has not done what it was told, it may be as old as `maxStale`.
   */
  #checkRead(answer: StoredEntry | undefined, call: Call): void {
    const index = this.#commits.findLastIndex(
      ({ version, step }) => version === answer?.version && step < call.ended,
    )
    const commit = this.#commits[index]
    if (!commit) {
      this.broken.push('read() answered what was never there')
      return
    }
    if (answer && answer.value !== String(commit.count)) this.broken.push('read() mixed two states')
    const next = this.#commits[index + 1]
    if (!next || next.by.ended > call.begun) return
    // A server knows what it could not tell the cache.
    if (this.#isOrdered && next.by.server === call.server) this.broken.push('a server forgot its own write')
    const isBounded = answer !== undefined && call.begunAt < next.clock + MAX_STALE
    if (this.#isReliable || !isBounded) {
      const age = call.begunAt - next.clock
      this.broken.push(
        `read() showed a state ${age} ms after its end, ${this.#isReliable ? 'all well' : 'bounded'}`,
      )
    }
  }

  #durableStore(): Store {
    const commit = (version: Version | undefined, count: number) => {
      const by = this.#calls.getStore()
      if (!by) throw new Error('A call of nobody')
      const before = this.#commits.at(-1)
      if (version !== undefined && before?.version !== undefined && count !== before.count + 1) {
        this.broken.push(`an update was lost: ${before.count} became ${count}`)
      }
      this.#commits.push({ step: ++this.#step, clock: this.#clock, version, count, by })
    }
    const durable = this.#durable
    return this.#scheduled(async (call) => call(), {
      read: (key) => durable.read(key),
      async create(key, entry) {
        const version = await durable.create(key, entry)
        if (version !== undefined) commit(version, Number(entry.value))
        return version
      },
      async update(key, entry, version) {
        const result = await durable.update(key, entry, version)
        if (result && 'version' in result) commit(result.version, Number(entry.value))
        return result
      },
      async delete(key) {
        await durable.delete(key)
        commit(undefined, 0)
      },
    })
  }

  #cacheStore(): Store {
    return this.#scheduled((call) => this.#fated(call), this.#cache)
  }

  async #fated<T>(call: () => Promise<T>): Promise<T> {
    const fate = this.#fates.shift() ?? 'well'
    if (fate === 'well') return call()
    this.#isReliable = false
    if (fate === 'unanswered') await call()
    if (fate === 'late') {
      this.#isOrdered = false
      void this.#turn('late').then(call)
    }
    throw new Error(`The cache failed: ${fate}`)
  }

  /** The store with a turn of the scheduler before and after each effect. */
  #scheduled(way: <T>(call: () => Promise<T>) => Promise<T>, store: Store): Store {
    const late = async <T>(name: string, call: () => Promise<T>): Promise<T> => {
      await this.#turn(`before ${name}`)
      try {
        return await way(call)
      } finally {
        await this.#turn(`after ${name}`)
      }
    }
    return {
      read: (key) => late('read', () => store.read(key)),
      create: (key, entry) => late('create', () => store.create(key, entry)),
      update: (key, entry, version) => late('update', () => store.update(key, entry, version)),
      delete: (key) => late('delete', () => store.delete(key)),
    }
  }

  async #turn(label: string): Promise<void> {
    await this.#scheduler.schedule(Promise.resolve(), label)
  }
}
