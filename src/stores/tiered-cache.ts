import { SessionError } from '../errors.ts'
import type { Entry, Store, Version } from '../store.ts'
import { CacheFailure, type Circuit } from './tiered-circuit.ts'
import { type Copy, type Held, heldOf, textOf } from './tiered-text.ts'

/** What to put in the place of what is held: a copy, or a gap; `undefined`: it stays. */
export type Decision = Copy | 'gap' | undefined

const MAX_ATTEMPTS = 5
const MAX_KNOWN = 1000
const MAX_DISTRUSTED = 10_000

/**
 * Copies of entries in a cache that others use, too, and that may forget them, fail, and be late. Everything is written by
 * compare and set, so that what comes late changes nothing.
 */
export class TieredCache {
  readonly #cache: Store
  readonly #circuit: Circuit
  readonly #maxStale: number
  readonly #clock: () => number
  /** What this process saw last: saves reading it before it is replaced. The cache notices when it is out of date. */
  readonly #known = new Map<string, Held>()
  /** Where the cache may hold a copy that this process knows to be old, by key. */
  readonly #distrusted = new Map<string, Distrust>()
  #isMending = false

  constructor(cache: Store, circuit: Circuit, maxStale: number, clock: () => number) {
    this.#cache = cache
    this.#circuit = circuit
    this.#maxStale = maxStale
    this.#clock = clock
  }

  /** What the cache holds. @throws CacheFailure */
  async look(key: string): Promise<Held | undefined> {
    const distrust = this.#distrusted.get(key)
    if (distrust) await this.#repair(key, distrust)
    return this.#read(key)
  }

  /** Whether a copy may be served: not for longer than `maxStale`, whoever kept it. */
  isFresh({ since, entry }: Copy): boolean {
    return this.#clock() < Math.min(entry.expiresAt, since + this.#maxStale)
  }

  /** Keeps a copy of what was read from the durable store after the cache had been looked at. It gives way to any other. */
  async offer(key: string, copy: Copy, before: Held | undefined): Promise<void> {
    try {
      await this.#put(key, copy, before)
    } catch (error) {
      if (!(error instanceof CacheFailure)) throw error
    }
  }

  /** Replaces what the cache holds by what is decided, whatever others do meanwhile. Never fails. */
  async change(key: string, decide: (held: Held | undefined) => Decision): Promise<void> {
    try {
      await this.#change(key, decide)
    } catch (error) {
      if (!(error instanceof CacheFailure)) throw error
      this.#distrust(key)
    }
  }

  /** Puts gaps in the place of all that may be old. Never fails: what it leaves undone is tried again. */
  async mend(): Promise<void> {
    if (this.#isMending) return
    this.#isMending = true
    try {
      for (const [key, distrust] of this.#distrusted) await this.#repair(key, distrust)
    } catch (error) {
      if (!(error instanceof CacheFailure)) throw error
    } finally {
      this.#isMending = false
    }
  }

  async #change(key: string, decide: (held: Held | undefined) => Decision): Promise<void> {
    let held = this.#known.get(key) ?? (await this.#read(key))
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      const decision = decide(held)
      if (decision === undefined || (await this.#put(key, decision, held))) return
      held = await this.#read(key)
    }
    throw new CacheFailure('Others changed the cache first')
  }

  async #read(key: string): Promise<Held | undefined> {
    this.#known.delete(key)
    const found = await this.#call(() => this.#cache.read(key))
    const held = found && heldOf(found)
    if (held) this.#know(key, held)
    return held
  }

  /** Writes, when the cache still holds what it held. Answers whether it has. */
  async #put(key: string, decision: Copy | 'gap', held: Held | undefined): Promise<boolean> {
    this.#known.delete(key)
    const copy = decision === 'gap' ? undefined : decision
    const written = await this.#call(() => this.#write(key, copy, held?.mark))
    if (written) this.#know(key, written)
    return written !== undefined
  }

  async #write(key: string, copy: Copy | undefined, mark: Version | undefined): Promise<Held | undefined> {
    try {
      const written = await this.#store(key, this.#entry(copy), mark)
      return written === undefined ? undefined : { mark: written, copy }
    } catch (error) {
      // The durable store takes larger sessions than the cache.
      const isTooLarge = error instanceof SessionError && error.code === 'ERR_SESSION_TOO_LARGE'
      if (!isTooLarge || !copy) throw error
      return this.#write(key, undefined, mark)
    }
  }

  async #store(key: string, entry: Entry, mark: Version | undefined): Promise<Version | undefined> {
    if (mark === undefined) return this.#cache.create(key, entry)
    const result = await this.#cache.update(key, entry, mark)
    return result && 'version' in result ? result.version : undefined
  }

  /**
   * An entry of the cache stays longer than it is served, a copy too: it then stands in the way, like a gap, of those who
   * come late with what they read before.
   */
  #entry(copy: Copy | undefined): Entry {
    const expiresAt = this.#clock() + 2 * this.#maxStale
    // Users are the durable store's business.
    return { value: copy ? textOf(copy) : '', expiresAt, userId: undefined }
  }

  async #call<T>(call: () => Promise<T>): Promise<T> {
    const answer = await this.#circuit.call(call)
    // It is back: what it could not be told is worth telling at once, before other processes serve it.
    if (this.#distrusted.size > 0) void this.mend()
    return answer
  }

  #know(key: string, held: Held): void {
    this.#known.set(key, held)
    shrink(this.#known, MAX_KNOWN)
  }

  #distrust(key: string): void {
    this.#distrusted.delete(key)
    this.#distrusted.set(key, { until: this.#clock() + this.#maxStale })
    shrink(this.#distrusted, MAX_DISTRUSTED)
  }

  /** Puts a gap in the place of what may be old. @throws CacheFailure when it may be old all the same */
  async #repair(key: string, distrust: Distrust): Promise<void> {
    if (this.#clock() < distrust.until) await this.#change(key, () => 'gap')
    // Another write may have failed meanwhile: this gap came before what that one could not put in its place.
    if (this.#distrusted.get(key) !== distrust) throw new CacheFailure('The cache may hold an old copy')
    this.#distrusted.delete(key)
  }
}

/** So long may the cache hold a copy that this process could not replace. */
interface Distrust {
  readonly until: number
}

/** Forgets the oldest. */
function shrink(map: Map<string, unknown>, size: number): void {
  for (const oldest of map.keys()) {
    if (map.size <= size) return
    map.delete(oldest)
  }
}
