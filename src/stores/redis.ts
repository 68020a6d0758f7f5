import { checkClock, known } from '../check-options.ts'
import { type Duration, milliseconds } from '../duration.ts'
import type { Entry, KeyedEntry, StoredEntry, UpdateResult, UserIndexedStore, Version } from '../store.ts'
import { driverOf, type RedisClient, type RedisDriver } from './redis-driver.ts'
import { pack, tokens, tokensIn, unpack } from './redis-entry.ts'
import { Replacer } from './redis-replace.ts'
import { replicated } from './redis-replicas.ts'
import type { Send } from './redis-script.ts'
import { RedisUsers } from './redis-users.ts'

export type {
  GlideClient,
  GlideClusterClient,
  IoredisClient,
  NodeRedisClient,
  NodeRedisCluster,
  NodeRedisPipeline,
  NodeRedisSentinel,
  RedisClient,
} from './redis-driver.ts'

/** What {@link redisStore} may be told. */
export interface RedisStoreOptions {
  /** What the keys begin with. It may hold any characters. @defaultValue `'sojourn:'` */
  prefix?: string
  /**
   * So many replicas must confirm a write before it counts as done; by default none. When fewer do within
   * `replicaTimeout`, the call fails, although the master has the write.
   * @defaultValue `0`
   */
  waitForReplicas?: number
  /** How long a write waits for replicas. @defaultValue `'1s'` */
  replicaTimeout?: Duration
  /** The current instant in milliseconds since 1970; for tests. @defaultValue `Date.now` */
  clock?: () => number
}

/** The store that {@link redisStore} makes. */
export interface RedisStore extends UserIndexedStore {}

/**
 * Keeps sessions in Redis 7 or later or Valkey 8 or later: one server, one with replicas under Sentinel, or a cluster.
 *
 * The client is one of redis (`createClient`, `createSentinel`, `createCluster`), ioredis (`Redis`, `Cluster`) or
 * `@valkey/valkey-glide`. The application connects it and closes it.
 */
export function redisStore(client: RedisClient, options: RedisStoreOptions = {}): RedisStore {
  known(options, ['prefix', 'waitForReplicas', 'replicaTimeout', 'clock'], 'redisStore')
  const { prefix = 'sojourn:', waitForReplicas = 0, replicaTimeout = '1s', clock = Date.now } = options
  if (typeof prefix !== 'string') throw new TypeError('"prefix" must be a string')
  if (!Number.isInteger(waitForReplicas) || waitForReplicas < 0) {
    throw new TypeError('"waitForReplicas" must be a whole number from 0')
  }
  checkClock(clock)
  const timeout = milliseconds(replicaTimeout, 'replicaTimeout')
  const driver = driverOf(client)
  const write = waitForReplicas > 0 ? replicated(driver, waitForReplicas, timeout) : driver.send
  return new Redis(driver, write, prefix, clock)
}

/**
 * In milliseconds. The server counts an entry's life down by itself, and removes it so much later than it ends: it ends by
 * the clock of the application, whichever of the two is ahead.
 */
const GRACE = 60_000

/** So often a key may change between two commands until something else must be the matter. */
const ATTEMPTS = 5

class Redis implements RedisStore {
  readonly #driver: RedisDriver
  readonly #write: Send
  readonly #replacer: Replacer
  readonly #users: RedisUsers
  readonly #prefix: string
  readonly #clock: () => number
  readonly #token: () => string = tokens()

  constructor(driver: RedisDriver, write: Send, prefix: string, clock: () => number) {
    this.#driver = driver
    this.#write = write
    this.#replacer = new Replacer(write)
    this.#users = new RedisUsers(driver, write, prefix)
    this.#prefix = prefix
    this.#clock = clock
  }

  // Each verb is one function that awaits what the client promises: each promise in between costs a request its share.

  async read(key: string): Promise<StoredEntry | undefined> {
    const name = this.#prefix + key
    try {
      return this.#live(await this.#driver.send(name, ['GET', name]))
    } catch (cause) {
      throw failed('read', cause)
    }
  }

  async create(key: string, entry: Entry): Promise<Version | undefined> {
    const { userId, expiresAt } = entry
    const [name, token] = [this.#prefix + key, this.#token()]
    const [raw, lifetime] = [pack(token, [], entry), this.#lifetime(expiresAt)]
    try {
      if (userId !== undefined) await this.#users.add(userId, key, expiresAt, this.#clock())
      for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
        const taken = await this.#write(name, ['SET', name, raw, 'NX', 'GET', 'PX', lifetime])
        if (taken === null) return raw
        if (this.#live(taken)) return contains(taken, token) ? raw : undefined
        if ((await this.#replacer.replace(name, String(taken), raw, lifetime)) === 1) return raw
      }
      throw new Error('what is kept under its key is no session, and cannot be replaced')
    } catch (cause) {
      throw failed('create', cause)
    }
  }

  async update(key: string, entry: Entry, version: Version): Promise<UpdateResult | undefined> {
    const name = this.#prefix + key
    const old = this.#live(version)
    if (!old) {
      const current = await this.read(key)
      return current && { current }
    }
    const { userId, expiresAt } = entry
    const before = String(version)
    const token = this.#token()
    const raw = pack(token, tokensIn(before), entry)
    try {
      if (userId !== undefined && !(old.userId === userId && RedisUsers.covers(old.expiresAt, expiresAt))) {
        await this.#users.add(userId, key, expiresAt, this.#clock())
      }
      const answer = await this.#replacer.replace(name, before, raw, this.#lifetime(expiresAt))
      if (answer === 1) return { version: raw }
      const current = this.#live(answer)
      return current && (contains(answer, token) ? { version: raw } : { current })
    } catch (cause) {
      throw failed('update', cause)
    }
  }

  async delete(key: string): Promise<void> {
    const name = this.#prefix + key
    try {
      await this.#write(name, ['DEL', name])
    } catch (cause) {
      throw failed('delete', cause)
    }
  }

  async ofUser(userId: string): Promise<KeyedEntry[]> {
    const look = async (key: string): Promise<KeyedEntry | undefined> => {
      const entry = await this.read(key)
      return entry?.userId === userId ? { key, ...entry } : undefined
    }
    try {
      return await this.#users.find(userId, look)
    } catch (cause) {
      throw failed('list the sessions of a user', cause)
    }
  }

  /** The entry in a string, unless it has expired. */
  #live(raw: unknown): StoredEntry | undefined {
    const entry = unpack(raw)
    return entry && entry.expiresAt > this.#clock() ? entry : undefined
  }

  #lifetime(expiresAt: number): string {
    return String(Math.max(Math.ceil(expiresAt - this.#clock()), 0) + GRACE)
  }
}

/** Whether the write with this token is in what is there, though the client has lost its answer and sent it again. */
function contains(raw: unknown, token: string): boolean {
  return tokensIn(String(raw)).includes(token)
}

function failed(verb: string, cause: unknown): Error {
  const reason = cause instanceof Error ? cause.message : String(cause)
  return new Error(`Redis failed to ${verb}: ${reason}`, { cause })
}
