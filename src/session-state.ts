import type { SessionRecord } from './record.ts'

/** What a session shows: a stored one, or one that is not stored yet. */
export interface SessionState {
  readonly handle: string
  readonly record: SessionRecord
  /** The hash of the secret that the visitor came with; `undefined` while nothing is stored. */
  readonly secretHash: string | undefined
  /** `undefined` while nothing is stored. */
  readonly expiresAt: number | undefined
}
