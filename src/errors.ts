/** The stable codes of {@link SessionError}. */
export type SessionErrorCode =
  | 'ERR_SESSION_STORE'
  | 'ERR_SESSION_CONFLICT'
  | 'ERR_SESSION_ENDED'
  | 'ERR_SESSION_INVALID'
  | 'ERR_SESSION_NOT_SERIALIZABLE'
  | 'ERR_SESSION_TOO_LARGE'
  | 'ERR_SESSION_HEADERS_SENT'
  | 'ERR_SESSION_MISSING'

/** The HTTP status that fits each code when nobody handles the error; Express and others read `error.status`. */
const STATUS: Readonly<Record<SessionErrorCode, number>> = {
  ERR_SESSION_STORE: 503,
  ERR_SESSION_CONFLICT: 409,
  ERR_SESSION_ENDED: 409,
  ERR_SESSION_INVALID: 500,
  ERR_SESSION_NOT_SERIALIZABLE: 500,
  ERR_SESSION_TOO_LARGE: 500,
  ERR_SESSION_HEADERS_SENT: 500,
  ERR_SESSION_MISSING: 500,
}

/**
 * What the outside world did to a session: the one error class of Sojourn. Misuse that can be seen when something is
 * constructed is a `TypeError` instead. No message contains an id, a cookie or session data.
 */
export class SessionError extends Error {
  override readonly name = 'SessionError'
  /** What happened; stable across versions. */
  readonly code: SessionErrorCode
  /** The HTTP status to answer with when nothing handles the error. */
  readonly status: number

  constructor(code: SessionErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
    this.status = STATUS[code]
  }
}
