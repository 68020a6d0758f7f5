import { checkClock, known } from '../check-options.ts'
import { type Duration, milliseconds } from '../duration.ts'
import type { Entry, KeyedEntry, StoredEntry, UpdateResult, UserIndexedStore, Version } from '../store.ts'
import { NatsBucket, type NatsKv, type NatsKvEntry, unlessDeleted } from './nats-bucket.ts'
import { hashOf, pack, parseVersion, toVersion, unpack } from './revisions.ts'

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

  constructor(bucket: NatsBucket, clock: () => number) {
    this.#bucket = bucket
    this.#clock = clock
  }

  async read(key: string): Promise<StoredEntry | undefined> {
    return this.#live(await this.#bucket.get(subjectOf(key)))
  }

  async create(key: string, entry: Entry): Promise<Version | undefined> {
    const markedAt = await this.#mark(key, entry, undefined)
    const bytes = pack(entry, markedAt)
    let revision = 0
    for (;;) {
      const written = await this.#bucket.write(subjectOf(key), bytes, revision)
      if ('revision' in written) return versionOf(written.revision, entry, markedAt)
      if (this.#live(unlessDeleted(written.current))) return undefined
      // What is there has expired, or is the mark of a deletion: it is replaced, if it still is what is there.
      revision = written.current?.revision ?? 0
    }
  }

  async update(key: string, entry: Entry, version: Version): Promise<UpdateResult | undefined> {
    const old = parseVersion(version)
    // The bucket may have an entry that has expired for some time; its revision would still fit.
    if (!old || old.expiresAt <= this.#clock()) return this.#conflict(await this.read(key))
    const markedAt = await this.#mark(key, entry, old)
    const written = await this.#bucket.write(subjectOf(key), pack(entry, markedAt), Number(old.revision))
    if ('revision' in written) return { version: versionOf(written.revision, entry, markedAt) }
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

  #conflict(current: StoredEntry | undefined): UpdateResult | undefined {
    return current && { current }
  }

  #live(found: NatsKvEntry | undefined): StoredEntry | undefined {
    const unpacked = found && unpack(found.value)
    if (!found || !unpacked || unpacked.expiresAt <= this.#clock()) return undefined
    const { markedAt, ...entry } = unpacked
    return { ...entry, version: versionOf(found.revision, entry, markedAt) }
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

function versionOf(revision: number, { expiresAt, userId }: Entry, markedAt: number): Version {
  return toVersion({ revision: String(revision), expiresAt, user: hashOf(userId), markedAt })
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
