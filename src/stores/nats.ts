import { checkClock, known } from '../check-options.ts'
import { type Duration, milliseconds } from '../duration.ts'
import type { Entry, KeyedEntry, StoredEntry, UpdateResult, UserIndexedStore, Version } from '../store.ts'
import { KeyLocks } from './key-locks.ts'
import {
  type Judge,
  NatsBucket,
  type NatsKv,
  type NatsKvEntry,
  unlessDeleted,
  type Written,
} from './nats-bucket.ts'
import { History, names } from './nats-history.ts'
import { explained, Unknowable } from './nats-patience.ts'
import { hashOf, type Known, pack, parseVersion, toVersion, type Unpacked, unpack } from './revisions.ts'

export type { NatsKv, NatsKvEntry } from './nats-bucket.ts'

/** What {@link natsStore} may be told. */
export interface NatsStoreOptions {
  /**
   * How long a call tries, over the loss of a node, before it fails. Less than the `storeTimeout` of the sessions, for a
   * clear error. @defaultValue `'4s'`
   */
  timeout?: Duration
  /** The current instant in milliseconds since 1970; for tests. @defaultValue `Date.now` */
  clock?: () => number
}

/** The store that {@link natsStore} makes. */
export interface NatsStore extends UserIndexedStore {}

/**
 * Keeps sessions in a bucket of NATS JetStream, which several servers keep together, so that the loss of one loses nothing.
 *
 * The bucket is one of `@nats-io/kv` that was made with a `ttl` above the longest life of a session, and with
 * `allow_direct: false`, since any other server than the leader may answer with an older state. It is left open.
 */
export function natsStore(kv: NatsKv, options: NatsStoreOptions = {}): NatsStore {
  known(options, ['timeout', 'clock'], 'natsStore')
  const { timeout = '4s', clock = Date.now } = options
  const { get, put, purge, keys, status, direct } = (kv ?? {}) as NatsKv & { direct?: unknown }
  if ([get, put, purge, keys, status].some((method) => typeof method !== 'function')) {
    throw new TypeError(
      '"kv" must be a bucket of @nats-io/kv, such as `await new Kvm(connection).create("sessions")`',
    )
  }
  if (direct === true) {
    throw new TypeError('"kv" may answer with older states: open the bucket with `allow_direct: false`')
  }
  checkClock(clock)
  return new Nats(new NatsBucket(kv, milliseconds(timeout, 'timeout')), clock)
}

const HOUR = 3_600_000

class Nats implements NatsStore {
  readonly #bucket: NatsBucket
  readonly #clock: () => number
  readonly #locks = new KeyLocks()
  readonly #name = names()

  constructor(bucket: NatsBucket, clock: () => number) {
    this.#bucket = bucket
    this.#clock = clock
  }

  async read(key: string): Promise<StoredEntry | undefined> {
    return this.#live(await this.#bucket.get(subjectOf(key)))
  }

