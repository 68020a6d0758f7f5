/** A store's own mark of one state of an entry: a counter, a compare-and-set token, a revision. */
export type Version = string | number

/** What a store keeps under a key. */
export interface Entry {
  /** Opaque text. A store neither reads nor changes it. */
  value: string
  /** The instant from which the entry counts as gone, in milliseconds since 1970. */
  expiresAt: number
  /** Whose session it is, once somebody signed in: what `ofUser` finds it by. */
  userId: string | undefined
}

/** An entry as it was read, with the version that a later `update` has to name. */
export interface StoredEntry extends Entry {
  version: Version
}

/** What became of an `update`: the new version; or the entry as it is now, when another one came first. */
export type UpdateResult = { version: Version } | { current: StoredEntry }

/**
 * Where the server keeps sessions: four verbs, each one atomic command of its backend.
 *
 * A store moves text. It knows no secret, no cookie and no policy: expiry is an absolute instant, and an entry whose
 * instant has come (`now >= expiresAt`) is treated by every verb as if nothing were there. What goes wrong outside (a
 * lost connection, a full disk) rejects; absence never does. An entry that is larger than the backend takes is refused
 * before it is sent, with a `SessionError` `ERR_SESSION_TOO_LARGE`, which reaches the handler. `storeContract` in `sojourn/testing` checks all of it.
 */
export interface Store {
  /** Reads what is kept under a key, or `undefined` when there is nothing or it has expired. */
  read(key: string): Promise<StoredEntry | undefined>
  /** Keeps a new entry. Answers its version, or `undefined` when the key is taken. */
  create(key: string, entry: Entry): Promise<Version | undefined>
  /**
   * Replaces the entry of that version. When it has changed since, nothing is written and the answer is the entry as it
   * is now, in the same round trip where the backend can; when it is gone, `undefined`.
   */
  update(key: string, entry: Entry, version: Version): Promise<UpdateResult | undefined>
  /** Removes whatever is kept under the key. Removing nothing is not an error. */
  delete(key: string): Promise<void>
}

/** A store whose backend does not remove expired entries by itself. */
export interface PurgeableStore extends Store {
  /**
   * Removes at most `limit` expired entries, in one short batch, and answers how many it removed. An answer below the
   * limit means that nothing expired is left.
   */
  purge(limit: number): Promise<number>
}

/** An entry with the key it is kept under. */
export interface KeyedEntry extends StoredEntry {
  key: string
}

/** A store that can list the sessions of one user. */
export interface UserIndexedStore extends Store {
  /** The entries bound to that user that have not expired, in no particular order. */
  ofUser(userId: string): Promise<KeyedEntry[]>
}

/** A store that holds something open (a file, a timer). */
export interface CloseableStore extends Store {
  /** Releases what the store opened itself; a client that was passed in stays open. Closing twice is not an error. */
  close(): Promise<void>
}
