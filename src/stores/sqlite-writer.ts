import { isBusy, type SqliteDatabase, type SqliteStatement } from './sqlite-database.ts'

interface Write {
  readonly work: () => unknown
  readonly resolve: (result: never) => void
  readonly reject: (error: unknown) => void
  /** When it was asked for, by the monotonic clock. */
  readonly since: number
}

/** So many writes take about a millisecond. */
const BATCH = 128

/**
 * Carries the writes of one turn of the event loop to the database in one transaction, because the commit is the better
 * part of a write's cost. It also makes one writer of a process, which competes for SQLite's only write lock once a
 * turn and waits for it without stopping the event loop.
 */
export class SqliteWriter {
  readonly #begin: SqliteStatement
  readonly #commit: SqliteStatement
  readonly #rollback: SqliteStatement
  readonly #patience: number
  readonly #explain: (error: unknown) => Error
  readonly #endReads: () => void
  readonly #wrote: (writes: number) => void
  #queue: Write[] = []
  #waiting = false
  #isHeld = false
  #attempts = 0
  /** Whether nothing was written at once in this turn of the event loop. */
  #isFresh = true

  /**
   * @param patience how long, in milliseconds, a write waits for the lock before it fails
   * @param explain makes the error that a failed write rejects with
   * @param endReads ends the transaction of reads, if there is one
   * @param wrote is told how many writes were committed
   */
  constructor(
    database: SqliteDatabase,
    patience: number,
    explain: (error: unknown) => Error,
    endReads: () => void,
    wrote: (writes: number) => void,
  ) {
    this.#begin = database.prepare('BEGIN IMMEDIATE')
    this.#commit = database.prepare('COMMIT')
    this.#rollback = database.prepare('ROLLBACK')
    this.#patience = patience
    this.#explain = explain
    this.#endReads = endReads
    this.#wrote = wrote
  }

  /** Keeps all writes waiting, or lets them go on. */
  readonly hold = (on: boolean): void => {
    this.#isHeld = on
    if (!on && this.#waiting) setImmediate(this.#flush)
  }

  /** Runs synchronous statements inside a transaction, which other writes may share; fails or succeeds alone. */
  write<T>(work: () => T): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.#queue.push({ work, resolve, reject, since: performance.now() })
      if (this.#waiting) return
      this.#waiting = true
      if (this.#isFresh) process.nextTick(this.#gathered)
      else setImmediate(this.#flush)
    })
  }

  /** Resolves when nothing is left to write. */
  async idle(): Promise<void> {
    if (this.#waiting) await this.write(() => undefined).catch(() => undefined)
  }

  /**
   * What was asked for in one go, as by the requests of one turn, is written at once. A lone write waits for the end of the
   * turn, since others may come one by one. At once only once a turn, or who writes without a rest would hold up all else.
   */
  readonly #gathered = (): void => {
    if (this.#queue.length === 1) {
      setImmediate(this.#flush)
      return
    }
    this.#isFresh = false
    setImmediate(this.#refresh)
    this.#flush()
  }

  readonly #refresh = (): void => {
    this.#isFresh = true
  }

  readonly #flush = (): void => {
    if (this.#isHeld || this.#queue.length === 0) return
    this.#endReads()
    const batch = this.#queue.splice(0, BATCH)
    const left = this.#run(batch)
    if (left.length > 0) this.#queue = [...left, ...this.#queue]
    this.#attempts = left.length > 0 ? this.#attempts + 1 : 0
    this.#waiting = this.#queue.length > 0
    if (!this.#waiting) return
    if (left.length === 0) setImmediate(this.#flush)
    else setTimeout(this.#flush, pause(this.#attempts))
  }

  /** Settles the writes but for those that have to wait, since another connection holds the lock: its answer. */
  #run(batch: Write[]): Write[] {
    try {
      this.#begin.run()
    } catch (error) {
      return this.#refuse(batch, error)
    }
    const results: unknown[] = []
    try {
      for (const { work } of batch) results.push(work())
      this.#commit.run()
    } catch (error) {
      this.#abandon()
      // One bad write must not fail its neighbours: each is tried alone, and answers for itself.
      return batch.length > 1 ? batch.flatMap((write) => this.#run([write])) : this.#refuse(batch, error)
    }
    batch.forEach(({ resolve }, index) => {
      resolve(results[index] as never)
    })
    this.#wrote(batch.length)
    return []
  }

  #refuse(batch: Write[], error: unknown): Write[] {
    const busy = isBusy(error)
    const now = performance.now()
    return batch.filter(({ since, reject }) => {
      if (busy && now - since < this.#patience) return true
      reject(this.#explain(error))
      return false
    })
  }

  #abandon(): void {
    try {
      this.#rollback.run()
    } catch {
      // After some errors (a full disk) SQLite has rolled back by itself.
    }
  }
}

/**
 * Waiting times that grow to 9 ms, each with chance in it, so that waiting processes do not wake up together. Nobody queues
 * for SQLite's lock, so who asks seldom is passed over: with 50 ms, one of four busy processes waited up to four seconds.
 */
export function pause(attempt: number): number {
  return 1 + Math.random() * Math.min(2 ** attempt, 8)
}
