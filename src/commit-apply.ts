import type { Attempts } from './attempts.ts'
import { type Fate, type Job, LATE } from './commit-job.ts'
import type { Journal } from './journal.ts'
import type { Loaded } from './loaded.ts'
import type { SessionRecord } from './record.ts'

/**
 * The session after all jobs in turn. One that came too late, or whose own function throws, changes nothing. It hears of
 * that when the write has succeeded: what it met was perhaps a change of another job that is never stored.
 * @param onStale - Told each key whose set overwrites an unseen change; throws where that is an error.
 */
export function applyJobs(
  jobs: readonly Job[],
  key: string,
  base: Loaded,
  attempts: Attempts,
  onStale: (name: string) => void,
): SessionRecord {
  let { record } = base
  for (const job of jobs) {
    job.fate = fateOf(job, key, base, record, attempts, onStale)
    if ('view' in job.fate && !job.fate.isStored) record = job.fate.view
  }
  return record
}

function fateOf(
  job: Job,
  key: string,
  base: Loaded,
  record: SessionRecord,
  attempts: Attempts,
  onStale: (name: string) => void,
): Fate {
  try {
    const journals = attempts.notHeld(job.journals, base)
    if (comesTooLate(record, job, journals)) return LATE
    if (journals.length === 0 && job.journals.length > 0) return { view: base.record, isStored: true }
    const tell = (name: string): void => {
      job.stale ??= new Set()
      if (!job.stale.has(name)) onStale(name)
      job.stale.add(name)
    }
    let view = record
    for (const journal of journals) view = journal.applyTo(view, key, tell)
    return { view, isStored: false }
  } catch (error) {
    return { error }
  }
}

/**
 * Whether a request's session has ended, although the entry is still there: another user has signed in meanwhile, whom
 * its changes must not reach; or it changes the id, and another request, which may be somebody else's who knows the old
 * one, has changed it first. A sign-in is never too late: it proves whose session it is.
 * @param left - those of its journals that are not stored yet
 */
function comesTooLate(record: SessionRecord, { userId, journals }: Job, left: readonly Journal[]): boolean {
  if (left.length === 0 || journals.some((journal) => journal.login)) return false
  if (userId !== undefined && record.userId !== userId) return true
  const rotates = journals.some(({ rotation }) => rotation)
  return rotates && !journals.some((journal) => journal.canRotate(record))
}
