import type { Awaitable } from './awaitable.ts'
import type { Batch, Committed, Job } from './commit-job.ts'

/** So long waits a commit, in milliseconds, for another request's write to end before it takes its place. */
const PATIENCE = 10_000

/**
 * Lets one write of a session run at a time: while one is under way the commits of other requests gather, and the next
 * write carries them all.
 */
export class CommitQueue {
  /** The commits waiting for the write under way, by key. No entry: no write under way. */
  readonly #waiting = new Map<string, Job[]>()
  readonly #write: (batch: Batch) => Promise<void> | undefined
  readonly #lost: (batch: Batch) => void

  /**
   * @param write - Settles all jobs of the batch; it neither throws nor rejects.
   * @param lost - Told that a write may never end, before another one carries its jobs.
   */
  constructor(write: (batch: Batch) => Promise<void> | undefined, lost: (batch: Batch) => void) {
    this.#write = write
    this.#lost = lost
  }

  /** Answers once a write has carried the job: at once, when none is under way and this one is done at once. */
  add(key: string, job: Job): Awaitable<Committed | undefined> {
    const waiting = this.#waiting.get(key)
    if (waiting) {
      waiting.push(job)
      void this.#wait(key, waiting, job)
      return job.answer()
    }
    const written = this.#write(batchOf(key, [job]))
    if (!written) return job.answer()
    const others: Job[] = []
    this.#waiting.set(key, others)
    return written.then(this.#written.bind(this, key, others, job))
  }

  /** The job's own write is over: it is settled, unless another request has taken it over meanwhile. */
  #written(key: string, others: Job[], job: Job): Awaitable<Committed | undefined> {
    this.#done(key, others)
    return job.answer()
  }

  /** Lets the write under way carry those that wait for it, too. */
  join(batch: Batch): void {
    for (const job of this.#waiting.get(batch.key)?.splice(0) ?? []) {
      batch.jobs.push(job)
      carry(job, batch)
    }
  }

  /**
   * Waits until another write has carried the job, or until it is its turn to carry those that wait. Each write is made by
   * a request that still wants it, and each waiting request has a timer of its own: some runtimes end what a request has
   * begun together with the request, and refuse a request that waits for nothing of its own.
   */
  async #wait(key: string, waiting: Job[], job: Job): Promise<void> {
    while (!job.isSettled) {
      const { batch } = job
      let timer: ReturnType<typeof setTimeout> | undefined
      await new Promise<void>((goOn) => {
        timer = setTimeout(goOn, PATIENCE)
        job.wake = goOn
      })
      clearTimeout(timer)
      if (!job.isSettled && batch && job.batch === batch) this.#takeBack(batch, waiting)
      if (waiting.includes(job)) {
        await this.#run(key, waiting)
        return
      }
    }
  }

  /** From a request that has been ended, perhaps, as it wrote for these, too. */
  #takeBack(batch: Batch, waiting: Job[]): void {
    this.#lost(batch)
    const jobs = batch.jobs.splice(0)
    for (const job of jobs) job.batch = undefined
    waiting.unshift(...jobs)
  }

  /** Writes for all that wait. */
  async #run(key: string, waiting: Job[]): Promise<void> {
    await this.#write(batchOf(key, waiting.splice(0)))
    this.#done(key, waiting)
  }

  /** Leaves those that came meanwhile to the first of them. */
  #done(key: string, waiting: Job[]): void {
    if (waiting[0]) waiting[0].wake()
    else if (this.#waiting.get(key) === waiting) this.#waiting.delete(key)
  }
}

function batchOf(key: string, jobs: Job[]): Batch {
  const batch: Batch = { key, jobs, conflicts: 0, sent: undefined }
  for (let i = 0; i < jobs.length; i++) carry(jobs[i] as Job, batch)
  return batch
}

function carry(job: Job, batch: Batch): void {
  job.batch = batch
  // Its patience begins anew.
  job.wake()
}
