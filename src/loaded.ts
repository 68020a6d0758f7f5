import type { SessionRecord } from './record.ts'
import type { Version } from './store.ts'

/** A session as the store was last known to hold it. */
export interface Loaded {
  readonly record: SessionRecord
  /** The text that the record was read from, or written to. */
  readonly value: string
  readonly version: Version
  readonly expiresAt: number
  /** When that was known, on a counter: tells which of two states of one session is newer. */
  readonly at: number
}
