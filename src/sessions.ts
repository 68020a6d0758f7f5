import type { StandardSchemaV1 } from '@standard-schema/spec'
import { type CarrierContext, IdCarrier } from './carrier.ts'
import { Committer } from './commit.ts'
import { SessionError } from './errors.ts'
import { Events, type SessionEventName, type SessionListener } from './events.ts'
import { guarded } from './guard.ts'
import { isKey } from './id.ts'
import { staleSet } from './journal.ts'
import { isOver } from './lifetime.ts'
import { LiveVisit, type VisitContext } from './live-visit.ts'
import { type SessionsOptions, type Settings, settings } from './options.ts'
import { type PurgeOptions, Purger } from './purge.ts'
import { decodeRecord, type Opener, type SessionRecord } from './record.ts'
import { checked } from './schema.ts'
import type { Session, SessionInfo } from './session.ts'
import type { CloseableStore, KeyedEntry, Store, StoredEntry, UserIndexedStore } from './store.ts'
import { memoryStore } from './stores/memory.ts'
import type { Visit, VisitRequest } from './visit.ts'

/** The sessions of a site: what `createSessions` answers. */
export interface Sessions<Data extends object = Record<string, unknown>> {
  /**
   * The live session of a request, loaded on first use. Takes what the framework hands over: the request of Express or
   * Node, for a start.
   * @throws SessionError `ERR_SESSION_MISSING` when no adapter has seen the request.
   */
  of(request: object): Promise<Session<Data>>
  /** A user's sessions, the one used last first. */
  ofUser(userId: string): Promise<SessionInfo<Data>[]>
  /** Ends the session of that handle, wherever it is used. Check that the handle is the asking user's own. */
  revoke(handle: string): Promise<void>
  /** Ends all sessions of a user, except that of one handle if given, and answers how many. */
  revokeUser(userId: string, options?: { except?: string | undefined }): Promise<number>
  /**
   * Opens a session outside a request (a socket, a job) by its id, the value of its cookie; `undefined` when there is
   * none. Its changes are kept by `save()` only, and its id cannot change.
   */
  resume(id: string): Promise<Session<Data> | undefined>
  /** Removes what has expired, in small batches, and answers how many. Sojourn does so by itself, now and then. */
  purge(options?: PurgeOptions): Promise<number>
  /** Calls the listener at each event of that name, until the function that is answered is called. */
  on<Name extends SessionEventName>(name: Name, listener: SessionListener<Name>): () => void
  /** Opens a visit for a request: the seam that adapters use. */
  open(request: VisitRequest): Visit<Data>
  /** Tells `of` which object stands for the visit: for adapters. One that has a visit of these sessions keeps it. */
  attach(request: object, visit: Visit<Data>): void
  /** Closes what the store has opened itself. */
  close(): Promise<void>
}

/** The type of a site's data, as a schema describes what is stored. */
type DataOf<Schema extends StandardSchemaV1<object>> = StandardSchemaV1.InferInput<Schema> & object

/**
 * Makes the sessions of a site.
 * @example
 * const sessions = createSessions<{ num_visits: number }>({ store: sqliteStore('sessions.db') })
 * @throws TypeError that names the option that is wrong, and what was expected.
 */
export function createSessions<Schema extends StandardSchemaV1<object>>(
  options: SessionsOptions & { schema: Schema },
): Sessions<DataOf<Schema>>
export function createSessions<Data extends object = Record<string, unknown>>(
  options?: SessionsOptions,
): Sessions<Data>
export function createSessions(options: SessionsOptions = {}): Sessions {
  return new StoredSessions(settings(options))
}

/** A request, as far as it concerns its visits. */
interface VisitHolder {
  [visit: symbol]: Visit
}

class StoredSessions implements Sessions {
  readonly #settings: Settings
  readonly #store: Store
  readonly #events = new Events()
  /**
   * The property under which a request holds its visit. Not a WeakMap: its entries outlive the young requests that they
   * are for, which cost more in garbage collection than all else that a session does.
   */
  readonly #visit: symbol = Symbol('sojourn visit')
  readonly #committer: Committer
  readonly #context: VisitContext
  readonly #purger: Purger

