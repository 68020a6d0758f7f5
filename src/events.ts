/** What observers may hear of. No event carries an id, a cookie or data: a handle opens nothing. */
export interface SessionEvents {
  /** A session was stored for the first time. */
  created: { handle: string; userId: string | undefined }
  /** A session that was only read had its life extended. */
  renewed: { handle: string }
  /** A session got a new id: `regenerateId()` or `login()`. */
  rotated: { handle: string; userId: string | undefined }
  /** A session was ended by its holder (`destroyed`) or from outside (`revoked`). */
  ended: { handle: string; reason: 'destroyed' | 'revoked' }
  /** Another process changed a session first, so the changes were replayed. */
  conflict: { handle: string; attempt: number }
  /** A request's changes were dropped: its session had ended meanwhile, or their cookie could not be sent any more. */
  discarded: { handle: string }
  /** A call of the store failed or timed out. */
  storeError: { operation: string; error: Error }
}

export type SessionEventName = keyof SessionEvents

/**
 * A listener is called synchronously, after the fact. What it throws, or what its promise rejects with, is reported on the
 * console and stops nothing.
 */
export type SessionListener<Name extends SessionEventName> = (event: SessionEvents[Name]) => void

export class Events {
  readonly #listeners = new Map<SessionEventName, Set<(event: never) => void>>()

  /** Calls the listener at each such event, until the function that is answered is called. */
  on<Name extends SessionEventName>(name: Name, listener: SessionListener<Name>): () => void {
    const listeners = this.#listeners.get(name) ?? new Set()
    this.#listeners.set(name, listeners.add(listener))
    return () => void listeners.delete(listener)
  }

  emit<Name extends SessionEventName>(name: Name, event: SessionEvents[Name]): void {
    const listeners = this.#listeners.get(name)
    if (!listeners) return
    const report = console.error.bind(console, `sojourn: a listener of "${name}" threw`)
    // A copy: a listener may subscribe another one, whose turn is the next event.
    for (const listener of [...listeners] as SessionListener<Name>[]) {
      try {
        const answer: unknown = listener(event)
        // An async function fits the type, and its rejection would end the process.
        if (answer instanceof Promise) answer.catch(report)
      } catch (error) {
        report(error)
      }
    }
  }
}
