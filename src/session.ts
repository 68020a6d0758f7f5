import type { Duration } from './duration.ts'

/** The names of a session's values. */
export type KeyOf<Data> = keyof Data & string

/** What a key holds when it holds something. */
export type ValueOf<Data, Key extends keyof Data> = Exclude<Data[Key], undefined>

/** A value for the next page, in the order in which they were given. */
export interface FlashMessage {
  key: string
  // biome-ignore lint/suspicious/noExplicitAny: a flash holds what the application put there, which it knows
  value: any
}

/** Lifetimes for one session, instead of those of `createSessions`. */
export interface SessionTimeouts {
  /** Ends this session when nobody used it for so long. */
  idle?: Duration
  /** Ends this session so long after it began, or after the sign-in. */
  absolute?: Duration
  /** Whether its cookie outlives the browser: `false` ends the session with the browser. */
  persistent?: boolean
}

/**
 * A visitor's session, as a handler holds it. All calls but `save()` act on memory and are synchronous; the adapter
 * saves before the response leaves. Requests of one session that run at the same time all keep their changes.
 *
 * A session and what it hands out belong to one request: do not keep them for another.
 */
export interface Session<Data extends object = Record<string, unknown>>
  extends Iterable<[KeyOf<Data>, ValueOf<Data, KeyOf<Data>>]> {
  /** The value of a key, or `undefined`. Changes made inside an object value are found and saved by themselves. */
  get<Key extends KeyOf<Data>>(key: Key): ValueOf<Data, Key> | undefined
  /** The value of a key, or the fallback when there is none. The fallback is not stored. */
  get<Key extends KeyOf<Data>>(key: Key, fallback: ValueOf<Data, Key>): ValueOf<Data, Key>
  get<Key extends KeyOf<Data>, Fallback>(key: Key, fallback: Fallback): ValueOf<Data, Key> | Fallback
  /**
   * Sets a value. Of requests that set one key at the same time the later commit wins: use `update` when the new value
   * depends on the old one.
   * @throws SessionError `ERR_SESSION_NOT_SERIALIZABLE` naming the path of what would not survive storage.
   */
  set<Key extends KeyOf<Data>>(key: Key, value: ValueOf<Data, Key>): this
  /** Whether there is a value. */
  has(key: KeyOf<Data>): boolean
  /** Removes a value, and tells whether there was one. */
  delete(key: KeyOf<Data>): boolean
  keys(): IterableIterator<KeyOf<Data>>
  values(): IterableIterator<ValueOf<Data, KeyOf<Data>>>
  entries(): IterableIterator<[KeyOf<Data>, ValueOf<Data, KeyOf<Data>>]>
  /** How many values there are. */
  readonly size: number
  /** Removes a value and answers it, or the fallback. Two requests that pop at the same time may both receive it. */
  pop<Key extends KeyOf<Data>>(key: Key): ValueOf<Data, Key> | undefined
  pop<Key extends KeyOf<Data>>(key: Key, fallback: ValueOf<Data, Key>): ValueOf<Data, Key>
  pop<Key extends KeyOf<Data>, Fallback>(key: Key, fallback: Fallback): ValueOf<Data, Key> | Fallback
  /** The value of a key; where there is none, the given one, stored. Of several requests the first one's stays. */
  getOrInsert<Key extends KeyOf<Data>>(key: Key, value: ValueOf<Data, Key>): ValueOf<Data, Key>
  /**
   * Replaces a value by what the function makes of it (`undefined` removes it), exactly: the function runs again on the
   * newest value when another request came first. So it must be pure; in development it is run twice and a difference
   * is reported.
   * @returns What the function made of the value that this request sees; after `save()`, `get` shows what was stored.
   */
  update<Key extends KeyOf<Data>, Result extends ValueOf<Data, Key> | undefined>(
    key: Key,
    fn: (value: ValueOf<Data, Key> | undefined) => Result,
  ): Result
  /** Removes all values and flashes, and keeps the session: its id, its user, its timeouts. */
  clear(): void
  /** Keeps a value until a request takes it with `takeFlashes()`, usually the next page after a redirect. */
  flash(key: string, value: unknown): void
  /** The flashes kept so far, those of this request included; each is handed out once. */
  takeFlashes(): FlashMessage[]
  /**
   * Binds the session to a user after a sign-in: new id, same data, `authenticatedAt` stamped. The old id opens nothing
   * from then on. Data of another user is emptied first.
   */
  login(userId: string): void
  /** Gives the session a new id and keeps its data. The old id opens nothing from then on. */
  regenerateId(): void
  /**
   * Ends the session: deletes its data, its user binding and, with the response, its cookie. The object is then a new,
   * empty, anonymous session: what is set afterwards (a goodbye flash) starts one.
   */
  destroy(): void
  /** Sets lifetimes for this session only: "remember me", or end with the browser. */
  setTimeouts(timeouts: SessionTimeouts): void
  /**
   * Saves now, where the adapter's saving before the response is too late or not there: streams, sockets, jobs. Afterwards
   * the session shows what was stored.
   *
   * When the store failed, the changes may have been written all the same. Saving again finds out, and writes each of them
   * once. When another process has changed the session meanwhile, that cannot be found out any more: then an `update` is
   * refused with `ERR_SESSION_CONFLICT`, and other changes, which may well be written twice, are written.
   * @throws SessionError `ERR_SESSION_ENDED` when the session has ended meanwhile, `ERR_SESSION_STORE` when the store
   * failed, `ERR_SESSION_CONFLICT` when other processes would not let it through.
   */
  save(): Promise<void>
  /** Whether it began in this request. */
  readonly isNew: boolean
  /** Whether there is no value and no flash. */
  readonly isEmpty: boolean
  /** Who signed in. */
  readonly userId: string | undefined
  /** When it began, in milliseconds since 1970, as all instants. */
  readonly createdAt: number
  /** When its user signed in. */
  readonly authenticatedAt: number | undefined
  /** When it ends if nobody uses it. */
  readonly expiresAt: number
  /** Its public name, for lists and logs. It opens nothing. */
  readonly handle: string
}

/** A session in the list of `ofUser`. */
export interface SessionInfo<Data extends object = Record<string, unknown>> {
  /** Its public name, which `revoke` takes. */
  handle: string
  userId: string
  createdAt: number
  authenticatedAt: number | undefined
  /** When it was last used, within the extension interval: a tenth of the idle timeout, an hour at most. */
  lastSeenAt: number
  expiresAt: number
  /** A copy of its values; `undefined` when they are sealed, which nobody but its visitor can open. */
  data: Partial<Data> | undefined
}
