import { randomUUID } from 'node:crypto'
import type { Entry, Store, StoredEntry, UpdateResult, Version } from '../store.ts'
import { type KeyLocks, locksOf } from './key-locks.ts'

/** What can keep an entry under a key and find it again, and knows no condition: the last one to write wins. */
export interface KeyValue {
  /** What is kept under the key, be it expired; `undefined` when there is nothing, or nothing that is an entry. */
  get(key: string): Promise<StoredEntry | undefined>
  /** @param lifetime how many milliseconds it has to be kept at least: a minute longer than the entry lives */
  set(key: string, entry: StoredEntry, lifetime: number): Promise<void>
  delete(key: string): Promise<void>
}

/**
 * A backend may cut a lifetime to whole seconds, take zero for ever, or refuse less than a minute. It is told to keep an
 * entry so much longer, and the entry's own instant decides whether it counts.
 */
const MARGIN = 60_000

/**
 * Makes a store of a backend that has no compare-and-set: it reads, compares and writes, one caller of a key at a time.
 * That is as good as one command among all who go through that backend in this process, and no good between processes.
 */
export class KeyValueStore implements Store {
  readonly #backend: KeyValue
  readonly #locks: KeyLocks
  readonly #clock: () => number

  /** @param shared the object by which the backend is known in this process: who passes the same one waits for the other */
  constructor(backend: KeyValue, shared: object, clock: () => number) {
    this.#backend = backend
    this.#locks = locksOf(shared)
    this.#clock = clock
  }

  // A backend may write in steps (empty the file, fill it), so that nobody reads meanwhile.
  read(key: string): Promise<StoredEntry | undefined> {
    return this.#locks.read(key, () => this.#live(key))
  }

  create(key: string, entry: Entry): Promise<Version | undefined> {
    return this.#locks.write(key, async () => ((await this.#live(key)) ? undefined : this.#set(key, entry)))
  }

  update(key: string, entry: Entry, version: Version): Promise<UpdateResult | undefined> {
    return this.#locks.write(key, async () => {
      const current = await this.#live(key)
      if (!current) return undefined
      return current.version === version ? { version: await this.#set(key, entry) } : { current }
    })
  }

  delete(key: string): Promise<void> {
    return this.#locks.write(key, () => this.#backend.delete(key))
  }

  /** Removes the entry if it has expired, and answers whether it had. */
  protected removeExpired(key: string): Promise<boolean> {
    return this.#locks.write(key, async () => {
      const entry = await this.#backend.get(key)
      if (!entry || this.#clock() < entry.expiresAt) return false
      await this.#backend.delete(key)
      return true
    })
  }

  async #live(key: string): Promise<StoredEntry | undefined> {
    const entry = await this.#backend.get(key)
    return entry && this.#clock() < entry.expiresAt ? entry : undefined
  }

  async #set(key: string, { value, expiresAt, userId }: Entry): Promise<Version> {
    const version = randomUUID()
    const lifetime = Math.max(0, expiresAt - this.#clock()) + MARGIN
    await this.#backend.set(key, { value, expiresAt, userId, version }, lifetime)
    return version
  }
}

/** An entry as it is kept inside the backend's own objects; damaged ones are none. */
export function entryIn(kept: unknown): StoredEntry | undefined {
  if (typeof kept !== 'object' || kept === null) return undefined
  const { value, expiresAt, userId, version } = kept as Partial<Record<keyof StoredEntry, unknown>>
  const isEntry =
    typeof value === 'string' &&
    typeof expiresAt === 'number' &&
    typeof version === 'string' &&
    (userId === undefined || typeof userId === 'string')
  return isEntry ? { value, expiresAt, userId, version } : undefined
}
