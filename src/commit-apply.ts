import type { Attempts } from './attempts.ts'
import { NOBODY, type StaleObserver } from './change.ts'
import type { Job } from './commit-job.ts'
import type { Journal } from './journal.ts'
import type { Loaded } from './loaded.ts'
import type { DraftRecord, SessionRecord } from './record.ts'

/** The session after these journals: a record that nobody else has. */
export function applyJournals(
  journals: readonly Journal[],
  record: SessionRecord,
  key: string,
  observer: StaleObserver = NOBODY,
): DraftRecord {
  let draft: DraftRecord | undefined
  for (let i = 0; i < journals.length; i++)
    draft = (journals[i] as Journal).applyTo(draft ?? record, key, observer)
  return draft ?? { ...record }
}

/**
 * The session after all jobs in turn: a record that nobody else has, but for the job that made it. A job that came too late,
 * or whose own function throws, changes nothing. It hears of that when the write has succeeded: what it met was perhaps a
 * change of another job that is never stored.
 */
export function applyJobs(jobs: readonly Job[], key: string, base: Loaded, attempts: Attempts): DraftRecord {
  let draft: DraftRecord | undefined
  for (let i = 0; i < jobs.length; i++) {
    const made = apply(jobs[i] as Job, key, base, draft ?? base.record, attempts)
    if (made) draft = made
  }
  return draft ?? { ...base.record }
}

/** Tells the job what becomes of it, and answers the record that it makes of this one; `undefined` where it makes none. */
function apply(
  job: Job,
  key: string,
  base: Loaded,
  record: SessionRecord,
  attempts: Attempts,
): DraftRecord | undefined {
  try {
    const left = attempts.notHeld(job.journals, base)
    if (comesTooLate(record, job, left)) {
      job.fate = 'late'
      return undefined
    }
    if (left.length === 0 && job.journals.length > 0) {
      job.fate = 'held'
      job.view = base.record
      return undefined
    }
    const draft = applyJournals(left, record, key, job)
    job.fate = 'written'
    job.view = draft
    return draft
  } catch (error) {
    job.fate = 'failed'
    job.error = error
    return undefined
  }
}

/**
 * Whether a request's session has ended, although the entry is still there: another user has signed in meanwhile, whom
 * its changes must not reach; or it changes the id, and another request, which may be somebody else's who knows the old
 * one, has changed it first. A sign-in is never too late: it proves whose session it is.
 * @param left - those of its journals that are not stored yet
 */
function comesTooLate(record: SessionRecord, { userId, journals }: Job, left: readonly Journal[]): boolean {
  if (left.length === 0) return false
  let isLate = false
  let canRotate = false
  for (let i = 0; i < journals.length; i++) {
    const journal = journals[i] as Journal
    if (journal.login) return false
    if (journal.rotation) isLate = true
    canRotate ||= journal.canRotate(record)
  }
  return (isLate && !canRotate) || (userId !== undefined && record.userId !== userId)
}
