import { SessionError } from './errors.ts'
import type { Journal } from './journal.ts'
import type { Loaded } from './loaded.ts'
import type { Version } from './store.ts'

interface Attempt {
  /** The marks of the writes that may have happened. */
  readonly marks: Set<string | undefined>
  /** What the last one of them was to replace; `undefined` when it was to create. */
  version: Version | undefined
}

/**
 * The writes that a store failed to answer: the connection was cut, or it took too long. Such a write may have happened,
 * or may even be on its way. Saving again must not apply a function of `update` twice, so it is found out: by the mark
 * that each write leaves in the session, and by the version that it was to replace.
 */
export class Attempts {
  // Made when first needed, which is seldom.
  #attempts: WeakMap<Journal, Attempt> | undefined

  /** Notes that these journals were part of a write that was not answered. */
  note(journals: readonly Journal[], mark: string | undefined, version: Version | undefined): void {
    this.#attempts ??= new WeakMap()
    for (const journal of journals) {
      const marks = this.#attempts.get(journal)?.marks ?? new Set()
      this.#attempts.set(journal, { marks: marks.add(mark), version })
    }
  }

  /**
   * Those of the journals that the session does not hold yet.
   * @throws SessionError `ERR_SESSION_CONFLICT` when that cannot be known any more, and doing it twice would not do.
   */
  notHeld(journals: readonly Journal[], base: Loaded): readonly Journal[] {
    return this.#attempts ? journals.filter(this.#isLeft.bind(this, base)) : journals
  }

  /** Whether the session does not hold what the journal did, from a write that was not answered. */
  #isLeft(base: Loaded, journal: Journal): boolean {
    const attempt = this.#attempts?.get(journal)
    if (!attempt) return true
    if (attempt.marks.has(base.record.mark)) return false
    // Nothing has replaced that version, so the write did not either; and once this one has, it no longer can.
    if (attempt.version === base.version || journal.isRepeatable) return true
    throw new SessionError(
      'ERR_SESSION_CONFLICT',
      'Nobody knows whether the update is stored: the store did not answer, and another process has changed the session since. Nothing was written this time',
    )
  }
}
