import { createHash } from 'node:crypto'
import { hashOf } from './revisions.ts'

/** What an entry is called, what marks it as a user's, and which lease it lives by: all under one prefix. */
export class EtcdKeys {
  readonly #prefix: string

  constructor(prefix: string) {
    this.#prefix = prefix
  }

  entry(key: string): string {
    return `${this.#prefix}s/${key}`
  }

  /** @param user its hash */
  mark(user: string, key: string): string {
    return `${this.#prefix}u/${user}/${key}`
  }

  /** The first and the last of a user's marks, and how much is in front of the key in them. */
  marks(userId: string): { first: string; end: string; length: number } {
    const first = this.mark(hashOf(userId), '')
    // `0` comes after `/`.
    return { first, end: `${first.slice(0, -1)}0`, length: Buffer.byteLength(first) }
  }

  /** One lease for all that expires in one hour, by an id that all processes agree on: 62 bits, never zero. */
  lease(hour: number): string {
    const hash = createHash('sha256').update(`sojourn ${hour} ${this.#prefix}`).digest()
    return String((hash.readBigUInt64BE() >> 2n) | 1n)
  }
}
