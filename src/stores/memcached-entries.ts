import { SessionError } from '../errors.ts'
import type { Entry } from '../store.ts'
import type { Items, Mark, Written } from './memcached-items.ts'
import { decode, encode, exptime, type Kept, newToken } from './memcached-text.ts'

/** An entry on its way to the server. */
export interface Draft {
  readonly key: string
  readonly kept: Kept
  /** The name of the item. */
  readonly name: string
  readonly data: string
}

/** An entry as it was found. */
export interface Found extends Kept {
  readonly mark: Mark
}

const MAX_KEY = 250
/** The longest prefix of keys, in bytes: the rest is for what follows. */
export const MAX_PREFIX = 200
/** What the server itself keeps with an item, and some bytes to spare. */
const OVERHEAD = 100
const MAX_ATTEMPTS = 5

/** Whether memcached takes it for a key, or a piece of one. */
export function isKey(text: string): boolean {
  return !/[\s\0-\x20\x7f]/.test(text)
}

/** Entries as items, one each, whosever they are. */
export class Entries {
  readonly #items: Items
  readonly #prefix: string
  readonly #maxItemSize: number
  readonly #clock: () => number

  constructor(items: Items, prefix: string, maxItemSize: number, clock: () => number) {
    this.#items = items
    this.#prefix = prefix
    this.#maxItemSize = maxItemSize
    this.#clock = clock
  }

  name(key: string): string {
    const name = this.#prefix + key
    if (isKey(key) && Buffer.byteLength(name) <= MAX_KEY) return name
    throw new TypeError(`A key must be at most ${MAX_KEY} bytes with its prefix, without spaces`)
  }

  /** Makes an item of an entry, when it is small enough: a server removes the item that it can't replace by a larger one. */
  draft(key: string, { value, expiresAt, userId }: Entry): Draft {
    const name = this.name(key)
    const kept = { value, expiresAt, userId, token: newToken() }
    const data = encode(kept)
    const size = Buffer.byteLength(name) + this.#items.size(data) + OVERHEAD
    if (size <= this.#maxItemSize) return { key, kept, name, data }
    const limit = this.#maxItemSize
    throw new SessionError(
      'ERR_SESSION_TOO_LARGE',
      `The session takes ${size} bytes of memcached, above the "maxItemSize" of ${limit}`,
    )
  }

  /** What is kept under a name and has not expired. */
  async look(name: string): Promise<Found | undefined> {
    const item = await this.#items.gets(name)
    const kept = item && decode(item.data)
    return kept && this.#clock() < kept.expiresAt ? { ...kept, mark: item.mark } : undefined
  }

  /** Answers `undefined` when the name is taken. One that has expired is not, although the server may still have it. */
  async add(draft: Draft): Promise<Written | undefined> {
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      const written = await this.#items.add(draft.name, draft.data, this.#exptime(draft))
      if (written) return written
      const item = await this.#items.gets(draft.name)
      if (!item) continue
      const kept = decode(item.data)
      // A client that sends a command once more after it lost the connection may meet what it wrote itself.
      if (kept?.token === draft.kept.token) return item
      if (!kept || this.#clock() < kept.expiresAt) return undefined
      const replaced = await this.replace(draft, item.mark)
      if (replaced) return replaced
    }
    return undefined
  }

  /** Answers `undefined` when the item is not, or cannot be known to be, in the marked state any more. */
  replace(draft: Draft, mark: Mark): Promise<Written | undefined> {
    return this.#items.cas(draft.name, draft.data, this.#exptime(draft), mark)
  }

  delete(name: string): Promise<void> {
    return this.#items.delete(name)
  }

  #exptime({ kept }: Draft): number {
    return exptime(kept.expiresAt, this.#clock())
  }
}
