import type { SessionState } from './session-state.ts'
import type { VisitContext } from './visit-context.ts'

/** What a session asks of the visit it belongs to. */
export interface SessionHost {
  readonly context: VisitContext
  /** Told before each change; throws when the change would need a cookie and the headers have left. */
  beforeChange(needsCookie: boolean): void
  /** Told that the session was ended by its holder; answers the blank session that follows. */
  destroyed(): SessionState
  save(): Promise<void>
}
