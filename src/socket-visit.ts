import type { Session } from './session.ts'

/**
 * A socket's use of a session, from its handshake until it closes: what `sessions.ofUpgrade` answers. Each message that is
 * acted on asks for the session as it is at that moment.
 */
export interface SocketVisit<Data extends object = Record<string, unknown>> {
  /**
   * The session as it is now, read from the store at each call; `undefined` when it has ended. For one message: its changes are
   * kept by `save()`, and its id cannot change. A `save()` is also what counts as a use of the session, and lengthens its life
   * when that is due.
   * @throws SessionError `ERR_SESSION_STORE` when the store failed.
   */
  session(): Promise<Session<Data> | undefined>
  /**
   * Settles when the session has ended: the visitor signed out or in again, somebody revoked it, its time is over. At once when
   * it happens in this process, else at the next `session()` or within `checkInterval`. Never rejects. Close the socket then.
   */
  readonly ended: Promise<void>
  /** The session's public name. */
  readonly handle: string
  /** Who had signed in at the handshake. It stays so: a sign-in changes the id, and ends this visit. */
  readonly userId: string | undefined
  /**
   * Stops asking the store whether the session is still there: call it when the socket closes. Where the request is one of Node
   * that became the socket, this is done by itself.
   */
  close(): void
}
