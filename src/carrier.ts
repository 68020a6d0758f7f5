import type { Awaitable } from './awaitable.ts'
import type { CookiePolicy } from './cookie.ts'
import type { CookieJar } from './cookie-jar.ts'
import type { Events } from './events.ts'
import type { Journal } from './journal.ts'
import type { Lifetimes } from './lifetime.ts'
import type { PurgeOptions } from './purge.ts'
import type { SessionRecord } from './record.ts'
import type { SessionInfo } from './session.ts'
import type { SessionState } from './session-state.ts'

/** A session on its way: what the visitor's request sees, and whatever its carrier keeps beside it. */
export interface Carried extends SessionState {
  /** What the visitor's request sees. */
  readonly record: SessionRecord
}

/** What a commit has made of a session. */
export interface Carriage {
  readonly carried: Carried
  /** The `Set-Cookie` values that tell the visitor of it; none when what their cookie says still holds. */
  readonly setCookies: readonly string[]
}

/**
 * How a session reaches the next request: by id into a store, or by value in the cookie itself. A carrier is handed only
 * what it gave out: each may give more than `Carried`, and take it back.
 */
export interface Carrier {
  /** Whether each change is in the cookie alone, so that none can be made once the headers have left. */
  readonly tellsChanges: boolean
  /** Whether only the visitor's own cookie can be ended, so that this cannot be done either. */
  readonly tellsEnd: boolean
  /** The session that the request's cookies open; `undefined` where there is none. What opens none is never adopted. */
  load(jar: CookieJar): Awaitable<Carried | undefined>
  /** The session of a cookie's value, outside any request. */
  resume(value: string): Awaitable<Carried | undefined>
  /** The session as it is now, where what once opened it still does: for those who stay longer than a request. */
  again(carried: Carried): Awaitable<Carried | undefined>
  /** A session that nothing is stored of yet. */
  blank(): Carried
  /** Whether a use now is worth a write. */
  extensionDue(carried: Carried): boolean
  /** Saves the journals, or extends the session's life when there are none. `undefined`: it has ended meanwhile. */
  commit(carried: Carried, journals: readonly Journal[], jar: CookieJar): Awaitable<Carriage | undefined>
  /** Ends the session for everybody, as far as this is known of it. */
  end(carried: Carried): Promise<void>
  /** The `Set-Cookie` values that remove what the request brought; none when it brought nothing. */
  clear(jar: CookieJar): string[]
}

/** What can be done with sessions from outside any request. */
export interface Administration {
  /** Which of it this carrier can do. */
  readonly supports: Supports
  ofUser(userId: string): Promise<SessionInfo[]>
  revoke(handle: string): Promise<void>
  revokeUser(userId: string, except: string | undefined): Promise<number>
  purge(options: PurgeOptions): Promise<number>
  close(): Promise<void>
}

/** What the store of these sessions makes possible. */
export interface Supports {
  /** Whether `ofUser` can list. */
  readonly ofUser: boolean
  /** Whether `revoke` can end a session. */
  readonly revoke: boolean
  /** Whether `revokeUser` can end a user's sessions. */
  readonly revokeUser: boolean
}

export interface Carrying {
  readonly carrier: Carrier
  readonly administration: Administration
}

/** What carries sessions by its own means instead of keeping them under their ids, as a `Store` does. */
export interface CarryingStore {
  /** Told, once, of the sessions that it is to carry. Called by `createSessions`, not by applications. */
  carry(context: CarrierContext): Carrying
}

/** What a carrier needs of the sessions it works for. */
export interface CarrierContext {
  readonly lifetimes: Lifetimes
  readonly events: Events
  readonly cookie: CookiePolicy
  /** Whether the data is to be encrypted with what only the visitor knows. */
  readonly sealed: boolean
  now(): number
  /** Runs a call of a store: within its time, its failures wrapped and told to observers. */
  call<T>(operation: string, call: () => Promise<T>): Promise<T>
  /** Holds a session against the schema. @param onInvalid - What becomes of misfits, other than as configured. */
  check(record: SessionRecord, onInvalid?: 'drop'): Awaitable<SessionRecord>
  /** Told each key whose set overwrites an unseen change; throws where that is an error. */
  onStale(name: string): void
}
