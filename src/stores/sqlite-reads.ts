import { isBusy, isMissingTable, type SqliteDatabase, type SqliteStatement } from './sqlite-database.ts'
import { pause } from './sqlite-writer.ts'

/**
 * Reads, without waiting for writers.
 *
 * Those that are asked for in one go share a transaction where the connection is the store's own, because each takes a lock
 * of the file and gives it back otherwise, which is a third of its cost.
 */
export class SqliteReads {
  readonly #begin: SqliteStatement
  readonly #commit: SqliteStatement
  readonly #isOwn: boolean
  readonly #patience: number
  readonly #explain: (error: unknown) => Error
  /** How many were asked for in this go: a lone one needs no transaction, so the second one begins it. */
  #asked: 'none' | 'one' | 'several' = 'none'

  /**
   * @param isOwn whether nobody else uses the connection: a transaction belongs to all who do
   * @param patience how long, in milliseconds, a read waits for a lock before it fails
   * @param explain makes the error that a failed read rejects with
   */
  constructor(
    database: SqliteDatabase,
    isOwn: boolean,
    patience: number,
    explain: (error: unknown) => Error,
  ) {
    this.#begin = database.prepare('BEGIN')
    this.#commit = database.prepare('COMMIT')
    this.#isOwn = isOwn
    this.#patience = patience
    this.#explain = explain
  }

  /** Reads together with the others of this go. It sees all that others have written: in one go nothing comes from outside. */
  together<T>(read: () => T): T {
    if (this.#isOwn) this.#join()
    return read()
  }

  /** Reads at once, or when others have let go of the lock. In a table that is missing there is nothing. */
  async patiently<T>(read: () => T, nothing: T): Promise<T> {
    let until: number | undefined
    for (let attempt = 1; ; attempt++) {
      try {
        return read()
      } catch (error) {
        if (isMissingTable(error)) return nothing
        until ??= performance.now() + this.#patience
        if (!isBusy(error) || performance.now() >= until) throw this.#explain(error)
      }
      await new Promise((resolve) => setTimeout(resolve, pause(attempt)))
    }
  }

  /** To be called before anything but reads is done with the connection. */
  readonly end = (): void => {
    const isOpen = this.#asked === 'several'
    this.#asked = 'none'
    if (!isOpen) return
    try {
      this.#commit.run()
    } catch {
      // After some errors SQLite has ended it by itself.
    }
  }

  #join(): void {
    if (this.#asked === 'none') {
      this.#asked = 'one'
      // After those that wait already, as the requests of one turn of the event loop do.
      queueMicrotask(this.end)
    } else if (this.#asked === 'one') {
      this.#begin.run()
      this.#asked = 'several'
    }
  }
}
