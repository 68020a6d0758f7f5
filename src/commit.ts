import type { Verbs } from './at-once.ts'
import { Attempts } from './attempts.ts'
import type { Awaitable } from './awaitable.ts'
import { applyJobs } from './commit-apply.ts'
import {
  type Batch,
  type Committed,
  extendsOnly,
  isToWrite,
  type Job,
  type Sent,
  settle,
} from './commit-job.ts'
import { CommitQueue } from './commit-queue.ts'
import { SessionError } from './errors.ts'
import type { Events } from './events.ts'
import { expiryAfterUse, extensionDue, type Lifetimes } from './lifetime.ts'
import type { Loaded } from './loaded.ts'
import { RecentStates } from './recent-states.ts'
import { encodeRecord, newMark, type Opener, type SessionRecord } from './record.ts'
import type { Entry, StoredEntry, UpdateResult, Version } from './store.ts'

/** What the committer needs of its surroundings. */
export interface CommitContext extends Pick<Verbs, 'update'> {
  readonly lifetimes: Lifetimes
  readonly events: Events
  now(): number
  /** Decodes and checks an entry that another process wrote; `undefined` when it cannot be read. */
  open(key: string, entry: StoredEntry, opener: Opener): Promise<SessionRecord | undefined>
}

// Every lost race means that another process's write succeeded, so many in a row mean a session under siege.
const MAX_ATTEMPTS = 50
const MAX_PAUSE = 50

/**
 * Writes the changes of requests, one write of a session at a time: while one is in flight the commits of other requests
 * gather, and the next write carries them all. So requests of one process never conflict with each other, and 100 of
 * them cost a handful of writes. Between processes the version decides, and the loser replays its journals.
 */
