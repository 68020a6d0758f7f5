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
import type { StoredEntry, UpdateResult } from './store.ts'

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
    (key, batch) => this.#carry(key, batch),
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

  #carry(key: string, batch: Batch): Promise<void> | undefined {
    try {
      return this.#write(key, batch)
    } catch (error) {
      return this.#failed(key, batch, error)
    }
  }

  #failed(key: string, { jobs }: Batch, error: unknown): undefined {
    this.recent.forget(key)
    for (const job of jobs) job.reject(error)
  }

  /** What was sent may be stored, or may still be: the next write of these finds it out. */
  #lost({ jobs, sent }: Batch): void {
    if (!sent) return
    for (const job of jobs) job.base = sent.base
    this.#noteAttempt(jobs, sent)
  }

  #write(key: string, batch: Batch): Promise<void> | undefined {
    const base = this.#newest(key, batch.jobs)
    if (this.#isExtended(base, batch.jobs)) return this.#overtaken(batch.jobs)
    const newer = this.#writeOn(base, key, batch)
    return newer && this.#writtenLater(newer, key, batch)
  }

  #writtenLater(newer: Promise<Loaded | undefined>, key: string, batch: Batch): Promise<void> {
    return newer.then(
      (base) => base && this.#replay(base, key, batch),
      (error) => this.#failed(key, batch, error),
    )
  }

  /** Tries again, on the newer state that another process has written first, until no other one is. */
  async #replay(first: Loaded, key: string, batch: Batch): Promise<void> {
    try {
      let base: Loaded | undefined = first
      for (let attempt = 1; base; attempt++) {
        if (attempt === MAX_ATTEMPTS) throw conflict()
        this.#context.events.emit('conflict', { handle: key, attempt })
        await pause(attempt)
        this.#queue.join(key, batch)
        base = await this.#writeOn(base, key, batch)
      }
    } catch (error) {
      this.#failed(key, batch, error)
    }
  }

  /** Settles the jobs, at once or later; or answers the newer state that another process has written first. */
  #writeOn(base: Loaded, key: string, batch: Batch): Promise<Loaded | undefined> | undefined {
    const { jobs } = batch
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
      ? result.then(
          this.#answered.bind(this, key, batch, sent),
          this.#notAnswered.bind(this, batch.jobs, sent),
        )
      : this.#answered(key, batch, sent, result)
  }

  #notAnswered(batch: readonly Job[], sent: Sent, error: unknown): never {
    this.#noteAttempt(batch, sent)
    throw error
  }

  #answered(
    key: string,
    batch: Batch,
    sent: Sent,
    result: UpdateResult | undefined,
  ): Promise<Loaded | undefined> | undefined {
    batch.sent = undefined
    if (!result) return this.#ended(key, batch.jobs)
    if ('current' in result) return this.#overtakenBy(result.current, key, sent, batch.jobs)
    const { record, entry } = sent
    const { value, expiresAt } = entry
    const { version } = result
    return this.#stored(key, batch.jobs, { record, value, version, expiresAt, at: ++this.#counter })
  }

  async #overtakenBy(
    entry: StoredEntry,
    key: string,
    { base, record }: Sent,
    jobs: Job[],
  ): Promise<Loaded | undefined> {
    if (jobs.every(extendsOnly)) return this.#overtaken(jobs)
    const current = await this.#decode(key, entry, base, jobs)
    if (!current) return this.#ended(key, jobs)
    // The client of the store has sent it twice, as some do when they had to connect again.
    if (current.record.mark === record.mark) return this.#stored(key, jobs, current)
    return current
  }

  #noteAttempt(batch: readonly Job[], { record, base }: Sent): void {
    for (const { fate, journals } of batch) {
      if (fate === 'written' || fate === 'held') this.attempts.note(journals, record.mark, base.version)
    }
  }

  #newest(key: string, batch: readonly Job[]): Loaded {
    let newest = this.recent.get(key)
    // What was read since the write may be newer still.
    for (let i = 0; i < batch.length; i++) {
      const { base } = batch[i] as Job
      if (!newest || base.at >= newest.at) newest = base
    }
    return newest as Loaded
  }

  /** The state that another process wrote; `undefined` when it is none that this one can go on from. */
  async #decode(
    key: string,
    current: StoredEntry,
    base: Loaded,
    batch: readonly Job[],
  ): Promise<Loaded | undefined> {
    // The data key of the base is of no use when it was made to seal the session for the first time and another process
    // was first with one of its own; the secrets are none when that process has changed the id.
    const opener = { secrets: batch.map((job) => job.secret), dataKey: base.record.dataKey }
    const record = await this.#context.open(key, current, opener)
    if (!record || record.closed) return undefined
    const { value, version, expiresAt } = current
    return { record, value, version, expiresAt, at: ++this.#counter }
  }

  #stored(key: string, batch: readonly Job[], stored: Loaded): undefined {
    this.recent.written(key, stored)
    settle(batch, stored)
  }

  #ended(key: string, batch: Job[]): undefined {
    this.recent.forget(key)
    for (const job of batch) job.resolve(undefined)
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
