import { checkClock, known } from '../check-options.ts'
import type { Store, StoredEntry } from '../store.ts'
import { entryIn, type KeyValue, KeyValueStore } from './key-value.ts'

/** What is used of a store of express-session. */
export interface ExpressSessionStore {
  get(sid: string, callback: (error: unknown, session?: unknown) => void): unknown
  set(sid: string, session: object, callback: (error?: unknown) => void): unknown
  destroy(sid: string, callback: (error?: unknown) => void): unknown
}

/** What {@link expressStore} may be told. */
export interface ExpressStoreOptions {
  /** The current instant in milliseconds since 1970; for tests. @defaultValue `Date.now` */
  clock?: () => number
}

/**
 * Keeps sessions in a store that was written for express-session, for the time of moving to another one.
 *
 * Such a store has no compare-and-set. Within one process nothing is lost all the same, as long as all who use the store
 * pass the same object; **between processes updates can be lost, and an ended session can come back**.
 */
export function expressStore(store: ExpressSessionStore, options: ExpressStoreOptions = {}): Store {
  known(options, ['clock'], 'expressStore')
  const { clock = Date.now } = options
  checkClock(clock)
  return new KeyValueStore(new ExpressKeyValue(checked(store)), store, clock)
}

function checked(store: ExpressSessionStore): ExpressSessionStore {
  const verbs: readonly (keyof ExpressSessionStore)[] = ['get', 'set', 'destroy']
  if (verbs.every((verb) => typeof store?.[verb] === 'function')) return store
  throw new TypeError('"store" must be a store of express-session: an object with get, set and destroy')
}

/** How an entry lies in a session of express-session, which is an object that has a cookie. */
interface ExpressSession {
  /** What the stores take the lifetime from: each one from another of these. */
  cookie: {
    originalMaxAge: number
    maxAge: number
    expires: Date
    httpOnly: true
    path: '/'
  }
  sojourn: StoredEntry
}

class ExpressKeyValue implements KeyValue {
  readonly #store: ExpressSessionStore

  constructor(store: ExpressSessionStore) {
    this.#store = store
  }

  async get(key: string): Promise<StoredEntry | undefined> {
    const session = await answer('read', (callback) => this.#store.get(key, callback))
    return entryIn((session as Partial<ExpressSession> | null | undefined)?.sojourn)
  }

  async set(key: string, entry: StoredEntry, lifetime: number): Promise<void> {
    // By the clock that the stores look at, whatever clock the entry goes by.
    const expires = new Date(Date.now() + lifetime)
    const cookie = { originalMaxAge: lifetime, maxAge: lifetime, expires, httpOnly: true, path: '/' } as const
    const session: ExpressSession = { cookie, sojourn: entry }
    await answer('write', (callback) => this.#store.set(key, session, callback))
  }

  async delete(key: string): Promise<void> {
    await answer('delete', (callback) => this.#store.destroy(key, callback))
  }
}

/** What a store tells its callback; a store may also throw, or reject a promise that nobody expects. */
async function answer(what: string, ask: (callback: (error: unknown, result?: unknown) => void) => unknown) {
  try {
    return await new Promise((resolve, reject) => {
      const promise = ask((error, result) => (error && !isAbsence(error) ? reject(error) : resolve(result)))
      if (promise instanceof Promise) promise.catch(reject)
    })
  } catch (cause) {
    throw new Error(`The store of express-session failed to ${what}`, { cause })
  }
}

/** In the language of express-session a missing file is a missing session. */
function isAbsence(error: unknown): boolean {
  return (error as { code?: unknown } | undefined)?.code === 'ENOENT'
}
