import type { Outcome } from './outcome.ts'
import type { Session } from './session.ts'

/** One request's use of a session: what an adapter holds. */
export interface Visit<Data extends object = Record<string, unknown>> {
  /** The session: loaded on the first call, once, and the same live object on each later one. */
  session(): Promise<Session<Data>>
  /** Whether `commit()` has anything to do: changes to save, saves under way to wait for, or a life to extend. */
  readonly dirty: boolean
  /**
   * Saves what the request changed; answers nothing where that is done when it returns. Changes of a session that has
   * ended meanwhile are dropped.
   * @throws SessionError when they could not be saved; the response must then be an error. It carries no cookie but that
   * of what an earlier `save()` has stored.
   */
  commit(): Promise<void> | undefined
  /** What the response has to carry, as of the commits so far. */
  readonly outcome: Outcome
  /**
   * Tells the visit that the response's headers have left. From now on a change that would need a cookie throws
   * `ERR_SESSION_HEADERS_SENT`, and others are saved by themselves soon after they are made.
   */
  headersSent(): void
}

/** The request, as far as the session's cookie goes. */
export interface VisitRequest {
  /** The `Cookie` header, as it came. */
  cookie: string | undefined
  /** Whether the request came by https. */
  secure: boolean
}
