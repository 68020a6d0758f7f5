import type { StandardSchemaV1 } from '@standard-schema/spec'
import type { Awaitable } from './awaitable.ts'
import { carryById } from './by-id.ts'
import type { Administration, Supports } from './carrier.ts'
import { staleSet } from './change.ts'
import { SessionError } from './errors.ts'
import { Events, type SessionEventName, type SessionListener } from './events.ts'
import { guarded } from './guard.ts'
import type { SocketVisits } from './live-socket-visit.ts'
import { LiveVisit } from './live-visit.ts'
import { type SessionsOptions, type Settings, settings } from './options.ts'
import type { PurgeOptions } from './purge.ts'
import type { SessionRecord } from './record.ts'
import { checked } from './schema.ts'
import type { Session, SessionInfo } from './session.ts'
import type { SocketVisit } from './socket-visit.ts'
import { memoryStore } from './stores/memory.ts'
import type { UpgradeOptions, UpgradeRequest } from './upgrade.ts'
import type { Visit, VisitRequest } from './visit.ts'
import type { VisitContext } from './visit-context.ts'

/** The sessions of a site: what `createSessions` answers. */
export interface Sessions<Data extends object = Record<string, unknown>> {
  /**
   * The live session of a request, loaded on first use. Takes what the framework hands over: the request of Express or
   * Node, for a start.
   * @throws SessionError `ERR_SESSION_MISSING` when no adapter has seen the request.
   */
  of(request: object): Promise<Session<Data>>
  /**
   * A user's sessions, the one used last first.
   * @throws TypeError when the store keeps no index of users; `supports` tells beforehand.
   */
  ofUser(userId: string): Promise<SessionInfo<Data>[]>
  /** Ends the session of that handle, wherever it is used. Check that the handle is the asking user's own. */
  revoke(handle: string): Promise<void>
  /**
   * Ends all sessions of a user, except that of one handle if given, and answers how many; `NaN` where they are in cookies,
   * and nobody can count them.
   */
  revokeUser(userId: string, options?: { except?: string | undefined }): Promise<number>
  /**
   * Opens a session outside a request (a socket, a job) by its id, the value of its cookie; `undefined` when there is
   * none. Its changes are kept by `save()` only, and its id cannot change.
   */
  resume(id: string): Promise<Session<Data> | undefined>
  /**
   * The session of the visitor who opens a socket, to hold for as long as it is open. Takes the request of the handshake: Node's,
   * as `ws` and Socket.IO (`socket.request`) hand it over, or a `Request` of the Fetch standard. `undefined` when there is no
   * session, since no cookie can begin one here, and when the page that asks is another site's (see `origins`).
   * @example
   * wss.on('connection', async (socket, request) => {
   *   const visit = await sessions.ofUpgrade(request)
   *   if (!visit) return socket.close(4401)
   *   void visit.ended.then(() => socket.close(4401))
   *   ...
   * @throws TypeError when an option is wrong; SessionError `ERR_SESSION_STORE` when the store failed.
   */
  ofUpgrade(request: UpgradeRequest, options?: UpgradeOptions): Promise<SocketVisit<Data> | undefined>
  /** What the store makes possible: not every one keeps lists of users. */
  readonly supports: Supports
  /** Removes what has expired, in small batches, and answers how many. Sojourn does so by itself, now and then. */
  purge(options?: PurgeOptions): Promise<number>
  /** Calls the listener at each event of that name, until the function that is answered is called. */
  on<Name extends SessionEventName>(name: Name, listener: SessionListener<Name>): () => void
  /** Opens a visit for a request: the seam that adapters use. */
  open(request: VisitRequest): Visit<Data>
  /** Tells `of` which object stands for the visit: for adapters. One that has a visit of these sessions keeps it. */
  attach(request: object, visit: Pick<Visit<Data>, 'session'>): void
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
  return new LiveSessions(settings(options))
}

/** A request, as far as it concerns its visits. */
interface VisitHolder {
  [visit: symbol]: Pick<Visit, 'session'>
}

class LiveSessions implements Sessions {
  readonly #settings: Settings
  readonly #events = new Events()
  /**
   * The property under which a request holds its visit. Not a WeakMap: its entries outlive the young requests that they
   * are for, which cost more in garbage collection than all else that a session does.
   */
  readonly #visit: symbol = Symbol('sojourn visit')
  readonly #context: VisitContext
  readonly #administration: Administration
  #sockets: SocketVisits | undefined

  constructor(config: Settings) {
    const { lifetimes, cookie, production, sealed, clock: now } = config
    this.#settings = config
    const store = config.store ?? memoryStore({ clock: now })
    const events = this.#events
    const context = {
      lifetimes,
      events,
      cookie,
      sealed,
      now,
      call: this.#call.bind(this),
      check: this.#check.bind(this),
      onStale: this.#onStale.bind(this),
    }
    const { carrier, administration } = 'carry' in store ? store.carry(context) : carryById(store, context)
    this.#administration = administration
    this.#context = {
      carrier,
      cookie,
      lifetimes,
      events,
      now,
      warns: !production,
      anonymousOnError: config.onStoreError === 'anonymous',
    }
  }

  of(request: object): Promise<Session> {
    return this.#visitOf(request)?.session() ?? Promise.reject(missing())
  }

  ofUser(userId: string): Promise<SessionInfo[]> {
    return this.#administration.ofUser(userId)
  }

  revoke(handle: string): Promise<void> {
    return this.#administration.revoke(handle)
  }

  revokeUser(userId: string, { except }: { except?: string | undefined } = {}): Promise<number> {
    return this.#administration.revokeUser(userId, except)
  }

  get supports(): Supports {
    return this.#administration.supports
  }

  async resume(id: string): Promise<Session | undefined> {
    const carried = await this.#context.carrier.resume(id)
    return carried && LiveVisit.resumed(this.#context, carried)
  }

  async ofUpgrade(request: UpgradeRequest, options: UpgradeOptions = {}): Promise<SocketVisit | undefined> {
    // Most sites have no sockets.
    const { SocketVisits } = await import('./live-socket-visit.ts')
    this.#sockets ??= new SocketVisits(this.#context)
    return this.#sockets.open(request, options)
  }

  purge(options: PurgeOptions = {}): Promise<number> {
    return this.#administration.purge(options)
  }

  on<Name extends SessionEventName>(name: Name, listener: SessionListener<Name>): () => void {
    return this.#events.on(name, listener)
  }

  open(request: VisitRequest): Visit {
    return new LiveVisit(this.#context, request)
  }

  attach(request: object, visit: Pick<Visit, 'session'>): void {
    if (!this.#visitOf(request)) (request as VisitHolder)[this.#visit] = visit
  }

  /** Also of what is no object: those who have no types are told what is missing. */
  #visitOf(request: object | undefined): Pick<Visit, 'session'> | undefined {
    return (request as VisitHolder | undefined)?.[this.#visit]
  }

  close(): Promise<void> {
    this.#sockets?.close()
    return this.#administration.close()
  }

  #call<T>(operation: string, call: () => Promise<T>): Promise<T> {
    return guarded(operation, call, this.#settings.storeTimeout, this.#events)
  }

  #check(record: SessionRecord, onInvalid = this.#settings.onInvalid): Awaitable<SessionRecord> {
    const { schema } = this.#settings
    return schema && !record.closed ? checked(record, schema, onInvalid) : record
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
    'No session for this object: install the adapter first, such as app.use(expressSession(sessions)), or wrap the ' +
      "handler by withSession() or route(), and give sessions.of() the framework's request",
  )
}
