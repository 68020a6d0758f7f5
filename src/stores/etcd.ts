import { checkClock, known } from '../check-options.ts'
import { type Duration, milliseconds } from '../duration.ts'
import type { Entry, KeyedEntry, StoredEntry, UpdateResult, UserIndexedStore, Version } from '../store.ts'
import { type EtcdFetch, EtcdGateway } from './etcd-gateway.ts'
import { EtcdKeys } from './etcd-keys.ts'
import {
  deletion,
  EtcdTransactions,
  type EtcdValue,
  leaseHour,
  type Operation,
  put,
} from './etcd-transactions.ts'
import { hashOf, pack, parseVersion, toVersion, unpack } from './revisions.ts'

export type { EtcdFetch } from './etcd-gateway.ts'

/** What {@link etcdStore} may be told. */
export interface EtcdStoreOptions {
  /** In front of every key, so that others may use the same etcd. @defaultValue `'sojourn/'` */
  prefix?: string
  /** The user of etcd, where that asks for one. */
  username?: string
  password?: string
  /**
   * How long a call tries, over the loss of a node, before it fails. Less than the `storeTimeout` of the sessions, for a
   * clear error. @defaultValue `'4s'`
   */
  timeout?: Duration
  /** Another way to send a request, such as one with client certificates. @defaultValue the `fetch` of the runtime */
  fetch?: EtcdFetch
  /** The current instant in milliseconds since 1970; for tests. @defaultValue `Date.now` */
  clock?: () => number
}

/** The store that {@link etcdStore} makes. */
export interface EtcdStore extends UserIndexedStore {}

const OPTIONS = ['prefix', 'username', 'password', 'timeout', 'fetch', 'clock']

/**
 * Keeps sessions in etcd, whose nodes agree on every write before it is answered: the loss of one loses nothing.
 *
 * @param endpoints the nodes, such as `['http://10.0.0.1:2379', 'http://10.0.0.2:2379', 'http://10.0.0.3:2379']`
 */
export function etcdStore(endpoints: string | readonly string[], options: EtcdStoreOptions = {}): EtcdStore {
  known(options, OPTIONS, 'etcdStore')
  const { prefix = 'sojourn/', username, password, timeout = '4s', clock = Date.now } = options
  const { fetch = (url, init) => globalThis.fetch(url, init) } = options
  if (typeof prefix !== 'string') throw new TypeError('"prefix" must be a text')
  if (typeof fetch !== 'function') throw new TypeError('"fetch" must be a function like the global one')
  checkClock(clock)
  const gateway = new EtcdGateway({
    endpoints: checkedEndpoints(endpoints),
    user: checkedUser(username, password),
    timeout: milliseconds(timeout, 'timeout'),
    fetch,
  })
  const keys = new EtcdKeys(prefix)
  return new Etcd(new EtcdTransactions(gateway, keys, clock), keys, clock)
}

function checkedEndpoints(endpoints: unknown): string[] {
  const list = Array.isArray(endpoints) ? endpoints : [endpoints]
  const isRight = (one: unknown) => typeof one === 'string' && /^https?:\/\/[^/@?#\s]+\/?$/.test(one)
  if (list.length > 0 && list.every(isRight)) return list.map((one) => one.replace(/\/$/, ''))
  throw new TypeError(
    '"endpoints" must be the URLs of the nodes, such as "http://127.0.0.1:2379"; a user goes into the options',
  )
}

function checkedUser(name: unknown, password: unknown): { name: string; password: string } | undefined {
  if (name === undefined && password === undefined) return undefined
  if (typeof name === 'string' && typeof password === 'string') return { name, password }
  throw new TypeError('"username" and "password" must be texts, both or none of them')
}

class Etcd implements EtcdStore {
  readonly #etcd: EtcdTransactions
  readonly #keys: EtcdKeys
  readonly #clock: () => number

  constructor(etcd: EtcdTransactions, keys: EtcdKeys, clock: () => number) {
    this.#etcd = etcd
    this.#keys = keys
    this.#clock = clock
  }

  async read(key: string): Promise<StoredEntry | undefined> {
    return this.#live(await this.#etcd.read(this.#keys.entry(key)))
  }

  async create(key: string, entry: Entry): Promise<Version | undefined> {
    const name = this.#keys.entry(key)
    const { expiresAt, userId } = entry
    const write = [put(name, pack(entry))]
    if (userId !== undefined) write.push(put(this.#keys.mark(hashOf(userId), key)))
    for (let revision = '0'; ; ) {
      const written = await this.#etcd.replace({ name, revision, write, expiresAt })
      if ('revision' in written) return versionOf(written.revision, entry)
      if (this.#live(written.current)) return undefined
      // What is there has expired, or is damaged: it is replaced, if it still is what is there.
      revision = written.current?.mod_revision ?? '0'
    }
  }

  async update(key: string, entry: Entry, version: Version): Promise<UpdateResult | undefined> {
    const name = this.#keys.entry(key)
    const old = parseVersion(version)
    // Etcd may have an entry that has expired for some time; its revision would still fit.
    if (!old || old.expiresAt <= this.#clock()) return conflict(await this.read(key))
    const write = [put(name, pack(entry)), ...this.#marks(key, old, entry)]
    const written = await this.#etcd.replace({
      name,
      revision: old.revision,
      write,
      expiresAt: entry.expiresAt,
    })
    if ('revision' in written) return { version: versionOf(written.revision, entry) }
    return conflict(this.#live(written.current))
  }

  /** Its mark is left to its lease, or to the next list: to remove it would take the name of the user. */
  async delete(key: string): Promise<void> {
    await this.#etcd.delete(this.#keys.entry(key))
  }

  async ofUser(userId: string): Promise<KeyedEntry[]> {
    const { first, end, length } = this.#keys.marks(userId)
    const marks = await this.#etcd.list(first, end)
    const keys = marks.map(({ key }) => Buffer.from(key, 'base64').subarray(length).toString())
    const found = await this.#etcd.readAll(keys.map((key) => this.#keys.entry(key)))
    const stale: Promise<void>[] = []
    const entries = keys.flatMap((key, i) => {
      const value = found[i]
      const entry = this.#live(value)
      if (entry?.userId === userId) return { key, ...entry }
      stale.push(this.#etcd.removeMark(marks[i] as EtcdValue, this.#keys.entry(key), value))
      return []
    })
    await Promise.all(stale)
    return entries
  }

  #live(found: EtcdValue | undefined): StoredEntry | undefined {
    const unpacked = found && unpack(Buffer.from(found.value ?? '', 'base64'))
    if (!found || !unpacked || unpacked.expiresAt <= this.#clock()) return undefined
    const { markedAt: _, ...entry } = unpacked
    return { ...entry, version: versionOf(found.mod_revision, entry) }
  }

  /** The mark in the index of users moves with the entry: to another user, or to the lease of another hour. */
  #marks(key: string, old: { user: string; expiresAt: number }, { userId, expiresAt }: Entry): Operation[] {
    const user = hashOf(userId)
    const marks: Operation[] = []
    if (old.user !== '' && old.user !== user) marks.push(deletion(this.#keys.mark(old.user, key)))
    const isMarked = old.user === user && leaseHour(old.expiresAt) === leaseHour(expiresAt)
    if (user !== '' && !isMarked) marks.push(put(this.#keys.mark(user, key)))
    return marks
  }
}

function conflict(current: StoredEntry | undefined): UpdateResult | undefined {
  return current && { current }
}

function versionOf(revision: string, { expiresAt, userId }: Entry): Version {
  return toVersion({ revision, expiresAt, user: hashOf(userId), markedAt: 0 })
}
