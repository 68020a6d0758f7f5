import { checkClock, known } from '../check-options.ts'
import type { Entry, KeyedEntry, StoredEntry, UpdateResult, UserIndexedStore, Version } from '../store.ts'
import { CallbackItems, type MemcachedClient } from './memcached-callbacks.ts'
import { type Draft, Entries, type Found, isKey, MAX_PREFIX } from './memcached-entries.ts'
import type { Items, Written } from './memcached-items.ts'
import { type MemcacheClient, NodeItems } from './memcached-nodes.ts'
import type { Kept } from './memcached-text.ts'
import { MANY_MEMBERS, type Membership, UserLists } from './memcached-users.ts'

export type { MemcachedClient } from './memcached-callbacks.ts'
export type { MemcacheClient, MemcacheNode } from './memcached-nodes.ts'

/** What {@link memcachedStore} may be told. */
export interface MemcachedStoreOptions {
  /** What the keys of all items begin with. @defaultValue `'sojourn:'` */
  prefix?: string
  /**
   * The size of the largest item that the servers keep, in bytes: what they were told by `-I`. A larger session is
   * refused before it is sent.
   * @defaultValue 1 MiB
   */
  maxItemSize?: number
  /** The current instant in milliseconds since 1970; for tests. @defaultValue `Date.now` */
  clock?: () => number
}

/** The store that {@link memcachedStore} makes. */
export interface MemcachedStore extends UserIndexedStore {}

/**
 * Keeps sessions in memcached. It is a cache: sessions end when a server restarts, and when it makes room for others.
 *
 * @param client a client of the package `memcache`, or of the older `memcached`
 */
export function memcachedStore(
  client: MemcacheClient | MemcachedClient,
  options: MemcachedStoreOptions = {},
): MemcachedStore {
  known(options, ['prefix', 'maxItemSize', 'clock'], 'memcachedStore')
  const { prefix = 'sojourn:', maxItemSize = 1024 * 1024, clock = Date.now } = options
  if (typeof prefix !== 'string' || !isKey(prefix) || Buffer.byteLength(prefix) > MAX_PREFIX) {
    throw new TypeError(`"prefix" must be at most ${MAX_PREFIX} bytes without spaces and control characters`)
  }
  if (!Number.isSafeInteger(maxItemSize) || maxItemSize < 1024) {
    throw new TypeError('"maxItemSize" must be a whole number of bytes, 1024 or more')
  }
  checkClock(clock)
  const items = itemsOf(client)
  const entries = new Entries(items, prefix, maxItemSize, clock)
  return new Memcached(entries, new UserLists(items, prefix, clock), clock)
}

function itemsOf(client: MemcacheClient | MemcachedClient): Items {
  const { hash, gets, cas, del } = (client ?? {}) as Partial<MemcacheClient & MemcachedClient>
  if (typeof hash?.getNodesByKey === 'function') return new NodeItems(client as MemcacheClient)
  const methods = [gets, cas, del]
  if (methods.every((method) => typeof method === 'function'))
    return new CallbackItems(client as MemcachedClient)
  throw new TypeError(
    '"client" must be a client of the package memcache or memcached: others cannot compare and set',
  )
}

/** A state of an entry as this store saw it last. */
interface Seen extends Found {
  readonly membership: Membership | undefined
}

/** The membership of an entry in the list of its user; `undefined` when it has none. */
interface Bound {
  readonly membership: Membership | undefined
}

/** A request reads, and writes moments later. */
const MAX_SEEN = 1000
const MAX_ATTEMPTS = 5
/** So long may it take from naming a session in the list of its user to storing it, and clocks may differ. */
const UNSETTLED_MS = 600_000

class Memcached implements MemcachedStore {
  readonly #entries: Entries
  readonly #users: UserLists
  readonly #clock: () => number
  /** By key. Saves asking for what is known; when it is out of date, the server notices by the mark. */
  readonly #seen = new Map<string, Seen>()

  constructor(entries: Entries, users: UserLists, clock: () => number) {
    this.#entries = entries
    this.#users = users
    this.#clock = clock
  }

  async read(key: string): Promise<StoredEntry | undefined> {
    const name = this.#entries.name(key)
    return explained('read', async () => {
      const seen = await this.#read(key, name)
      return seen && stored(seen)
    })
  }

  async create(key: string, entry: Entry): Promise<Version | undefined> {
    const draft = this.#entries.draft(key, entry)
    return explained('create', async () => {
      const bound = await this.#join(key, draft.kept)
      const written = await this.#entries.add(draft)
      if (!written) return undefined
      this.#remember(draft, written, bound)
      return draft.kept.token
    })
  }

  async update(key: string, entry: Entry, version: Version): Promise<UpdateResult | undefined> {
    const draft = this.#entries.draft(key, entry)
    return explained('update', async () => {
      const known = this.#known(key, version) ?? (await this.#read(key, draft.name))
      return this.#update(draft, version, known, 1)
    })
  }

