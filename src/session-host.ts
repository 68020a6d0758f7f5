import type { SessionRecord } from './record.ts'
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

/** What a session shows: a stored one, or one that is not stored yet. */
export interface SessionState {
  readonly handle: string
  readonly record: SessionRecord
  /** The hash of the secret that the visitor came with; `undefined` while nothing is stored. */
  readonly secretHash: string | undefined
  /** `undefined` while nothing is stored. */
  readonly expiresAt: number | undefined
}
