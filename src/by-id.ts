import { verbsOf } from './at-once.ts'
import type { Administration, CarrierContext, Carrying, Supports } from './carrier.ts'
import { Committer } from './commit.ts'
import { SessionError } from './errors.ts'
import { isKey } from './id.ts'
import { IdCarrier } from './id-carrier.ts'
import type { IdContext } from './id-opener.ts'
import { isOver } from './lifetime.ts'
import { type PurgeOptions, Purger } from './purge.ts'
import { decodeRecord, type Opener, type SessionRecord } from './record.ts'
import type { SessionInfo } from './session.ts'
import type { CloseableStore, KeyedEntry, Store, StoredEntry, UserIndexedStore } from './store.ts'

/** Carries sessions by id: they live in a store, and the visitor's cookie holds what opens them there. */
export function carryById(store: Store, shared: CarrierContext): Carrying {
  const { events, now, call, check } = shared
  const purger = new Purger(store, events, now)

  /** The visitor of an entry that cannot be read begins anew, and observers hear of it. */
  const decode = (key: string, entry: StoredEntry, opener: Opener): SessionRecord | undefined => {
    try {
      return decodeRecord(entry, key, opener)
    } catch (cause) {
      const message = 'An entry of the session store cannot be read'
      const error = new SessionError('ERR_SESSION_STORE', message, { cause })
      events.emit('storeError', { operation: 'decode', error })
      return undefined
    }
  }

  const { read, create, update } = verbsOf(store, {
    read: (key) => call('read', () => store.read(key)),
    create: (key, entry) => call('create', () => store.create(key, entry)),
    update: (key, entry, version) => call('update', () => store.update(key, entry, version)),
  })
  const context: IdContext = {
    ...shared,
    decode,
    read,
    delete: (key) => call('delete', () => store.delete(key)),
    create: (key, entry) => {
      purger.afterCreate()
      return create(key, entry)
    },
  }
  const committer = new Committer({
    ...shared,
    open: async (key, entry, opener) => {
      const record = decode(key, entry, opener)
      return record && check(record)
    },
    update,
  })
  return {
    carrier: new IdCarrier(context, committer),
    administration: new StoreAdministration(store, context, committer, purger),
  }
}

class StoreAdministration implements Administration {
  readonly supports: Supports
  readonly #store: Store
  readonly #context: IdContext
  readonly #committer: Committer
  readonly #purger: Purger

  constructor(store: Store, context: IdContext, committer: Committer, purger: Purger) {
    this.#store = store
    this.#context = context
    this.#committer = committer
    this.#purger = purger
    const hasIndex = 'ofUser' in store
    this.supports = { ofUser: hasIndex, revoke: true, revokeUser: hasIndex }
  }

  async ofUser(userId: string): Promise<SessionInfo[]> {
    const entries = await this.#entriesOf(userId)
    const infos = await Promise.all(entries.map((entry) => this.#info(entry, userId)))
    return infos.filter((info) => info !== undefined).sort((a, b) => b.lastSeenAt - a.lastSeenAt)
  }

  async revoke(handle: string): Promise<void> {
    if (!isKey(handle)) return
    await this.#context.delete(handle)
    this.#committer.recent.forget(handle)
    this.#context.events.emit('ended', { handle, reason: 'revoked' })
  }

  async revokeUser(userId: string, except: string | undefined): Promise<number> {
    const entries = await this.#entriesOf(userId)
    const handles = entries.map(({ key }) => key).filter((key) => key !== except)
    for (const handle of handles) await this.revoke(handle)
    return handles.length
  }

  purge(options: PurgeOptions): Promise<number> {
    return this.#purger.purge(options)
  }

  async close(): Promise<void> {
    if ('close' in this.#store) await (this.#store as CloseableStore).close()
  }

  async #entriesOf(userId: string): Promise<KeyedEntry[]> {
    const store = this.#store
    if (!('ofUser' in store))
      throw new TypeError('This store keeps no index of users, so it cannot list sessions')
    const { call, now } = this.#context
    const entries = await call('ofUser', () => (store as UserIndexedStore).ofUser(userId))
    return entries.filter((entry) => entry.expiresAt > now())
  }

  async #info(entry: KeyedEntry, userId: string): Promise<SessionInfo | undefined> {
    const { decode, check, lifetimes, now } = this.#context
    const decoded = decode(entry.key, entry, undefined)
    if (!decoded || isOver(decoded, lifetimes, now())) return undefined
    // One session that does not fit the schema must not keep the others from being listed and revoked.
    const record = await check(decoded, 'drop')
    const data = Object.fromEntries(Array.from(record.data, ([key, slot]) => [key, slot.copy()]))
    return {
      handle: entry.key,
      userId,
      createdAt: record.createdAt,
      authenticatedAt: record.authenticatedAt,
      lastSeenAt: record.seenAt,
      expiresAt: entry.expiresAt,
      data: record.closed ? undefined : data,
    }
  }
}