export class Committer {
  readonly #context: CommitContext
  readonly #queue = new CommitQueue(
    (batch) => this.#carry(batch),
    (batch) => this.#lost(batch),
  )
  readonly recent: RecentStates = new RecentStates()
  readonly attempts: Attempts = new Attempts()
  #counter = 0

  constructor(context: CommitContext) {
    this.#context = context
  }

  /** The mark of a state that is about to be loaded. */
  mark(): number {
    return this.#counter
  }

  /**
   * Writes the journals onto the session, whatever others did to it since it was loaded. Answers `undefined` when it has
   * ended: nothing was written.
   */
  commit(key: string, job: Job): Awaitable<Committed | undefined> {
    return this.#queue.add(key, job)
  }

  #carry(batch: Batch): Promise<void> | undefined {
    const { jobs } = batch
    try {
      const base = this.#newest(batch)
      return this.#isExtended(base, jobs) ? this.#overtaken(jobs) : this.#writeOn(base, batch)
    } catch (error) {
      return this.#failed(batch, error)
    }
  }

  #failed({ key, jobs }: Batch, error: unknown): undefined {
    this.recent.forget(key)
    for (const job of jobs) job.reject(error)
  }

  /** What was sent may be stored, or may still be: the next write of these finds it out. */
  #lost({ jobs, sent }: Batch): void {
    if (!sent) return
    for (const job of jobs) job.base = sent.base
    this.#noteAttempt(jobs, sent)
  }

  /** Settles the jobs, at once or later. */
  #writeOn(base: Loaded, batch: Batch): Promise<void> | undefined {
    const { key, jobs } = batch
    const record = applyJobs(jobs, key, base, this.attempts)
    if (!jobs.some(isToWrite)) return settle(jobs, base)
    record.seenAt = this.#context.now()
    record.mark = newMark()
    const expiresAt = expiryAfterUse(record, this.#context.lifetimes, record.seenAt)
    const entry = { value: encodeRecord(record, key), expiresAt, userId: record.userId }
    const sent = { base, record, entry }
    batch.sent = sent
    const result = this.#context.update(key, entry, base.version)
    return result instanceof Promise
      ? result.then(this.#answered.bind(this, batch, sent), this.#notAnswered.bind(this, batch, sent))
      : this.#answered(batch, sent, result)
  }

  #notAnswered(batch: Batch, sent: Sent, error: unknown): undefined {
    this.#noteAttempt(batch.jobs, sent)
    this.#failed(batch, error)
  }

  #answered(batch: Batch, sent: Sent, result: UpdateResult | undefined): Promise<void> | undefined {
    batch.sent = undefined
    if (!result) return this.#ended(batch)
    if ('current' in result) return this.#overtakenBy(result.current, batch, sent)
    return this.#stored(batch, this.#state(sent.record, sent.entry, result.version))
  }

  /** Tries again, on the newer state that another process has written first. */
  async #overtakenBy(entry: StoredEntry, batch: Batch, { base, record }: Sent): Promise<void> {
    const { key, jobs } = batch
    try {
      if (jobs.every(extendsOnly)) return this.#overtaken(jobs)
      // The data key of the base is of no use when it was made to seal the session for the first time and another process
      // was first with one of its own; the secrets are none when that process has changed the id.
      const opener = { secrets: jobs.map((job) => job.secret), dataKey: base.record.dataKey }
      const opened = await this.#context.open(key, entry, opener)
      if (!opened || opened.closed) return this.#ended(batch)
      const current = this.#state(opened, entry, entry.version)
      // The client of the store has sent it twice, as some do when they had to connect again.
      if (opened.mark === record.mark) return this.#stored(batch, current)
      const attempt = ++batch.conflicts
      if (attempt === MAX_ATTEMPTS) throw conflict()
      this.#context.events.emit('conflict', { handle: key, attempt })
      await pause(attempt)
      this.#queue.join(batch)
      await this.#writeOn(current, batch)
    } catch (error) {
      this.#failed(batch, error)
    }
  }

  #noteAttempt(batch: readonly Job[], { record, base }: Sent): void {
    for (const { fate, journals } of batch) {
      if (fate === 'written' || fate === 'held') this.attempts.note(journals, record.mark, base.version)
    }
  }

  #newest({ key, jobs }: Batch): Loaded {
    let newest = this.recent.get(key)
    // What was read since the write may be newer still.
    for (let i = 0; i < jobs.length; i++) {
      const { base } = jobs[i] as Job
      if (!newest || base.at >= newest.at) newest = base
    }
    return newest as Loaded
  }

  #state(record: SessionRecord, { value, expiresAt }: Entry, version: Version): Loaded {
    return { record, value, version, expiresAt, at: ++this.#counter }
  }

  #stored({ key, jobs }: Batch, stored: Loaded): undefined {
    this.recent.written(key, stored)
    settle(jobs, stored)
  }

  #ended({ key, jobs }: Batch): undefined {
    this.recent.forget(key)
    for (const job of jobs) job.resolve(undefined)
  }

  /** Whether all that these jobs want is a longer life, and a request of this process has just given it. */
  #isExtended({ record, expiresAt }: Loaded, batch: readonly Job[]): boolean {
    const { lifetimes, now } = this.#context
    return batch.every(extendsOnly) && !extensionDue(record, expiresAt, lifetimes, now())
  }

  /** Another request's write has extended the session already. */
  #overtaken(batch: Job[]): undefined {
    for (const job of batch) {
      job.view = job.base.record
      job.resolve(job.base)
    }
  }
}

function conflict(): SessionError {
  const message = `Other processes changed the session first, ${MAX_ATTEMPTS} times in a row; nothing was written`
  return new SessionError('ERR_SESSION_CONFLICT', message)
}

/**
 * Random, so that processes that met once do not meet again. The first two replays need no pause. From then on each second
 * one has none: what was read before a pause is old after it, and so the attempt that follows a pause does little but read.
 */
function pause(attempt: number): Promise<void> | undefined {
  if (attempt < 3 || attempt % 2 === 0) return undefined
  return new Promise((resolve) => setTimeout(resolve, Math.random() * Math.min(2 ** attempt, MAX_PAUSE)))
}