  constructor(config: Settings) {
    const { lifetimes, cookie, production } = config
    this.#settings = config
    this.#store = config.store ?? memoryStore({ clock: config.clock })
    const store = this.#store
    const events = this.#events
    this.#purger = new Purger(store, events, config.clock)
    const shared = { lifetimes, events, now: config.clock }
    const carrierContext: CarrierContext = {
      ...shared,
      sealed: config.sealed,
      decode: this.#decode.bind(this),
      check: this.#check.bind(this),
      read: (key) => this.#call('read', () => store.read(key)),
      delete: (key) => this.#call('delete', () => store.delete(key)),
      create: (key, entry) => {
        this.#purger.afterCreate()
        return this.#call('create', () => store.create(key, entry))
      },
    }
    this.#committer = new Committer({
      ...shared,
      open: async (key, entry, opener) => {
        const record = this.#decode(key, entry, opener)
        return record && this.#check(record)
      },
      update: (key, entry, version) => this.#call('update', () => store.update(key, entry, version)),
      onStale: (name) => this.#onStale(name),
    })
    this.#context = {
      carrier: new IdCarrier(carrierContext, this.#committer),
      cookie,
      lifetimes,
      events,
      now: config.clock,
      checksPurity: !production,
      anonymousOnError: config.onStoreError === 'anonymous',
    }
  }

  of(request: object): Promise<Session> {
    return this.#visitOf(request)?.session() ?? Promise.reject(missing())
  }

  async ofUser(userId: string): Promise<SessionInfo[]> {
    const entries = await this.#entriesOf(userId)
    const infos = await Promise.all(entries.map((entry) => this.#info(entry, userId)))
    return infos.filter((info) => info !== undefined).sort((a, b) => b.lastSeenAt - a.lastSeenAt)
  }

  async revoke(handle: string): Promise<void> {
    if (!isKey(handle)) return
    await this.#call('delete', () => this.#store.delete(handle))
    this.#committer.forget(handle)
    this.#events.emit('ended', { handle, reason: 'revoked' })
  }

  async revokeUser(userId: string, { except }: { except?: string | undefined } = {}): Promise<number> {
    const entries = await this.#entriesOf(userId)
    const handles = entries.map(({ key }) => key).filter((key) => key !== except)
    for (const handle of handles) await this.revoke(handle)
    return handles.length
  }

  async resume(id: string): Promise<Session | undefined> {
    const carried = await this.#context.carrier.load([id])
    return carried && LiveVisit.resumed(this.#context, carried)
  }

  purge(options: PurgeOptions = {}): Promise<number> {
    return this.#purger.purge(options)
  }

  on<Name extends SessionEventName>(name: Name, listener: SessionListener<Name>): () => void {
    return this.#events.on(name, listener)
  }

  open(request: VisitRequest): Visit {
    return new LiveVisit(this.#context, request)
  }

  attach(request: object, visit: Visit): void {
    if (!this.#visitOf(request)) (request as VisitHolder)[this.#visit] = visit
  }

  /** Also of what is no object: those who have no types are told what is missing. */
  #visitOf(request: object | undefined): Visit | undefined {
    return (request as VisitHolder | undefined)?.[this.#visit]
  }

  async close(): Promise<void> {
    if ('close' in this.#store) await (this.#store as CloseableStore).close()
  }

  #call<T>(operation: string, call: () => Promise<T>): Promise<T> {
    return guarded(operation, call, this.#settings.storeTimeout, this.#events)
  }

  async #entriesOf(userId: string): Promise<KeyedEntry[]> {
    const store = this.#store
    if (!('ofUser' in store))
      throw new TypeError('This store keeps no index of users, so it cannot list sessions')
    const entries = await this.#call('ofUser', () => (store as UserIndexedStore).ofUser(userId))
    return entries.filter((entry) => entry.expiresAt > this.#settings.clock())
  }

  async #info(entry: KeyedEntry, userId: string): Promise<SessionInfo | undefined> {
    const decoded = this.#decode(entry.key, entry, undefined)
    if (!decoded || isOver(decoded, this.#settings.lifetimes, this.#settings.clock())) return undefined
    // One session that does not fit the schema must not keep the others from being listed and revoked.
    const { schema } = this.#settings
    const record = schema ? await checked(decoded, schema, 'drop') : decoded
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

  async #check(record: SessionRecord): Promise<SessionRecord> {
    const { schema, onInvalid } = this.#settings
    return schema && !record.closed ? checked(record, schema, onInvalid) : record
  }

  /** The visitor of an entry that cannot be read begins anew, and observers hear of it. */
  #decode(key: string, entry: StoredEntry, opener: Opener): SessionRecord | undefined {
    try {
      return decodeRecord(entry, key, opener)
    } catch (cause) {
      const error = new SessionError('ERR_SESSION_STORE', 'An entry of the session store cannot be read', {
        cause,
      })
      this.#events.emit('storeError', { operation: 'decode', error })
      return undefined
    }
  }

  #onStale(name: string): void {
    const { onStaleSet, production } = this.#settings
    if (onStaleSet === 'error') throw staleSet(name)
    if (onStaleSet === 'warn' && !production) console.warn(`sojourn: ${staleSet(name).message}`)
  }
}

function missing(): SessionError {
  return new SessionError(
    'ERR_SESSION_MISSING',
    'There is no session for this object. Install the adapter before the handlers, such as ' +
      'app.use(expressSession(sessions)), and give sessions.of() the request that the framework hands over',
  )
}