  async delete(key: string): Promise<void> {
    const name = this.#entries.name(key)
    this.#seen.delete(key)
    await explained('delete', () => this.#entries.delete(name))
  }

  async ofUser(userId: string): Promise<KeyedEntry[]> {
    return explained('list', async () => {
      const members = await this.#users.read(userId)
      const keys = [...members.keys()]
      const found = await Promise.all(keys.map((key) => this.#entries.look(this.#entries.name(key))))
      const gone = keys.filter((key, index) => !found[index] && this.#isSettled(members.get(key)))
      if (gone.length > 0) await this.#users.remove(userId, gone)
      return keys.flatMap((key, index) => {
        const kept = found[index]
        return kept?.userId === userId ? [{ key, ...stored(kept) }] : []
      })
    })
  }

  async #read(key: string, name: string): Promise<Seen | undefined> {
    const before = this.#seen.get(key)?.userId
    // Most likely it is still that user's: the list comes in the same flight.
    const early = before === undefined ? undefined : this.#users.read(before)
    // It is awaited below or not needed.
    early?.catch(() => undefined)
    this.#seen.delete(key)
    const found = await this.#entries.look(name)
    if (!found) return undefined
    const { userId } = found
    if (userId === undefined) return this.#see(key, { ...found, membership: undefined })
    const listed = userId === before ? (await early)?.get(key) : undefined
    const membership = listed ?? (await this.#users.read(userId)).get(key)
    return membership && this.#see(key, { ...found, membership })
  }

  async #update(
    draft: Draft,
    version: Version,
    seen: Seen | undefined,
    attempt: number,
  ): Promise<UpdateResult | undefined> {
    const { key, kept, name } = draft
    if (!seen) return undefined
    // A client that sends a command once more after it lost the connection may meet what it wrote itself.
    if (seen.token === kept.token) return { version: kept.token }
    if (seen.token !== version) return { current: stored(seen) }
    const bound = await this.#rebind(key, kept, seen)
    if (!bound) return undefined
    const written = await this.#entries.replace(draft, seen.mark)
    if (written) {
      this.#remember(draft, written, bound)
      return { version: kept.token }
    }
    if (attempt === MAX_ATTEMPTS) throw new Error('the server refuses to replace an item that nobody changes')
    return this.#update(draft, version, await this.#read(key, name), attempt + 1)
  }

  /** What need not be read, as it was seen on a connection that may still be open. */
  #known(key: string, version: Version): Seen | undefined {
    const seen = this.#seen.get(key)
    const isCurrent = seen?.token === version && seen.mark.connection && this.#clock() < seen.expiresAt
    return isCurrent ? seen : undefined
  }

  #remember({ key, kept }: Draft, { mark }: Written, { membership }: Bound): void {
    this.#seen.delete(key)
    if (mark) this.#see(key, { ...kept, mark, membership })
  }

  #see(key: string, seen: Seen): Seen {
    this.#seen.set(key, seen)
    for (const oldest of this.#seen.keys()) {
      if (this.#seen.size <= MAX_SEEN) break
      this.#seen.delete(oldest)
    }
    return seen
  }

  /** Names a new session in the list of its user, before it is stored: a session that no list names does not exist. */
  async #join(key: string, { userId, expiresAt }: Entry): Promise<Bound> {
    if (userId === undefined) return { membership: undefined }
    const { membership, count } = await this.#users.add(userId, key, expiresAt)
    // Lists forget what has ended.
    if (count >= MANY_MEMBERS) await this.ofUser(userId)
    return { membership }
  }

  /**
   * Sees to the list of the user when an entry is replaced. `undefined`: the list does not name the entry any more. It has
   * ended, and must not be named again.
   */
  async #rebind(key: string, next: Entry, seen: Seen): Promise<Bound | undefined> {
    const { userId, expiresAt } = next
    if (userId === undefined || userId !== seen.userId) return this.#join(key, next)
    if (seen.membership && expiresAt <= seen.membership.until) return seen
    const membership = await this.#users.extend(userId, key, expiresAt)
    return membership && { membership }
  }

  #isSettled(membership: Membership | undefined): boolean {
    return membership !== undefined && this.#clock() - membership.since > UNSETTLED_MS
  }
}

function stored({ value, expiresAt, userId, token }: Kept): StoredEntry {
  return { value, expiresAt, userId, version: token }
}

async function explained<T>(what: string, call: () => Promise<T>): Promise<T> {
  try {
    return await call()
  } catch (cause) {
    throw new Error(`memcached failed to ${what}: ${reason(cause)}`, { cause })
  }
}

/** Some errors of connections have a code and no message. */
function reason(cause: unknown): string {
  const { message, code } = cause as { message?: string; code?: string }
  return message || code || 'for no reason given'
}
