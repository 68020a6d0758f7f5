import { checkClock, known } from '../check-options.ts'
import type { PurgeableStore, Store, StoredEntry } from '../store.ts'
import { entryIn, type KeyValue, KeyValueStore } from './key-value.ts'

/** What is used of a storage of unstorage. */
export interface Unstorage {
  getItem(key: string): Promise<unknown>
  setItem(key: string, value: StoredEntry, options: { ttl: number }): Promise<void>
  removeItem(key: string): Promise<void>
  getKeys(base: string): Promise<string[]>
}

/** What {@link unstorageStore} may be told. */
export interface UnstorageStoreOptions {
  /** What stands before the keys, and a colon behind it. @defaultValue `'sessions'` */
  prefix?: string
  /**
   * Whether the driver removes items by the `ttl` that it is handed, as those of Redis and Cloudflare KV do. Then the
   * store has no `purge`, which lists and reads all keys.
   * @defaultValue `false`
   */
  driverExpires?: boolean
  /** The current instant in milliseconds since 1970; for tests. @defaultValue `Date.now` */
  clock?: () => number
}

/**
 * Keeps sessions in a storage of unstorage, with whatever driver.
 *
 * Such a storage has no compare-and-set. Within one process nothing is lost all the same, as long as all who use the
 * storage pass the same object; **between processes updates can be lost, and an ended session can come back**.
 */
export function unstorageStore(
  storage: Unstorage,
  options: UnstorageStoreOptions & { driverExpires: true },
): Store
export function unstorageStore(
  storage: Unstorage,
  options?: UnstorageStoreOptions & { driverExpires?: false },
): PurgeableStore
export function unstorageStore(storage: Unstorage, options?: UnstorageStoreOptions): Store
export function unstorageStore(storage: Unstorage, options: UnstorageStoreOptions = {}): Store {
  known(options, ['prefix', 'driverExpires', 'clock'], 'unstorageStore')
  const { prefix = 'sessions', driverExpires = false, clock = Date.now } = options
  checkClock(clock)
  // unstorage turns slashes into colons, cuts at "?", and drops empty parts: what is listed must be what was written.
  if (typeof prefix !== 'string' || !/^[\w-]+(?::[\w-]+)*$/.test(prefix)) {
    throw new TypeError('"prefix" must be letters, digits, "_" and "-", with single colons in between')
  }
  if (typeof driverExpires !== 'boolean') throw new TypeError('"driverExpires" must be true or false')
  const backend = new UnstorageKeyValue(checked(storage), `${prefix}:`)
  if (driverExpires) return new KeyValueStore(backend, storage, clock)
  return new PurgeableKeyValueStore(backend, storage, clock)
}

function checked(storage: Unstorage): Unstorage {
  const verbs: readonly (keyof Unstorage)[] = ['getItem', 'setItem', 'removeItem', 'getKeys']
  if (verbs.every((verb) => typeof storage?.[verb] === 'function')) return storage
  throw new TypeError('"storage" must be a storage of unstorage, such as createStorage() makes')
}

class UnstorageKeyValue implements KeyValue {
  readonly #storage: Unstorage
  readonly #prefix: string

  constructor(storage: Unstorage, prefix: string) {
    this.#storage = storage
    this.#prefix = prefix
  }

  async get(key: string): Promise<StoredEntry | undefined> {
    return entryIn(await this.#ask('read', () => this.#storage.getItem(this.#prefix + key)))
  }

  async set(key: string, entry: StoredEntry, lifetime: number): Promise<void> {
    const ttl = Math.ceil(lifetime / 1000)
    await this.#ask('write', () => this.#storage.setItem(this.#prefix + key, entry, { ttl }))
  }

  async delete(key: string): Promise<void> {
    await this.#ask('delete', () => this.#storage.removeItem(this.#prefix + key))
  }

  async keys(): Promise<string[]> {
    const keys = await this.#ask('list', () => this.#storage.getKeys(this.#prefix))
    return keys.map((key) => key.slice(this.#prefix.length))
  }

  async #ask<T>(what: string, ask: () => Promise<T>): Promise<T> {
    try {
      return await ask()
    } catch (cause) {
      throw new Error(`The storage of unstorage failed to ${what}`, { cause })
    }
  }
}

/** So many items are read at once. */
const AT_ONCE = 20

class PurgeableKeyValueStore extends KeyValueStore implements PurgeableStore {
  readonly #backend: UnstorageKeyValue
  /** The keys that the purge under way has yet to look at: a batch goes on where the one before stopped. */
  #left: string[] | undefined

  constructor(backend: UnstorageKeyValue, shared: object, clock: () => number) {
    super(backend, shared, clock)
    this.#backend = backend
  }

  async purge(limit: number): Promise<number> {
    const left = this.#left ?? (await this.#backend.keys())
    this.#left = left
    let removed = 0
    while (removed < limit) {
      const keys = left.splice(0, Math.min(AT_ONCE, limit - removed))
      const results = await Promise.all(keys.map((key) => this.removeExpired(key)))
      removed += results.filter(Boolean).length
      if (left.length === 0) break
    }
    if (removed < limit) this.#left = undefined
    return removed
  }
}
