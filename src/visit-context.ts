import type { Carrier } from './carrier.ts'
import type { CookieContext } from './cookie-jar.ts'
import { SessionError } from './errors.ts'
import type { Events } from './events.ts'

/** What a visit needs of the sessions it belongs to. */
export interface VisitContext extends CookieContext {
  readonly carrier: Carrier
  readonly events: Events
  /** Whether mistakes are reported on the console: not in production. */
  readonly warns: boolean
  /** Whether a visitor is served without a session while the store is down. */
  readonly anonymousOnError: boolean
}

/** Whether the visitor is served without a session instead of hearing of this error. */
export function isTolerable({ anonymousOnError }: VisitContext, error: unknown): boolean {
  return anonymousOnError && error instanceof SessionError && error.code === 'ERR_SESSION_STORE'
}
