import { known, oneOf } from '../check-options.ts'

/** What adapters with a place for the session beside the request may be told. */
export interface EagerOption {
  /**
   * Loads the session before the handlers run and puts it where the framework keeps things of a request (`session`), at the
   * cost of a store call for each request that comes with the cookie.
   * @defaultValue `false`
   */
  eager?: boolean
}

/** What adapters need to know of a server that does not say itself whether a request came by https. */
export interface ProxyOption {
  /**
   * Whether to believe `X-Forwarded-Proto`, which the proxy in front must then set or remove: anybody can send it.
   * @defaultValue `false`
   */
  trustProxy?: boolean
}

/** @throws TypeError when it is not what `createSessions` answers. */
export function checkSessions(sessions: unknown, adapter: string): void {
  if (typeof sessions === 'object' && sessions !== null && 'open' in sessions && 'attach' in sessions) return
  throw new TypeError(`The first argument of ${adapter}() must be the sessions that createSessions() answers`)
}

/** The option of an adapter, checked. @throws TypeError when there is another one, or the value is wrong. */
export function isEager(options: EagerOption, adapter: string): boolean {
  known(options, ['eager'], adapter)
  return oneOf(options.eager ?? false, [true, false], 'eager')
}
