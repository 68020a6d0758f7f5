import { explained, isConflict, patiently, Undecided, Unknowable } from './nats-patience.ts'

/** What the store uses of a bucket of `@nats-io/kv`. */
export interface NatsKv {
  get(key: string): Promise<NatsKvEntry | null>
  put(key: string, value: Uint8Array, options: { previousSeq?: number; timeout: number }): Promise<number>
  purge(key: string, options?: { previousSeq: number }): Promise<void>
  keys(filter: string): Promise<AsyncIterable<string>>
  status(): Promise<{ ttl: number; replicas: number }>
}

/** What is under a key of a bucket: a value, or the mark that a deletion leaves. */
export interface NatsKvEntry {
  readonly value: Uint8Array
  readonly revision: number
  readonly operation: string
}

/**
 * What became of a write: its revision; or what is there instead, and that it never will be, with whether it was sent
 * more than once.
 */
export type Written = { revision: number } | { current: NatsKvEntry | undefined; isRepeated: boolean }

/**
 * Tells from what has taken the place of what a write was to replace whether the write is part of it: its revision, if it
 * is; `undefined`, if it was not stored and never will be; or that nobody can know.
 * @param seen a revision of the bucket that was there before the write was sent
 */
export type Judge = (current: NatsKvEntry, seen: number) => number | undefined | 'unknown'

/**
 * A bucket whose calls outlast the loss of a node: what the servers do not answer is sent again, until the time is up.
 */
export class NatsBucket {
  readonly #kv: NatsKv
  readonly #timeout: number
  #ttl: Promise<number> | undefined
  /** A revision that the bucket has, about the newest one that this process has heard of. */
  #newest = 0

  constructor(kv: NatsKv, timeout: number) {
    this.#kv = kv
    this.#timeout = timeout
  }

  /** What is there, unless it is the mark of a deletion. */
  async get(key: string): Promise<NatsKvEntry | undefined> {
    return unlessDeleted(await this.#patiently('read', () => this.#get(key)))
  }

  /**
   * Writes, if the last that happened to the key has that revision; 0 means that nothing has.
   *
   * A server that leads no more may not know it for a moment, and refuse what the one that leads stores. And what was not
   * answered may be stored, or may still be. So it is sent until it is acknowledged, or something else has taken the place
   * of what it was to replace: from then on it cannot be stored any more, and `judge` tells whether it had been.
   */
  async write(key: string, value: Uint8Array, previousSeq: number, judge: Judge): Promise<Written> {
    const seen = Math.max(previousSeq, this.#newest)
    let sent = 0
    return this.#patiently('write', async (timeout) => {
      sent++
      const revision = await this.#put(key, value, { previousSeq, timeout })
      if (revision !== undefined) return { revision }
      const current = await this.#get(key)
      const isGone = !current && (await this.#hasForgotten(key, previousSeq))
      if (!isGone && (current?.revision ?? 0) <= previousSeq) throw new Undecided()
      const fate = current && judge(current, seen)
      if (fate === 'unknown') throw new Unknowable()
      return fate === undefined ? { current, isRepeated: sent > 1 } : { revision: fate }
    })
  }

  /**
   * Whether nothing is left under the key, not even the mark of a deletion, by the word of a server that has had that
   * revision: one that is behind the others may just not have heard of it.
   */
  async #hasForgotten(key: string, revision: number): Promise<boolean> {
    if (revision === 0) return false
    const { jsm, stream, prefix } = this.#kv as Inner
    const info = await jsm?.streams.info(stream ?? '', { subjects_filter: `${prefix}.${key}` })
    const { last_seq = 0, subjects = {} } = info?.state ?? {}
    return last_seq >= revision && Object.keys(subjects).length === 0
  }

  /** The revision of the write; nothing, if whoever answered refused it. */
  async #put(
    key: string,
    value: Uint8Array,
    options: { previousSeq: number; timeout: number },
  ): Promise<number | undefined> {
    try {
      const revision = await this.#kv.put(key, value, options)
      // Not the greater one: a bucket that was made anew begins to count anew.
      this.#newest = revision
      return revision
    } catch (error) {
      if (!isConflict(error)) throw error
      return undefined
    }
  }

  async #get(key: string): Promise<NatsKvEntry | undefined> {
    const entry = await this.#kv.get(key)
    this.#newest = Math.max(this.#newest, entry?.revision ?? 0)
    return entry ?? undefined
  }

  /** Writes, whatever is there. */
  async put(key: string, value: Uint8Array): Promise<void> {
    await this.#patiently('write', (timeout) => this.#kv.put(key, value, { timeout }))
  }

  /** Removes the value, and what the bucket keeps of older ones. */
  purge(key: string): Promise<void> {
    return this.#patiently('delete', () => this.#kv.purge(key))
  }

  /** Removes what has that revision, if it still has it. */
  async purgeRevision(key: string, previousSeq: number): Promise<void> {
    try {
      await this.#kv.purge(key, { previousSeq })
    } catch (error) {
      if (!isConflict(error)) throw explained('delete', error)
    }
  }

  /** The keys that fit the filter. */
  keys(filter: string): Promise<string[]> {
    return this.#patiently('list', async () => {
      const keys: string[] = []
      for await (const key of await this.#kv.keys(filter)) keys.push(key)
      return keys
    })
  }

  /** How long the bucket keeps what nobody writes, in milliseconds. Asked for once, and refused where nothing would hold. */
  ttl(): Promise<number> {
    this.#ttl ??= this.#ask().catch((error) => {
      this.#ttl = undefined
      throw error
    })
    return this.#ttl
  }

  async #ask(): Promise<number> {
    const { ttl, replicas } = await this.#patiently('ask for the bucket', () => this.#kv.status())
    if (ttl === 0) throw new Error('NATS would keep expired sessions for ever: the bucket has no "ttl"')
    const server = serverOf(this.#kv)
    // https://github.com/nats-io/nats-server/issues/4320, and acknowledged writes were lost when a server was killed.
    if (replicas > 1 && server && isOlder(server, [2, 10, 23])) {
      throw new Error(`NATS ${server} loses updates in a cluster: it takes 2.10.23 or later`)
    }
    return ttl
  }

  #patiently<T>(what: string, attempt: (timeout: number) => Promise<T>): Promise<T> {
    return patiently(what, this.#timeout, attempt)
  }
}

/** What is there, unless it is the mark of a deletion, which has a revision, too. */
export function unlessDeleted(entry: NatsKvEntry | null | undefined): NatsKvEntry | undefined {
  return entry?.operation === 'PUT' ? entry : undefined
}

/** What a bucket of the client has beside its interface, if it is one. */
interface Inner {
  js?: { nc?: { info?: { version?: unknown } } }
  jsm?: { streams: { info(stream: string, options: { subjects_filter: string }): Promise<StreamInfo> } }
  stream?: string
  prefix?: string
}

interface StreamInfo {
  state: { last_seq: number; subjects?: object }
}

/** The version of the server, where the client tells it. */
function serverOf(kv: NatsKv): string | undefined {
  const version = (kv as Inner).js?.nc?.info?.version
  return typeof version === 'string' ? version : undefined
}

function isOlder(version: string, than: readonly number[]): boolean {
  const numbers = version.split(/[.-]/, 3).map(Number)
  const different = than.findIndex((number, i) => numbers[i] !== number)
  return different >= 0 && Number(numbers[different]) < Number(than[different])
}
