import type { Duration } from '../../src/index.ts'
import type { StoreSource } from './source.ts'

/** What one process of the four has to do. */
export interface Job {
  name: string
  source: StoreSource
  storeTimeout: Duration
  /** Milliseconds between two updates of one session. */
  pace: number
  /** The ids of the session that all processes share, and of its own. */
  ids: Record<'shared' | 'own', string>
  /** What each of them holds, so that a wrong one is noticed. */
  whose: Record<'shared' | 'own', string>
  /** What no error may tell, by what it is: in its messages, or when the whole of it is printed. */
  secrets: Record<'messages' | 'logs', Record<string, string>>
}

/** What became of one update. */
export interface Attempt {
  of: 'shared' | 'own'
  number: number
  ms: number
  /**
   * `acknowledged`: `save()` resolved. `unknown`: the store failed at the write, and the second `save()` did not help. `refused`: it failed before the write,
   * or the core says that nothing was written. `gone`: there is no such session. `wrong`: it is somebody else's.
   */
  outcome: 'acknowledged' | 'unknown' | 'refused' | 'gone' | 'wrong'
  failure?: Failure
}

/** An error, as far as it may be told. */
export interface Failure {
  /** The code of a SessionError; any other error has none. */
  code: string | undefined
  /** Its name and message, and those of its causes. */
  chain: string[]
  leaks: string[]
}
