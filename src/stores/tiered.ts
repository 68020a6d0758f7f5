import { checkClock, known } from '../check-options.ts'
import { type Duration, milliseconds } from '../duration.ts'
import type {
  CloseableStore,
  Entry,
  PurgeableStore,
  Store,
  StoredEntry,
  UpdateResult,
  UserIndexedStore,
  Version,
} from '../store.ts'
import { type Decision, TieredCache } from './tiered-cache.ts'
import { CacheFailure, Circuit } from './tiered-circuit.ts'
import type { Held } from './tiered-text.ts'

/** What {@link tieredStore} is made of. */
export interface TieredStoreOptions<Cache extends Store = Store, Durable extends Store = Store> {
  /** Where sessions are read first: any store, as fast as can be. What it loses or fails to do ends no session. */
  cache: Cache
  /** Where sessions are kept: every write goes there, and its versions decide. */
  store: Durable
  /**
   * How long a copy may be served without asking the store again. It matters when the cache fails at the moment of a
   * write: for so long, at most, another process may serve the session as it was, be it ended or not.
   * @defaultValue `'1m'`
   */
  maxStale?: Duration
  /** How long the cache may take for a call, before a request does without it. @defaultValue `'250ms'` */
  cacheTimeout?: Duration
  /** Told each failure of the cache, which no request ever notices. */
  onCacheError?: (error: unknown) => void
  /** The current instant in milliseconds since 1970; for tests. @defaultValue `Date.now` */
  clock?: () => number
}

/** The store that {@link tieredStore} makes: it can do what its durable store can, and close when either of the two can. */
export type TieredStore<Cache extends Store = Store, Durable extends Store = Store> = Store &
  Has<Durable, UserIndexedStore> &
  Has<Durable, PurgeableStore> &
  Has<Cache | Durable, CloseableStore>

/** The further interface, when the store, or one of the stores, has it. */
type Has<S, Ability extends Store> = Extract<S, Ability> extends never ? unknown : Ability

/**
 * Reads sessions from a cache, and writes them through to a durable store. The durable store decides every write, so an
 * old copy in the cache can cost a request a second try, and never a change.
 */
export function tieredStore<Cache extends Store, Durable extends Store>(
  options: TieredStoreOptions<Cache, Durable>,
): TieredStore<Cache, Durable> {
  known(options, ['cache', 'store', 'maxStale', 'cacheTimeout', 'onCacheError', 'clock'], 'tieredStore')
  const { cache, store, maxStale = '1m', cacheTimeout = '250ms' } = options
  const { onCacheError = () => undefined, clock = Date.now } = options
  for (const [name, part] of Object.entries({ cache, store })) {
    if (!isStore(part)) throw new TypeError(`"${name}" must be a Store, such as sqliteStore("sessions.db")`)
  }
  if ((cache as Store) === store) throw new TypeError('"cache" and "store" must be two stores')
  if (typeof onCacheError !== 'function') throw new TypeError('"onCacheError" must be a function')
  checkClock(clock)
  const circuit = new Circuit(milliseconds(cacheTimeout, 'cacheTimeout'), onCacheError)
  const copies = new TieredCache(cache, circuit, milliseconds(maxStale, 'maxStale'), clock)
  const tiered = new Tiered(copies, store, clock)
  return Object.assign(
    tiered,
    abilities(cache, store, () => copies.mend()),
  ) as Store as TieredStore<Cache, Durable>
}

function isStore(part: Partial<Store> | null | undefined): boolean {
  return ([part?.read, part?.create, part?.update, part?.delete] as unknown[]).every(
    (verb) => typeof verb === 'function',
  )
}

/** What the result can do because its parts can. */
function abilities(
  cache: Partial<CloseableStore>,
  store: Partial<Able>,
  mend: () => Promise<void>,
): Partial<Able> {
  const closing = [cache, store].filter(({ close }) => close)
  return {
    ...(store.ofUser && { ofUser: (userId: string) => (store as Able).ofUser(userId) }),
    ...(store.purge && { purge: (limit: number) => (store as Able).purge(limit) }),
    ...(closing.length > 0 && { close: () => mend().then(() => closeAll(closing as CloseableStore[])) }),
  }
}

type Able = UserIndexedStore & PurgeableStore & CloseableStore

/** Closes each, also when another one fails to. */
async function closeAll(stores: readonly CloseableStore[]): Promise<void> {
  const results = await Promise.allSettled(stores.map((store) => store.close()))
  for (const result of results) if (result.status === 'rejected') throw result.reason
}

class Tiered implements Store {
  readonly #cache: TieredCache
  readonly #store: Store
  readonly #clock: () => number

  constructor(cache: TieredCache, store: Store, clock: () => number) {
    this.#cache = cache
    this.#store = store
    this.#clock = clock
  }

  async read(key: string): Promise<StoredEntry | undefined> {
    const held = await this.#cache.look(key).catch(failed)
    if (held !== 'failed' && held?.copy && this.#cache.isFresh(held.copy)) return held.copy.entry
    const since = this.#clock()
    const entry = await this.#store.read(key)
    if (entry && held !== 'failed') await this.#cache.offer(key, { entry, since }, held)
    return entry
  }

  async create(key: string, { value, expiresAt, userId }: Entry): Promise<Version | undefined> {
    const next = { value, expiresAt, userId }
    const since = this.#clock()
    const version = await this.#store.create(key, next)
    if (version === undefined) return undefined
    const copy = { entry: { ...next, version }, since }
    await this.#cache.change(key, (held) => (held === undefined ? copy : unlessOf(version, held)))
    return version
  }

  async update(
    key: string,
    { value, expiresAt, userId }: Entry,
    version: Version,
  ): Promise<UpdateResult | undefined> {
    const next = { value, expiresAt, userId }
    const since = this.#clock()
    const result = await this.#store.update(key, next, version)
    if (!result) {
      await this.#cache.change(key, (held) => held && 'gap')
      return undefined
    }
    if ('current' in result) {
      // A copy of the version that has just proved old may go; any other one may be newer than what was answered.
      const { current } = result
      await this.#cache.change(key, (held) =>
        isOf(version, held) ? { entry: { ...current }, since } : undefined,
      )
      return result
    }
    const copy = { entry: { ...next, version: result.version }, since }
    await this.#cache.change(key, (held) => {
      // It follows the version that it replaced. Of any other one it is not known which of the two is newer.
      return held === undefined || isOf(version, held) ? copy : unlessOf(result.version, held)
    })
    return result
  }

  async delete(key: string): Promise<void> {
    await this.#store.delete(key)
    // Not before: what was read meanwhile must not be cached afterwards.
    await this.#cache.change(key, () => 'gap')
  }
}

function isOf(version: Version, held: Held | undefined): boolean {
  return held?.copy?.entry.version === version
}

/** A gap, unless a reader was quicker to cache that very version. */
function unlessOf(version: Version, held: Held): Decision {
  return isOf(version, held) ? undefined : 'gap'
}

function failed(error: unknown): 'failed' {
  if (error instanceof CacheFailure) return 'failed'
  throw error
}