  async create(key: string, entry: Entry): Promise<Version | undefined> {
    const markedAt = await this.#mark(key, entry, undefined)
    const history = History.begin(this.#name())
    const bytes = packed(history, entry, markedAt)
    for (let revision = 0; ; ) {
      const written = await this.#write(key, bytes, revision, history)
      if ('revision' in written) return versionOf(written.revision, entry, markedAt, history)
      const { current, isRepeated } = written
      if (this.#live(unlessDeleted(current))) return undefined
      // It may have been stored and then deleted: by somebody who wants it gone.
      if (isRepeated && current && !unlessDeleted(current)) throw explained('write', new Unknowable())
      // What is there has expired, or is the mark of a deletion: it is replaced, if it still is what is there.
      revision = current?.revision ?? 0
    }
  }

  async update(key: string, entry: Entry, version: Version): Promise<UpdateResult | undefined> {
    const old = parsed(version)
    // The bucket may have an entry that has expired for some time; its revision would still fit.
    if (!old || old.expiresAt <= this.#clock()) return this.#conflict(await this.read(key))
    const markedAt = await this.#mark(key, entry, old)
    const revision = Number(old.revision)
    const history = old.history.before(revision, this.#name())
    const written = await this.#write(key, packed(history, entry, markedAt), revision, history)
    if ('revision' in written) return { version: versionOf(written.revision, entry, markedAt, history) }
    return this.#conflict(this.#live(unlessDeleted(written.current)))
  }

  delete(key: string): Promise<void> {
    return this.#bucket.purge(subjectOf(key))
  }

  async ofUser(userId: string): Promise<KeyedEntry[]> {
    const marks = await this.#bucket.keys(`u.${hashOf(userId)}.*`)
    const entries = await Promise.all(marks.map((mark) => this.#marked(mark, userId)))
    return entries.filter((entry) => entry !== undefined)
  }

  /** One after the other for a key, as its history takes for granted. */
  #write(key: string, bytes: Buffer, revision: number, history: History): Promise<Written> {
    const subject = subjectOf(key)
    return this.#locks.write(key, () => this.#bucket.write(subject, bytes, revision, judgeOf(history)))
  }

  #conflict(current: StoredEntry | undefined): UpdateResult | undefined {
    return current && { current }
  }

  #live(found: NatsKvEntry | undefined): StoredEntry | undefined {
    const parts = found && unpacked(found.value)
    if (!found || !parts || parts.expiresAt <= this.#clock()) return undefined
    const { markedAt, history, ...entry } = parts
    return { ...entry, version: versionOf(found.revision, entry, markedAt, history) }
  }

  /**
   * Notes in the index of users whose the entry is about to be, and answers when it was noted. A mark comes before its
   * entry, so that none is missing; and anew before the bucket forgets it, which knows nothing of the entry's life.
   */
  async #mark(
    key: string,
    { userId, expiresAt }: Entry,
    old: { user: string; markedAt: number } | undefined,
  ) {
    const now = this.#clock()
    const ttl = await this.#bucket.ttl()
    if (expiresAt - now > ttl) {
      throw new Error(`NATS would forget the session before it ends: the "ttl" of the bucket is ${ttl} ms`)
    }
    if (userId === undefined) return 0
    const user = hashOf(userId)
    if (old?.user === user && old.markedAt + ttl >= expiresAt + HOUR) return old.markedAt
    await this.#bucket.put(markOf(user, key), Buffer.from(String(now)))
    return Math.trunc(now)
  }

  /** The entry that a mark names, if it is that user's now. A mark that has been wrong for an hour is removed. */
  async #marked(mark: string, userId: string): Promise<KeyedEntry | undefined> {
    const key = keyOf(mark)
    const entry = await this.read(key)
    if (entry?.userId === userId) return { key, ...entry }
    // A younger one may be of a sign-in whose entry is about to be written.
    const found = await this.#bucket.get(mark)
    const age = this.#clock() - Number(found && Buffer.from(found.value).toString())
    if (found && !(age < HOUR)) await this.#bucket.purgeRevision(mark, found.revision)
    return undefined
  }
}

/** The history in a line of its own, and the entry after it. */
function packed(history: History, entry: Entry, markedAt: number): Buffer {
  return Buffer.concat([Buffer.from(`${history}\n`), pack(entry, markedAt)])
}

/** What {@link packed} has put together; `undefined` when it is damaged. */
function unpacked(bytes: Uint8Array): (Unpacked & { history: History }) | undefined {
  const end = bytes.indexOf(10)
  const history = History.parse(Buffer.from(bytes.subarray(0, end)).toString())
  const entry = unpack(bytes.subarray(end + 1))
  return history && entry && { ...entry, history }
}

/** What tells whether the newest write of that history was stored. */
function judgeOf(history: History): Judge {
  return (current, seen) => {
    const entry = unlessDeleted(current) && unpacked(current.value)
    // Where the session was deleted, or damaged, nothing is left of the write.
    return entry && history.fateIn(entry.history, current.revision, seen)
  }
}

function versionOf(
  revision: number,
  { expiresAt, userId }: Entry,
  markedAt: number,
  history: History,
): Version {
  return `${toVersion({ revision: String(revision), expiresAt, user: hashOf(userId), markedAt })}/${history}`
}

/** What {@link versionOf} has put together; `undefined` for anything else. */
function parsed(version: Version): (Known & { history: History }) | undefined {
  const text = String(version)
  const end = text.lastIndexOf('/')
  const known = parseVersion(text.slice(0, end))
  const history = History.parse(text.slice(end + 1))
  return known && history && { ...known, history }
}

function subjectOf(key: string): string {
  return `s.${tokenOf(key)}`
}

function markOf(user: string, key: string): string {
  return `u.${user}.${tokenOf(key)}`
}

/** A key as one token of a subject, which may not hold dots, spaces and wildcards; those of the core stay legible. */
function tokenOf(key: string): string {
  return /^[\w-]+$/.test(key) ? `k${key}` : `b${Buffer.from(key).toString('base64url')}`
}

function keyOf(mark: string): string {
  const token = mark.slice(mark.lastIndexOf('.') + 1)
  return token.startsWith('k') ? token.slice(1) : Buffer.from(token.slice(1), 'base64url').toString()
}
