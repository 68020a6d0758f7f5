import { type Awaitable, after } from './awaitable.ts'
import { type Batch, type Changes, type Committed, Job } from './commit-job.ts'

/** So long waits a commit, in milliseconds, for another request's write to end before it takes its place. */
const PATIENCE = 10_000

/**
 * Lets one write of a session run at a time: while one is under way the commits of other requests gather, and the next
 * write carries them all.
 */
export class CommitQueue {
  /** The commits waiting for the write under way, by key. No entry: no write under way. */
  readonly #waiting = new Map<string, Job[]>()
  readonly #write: (key: string, batch: Batch) => Awaitable<void>
  readonly #lost: (batch: Batch) => void

  /**
   * @param write - Settles all jobs of the batch; it neither throws nor rejects.
   * @param lost - Told that a write may never end, before another one carries its jobs.
   */
  constructor(write: (key: string, batch: Batch) => Awaitable<void>, lost: (batch: Batch) => void) {
    this.#write = write
    this.#lost = lost
  }

  /** Answers once a write has carried the changes: at once, when none is under way and this one is done at once. */
  add(key: string, changes: Changes): Awaitable<Committed | undefined> {
    const job = new Job(changes)
    const waiting = this.#waiting.get(key)
    if (waiting) {
      waiting.push(job)
      void this.#wait(key, waiting, job)
    } else {
      const first = [job]
      this.#waiting.set(key, first)
      void this.#run(key, first)
    }
    return job.answer()
  }

  /** Lets the write under way carry those that wait for it, too. */
  join(key: string, batch: Batch): void {
    const waiting = this.#waiting.get(key)
    if (waiting) carry(waiting, batch)
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

  /** Writes for all that wait, and leaves those that came meanwhile to the first of them. */
  #run(key: string, waiting: Job[]): Awaitable<void> {
    const batch: Batch = { jobs: [], sent: undefined }
    carry(waiting, batch)
    return after(this.#write(key, batch), () => {
      if (waiting[0]) waiting[0].wake()
      else if (this.#waiting.get(key) === waiting) this.#waiting.delete(key)
    })
  }
}

function carry(waiting: Job[], batch: Batch): void {
  for (const job of waiting.splice(0)) {
    job.batch = batch
    batch.jobs.push(job)
    // Its patience begins anew.
    job.wake()
  }
}
