export type { Supports } from './carrier.ts'
export type { CookieOptions } from './cookie.ts'
export type { Duration } from './duration.ts'
export { SessionError, type SessionErrorCode } from './errors.ts'
export type { SessionEventName, SessionEvents, SessionListener } from './events.ts'
export type { SessionsOptions } from './options.ts'
export { type CachingHeaders, cachingHeaders, type Outcome } from './outcome.ts'
export type { PurgeOptions } from './purge.ts'
export type { FlashMessage, KeyOf, Session, SessionInfo, SessionTimeouts, ValueOf } from './session.ts'
export { createSessions, type Sessions } from './sessions.ts'
export type { SocketVisit } from './socket-visit.ts'
export type {
  CloseableStore,
  Entry,
  KeyedEntry,
  PurgeableStore,
  Store,
  StoredEntry,
  UpdateResult,
  UserIndexedStore,
  Version,
} from './store.ts'
export type { UpgradeOptions, UpgradeRequest } from './upgrade.ts'
export type { Visit, VisitRequest } from './visit.ts'
