import { Worker } from 'node:worker_threads'
import type { SqliteDatabase } from './sqlite-database.ts'

/** A text and no file of its own, which bundlers would have to be told of. */
const THREAD = `
const { parentPort, workerData } = require('node:worker_threads')
const { DatabaseSync } = require('node:sqlite')
const database = new DatabaseSync(workerData)
database.exec('PRAGMA busy_timeout = 50')
parentPort.on('message', (mode) => {
  parentPort.postMessage(database.prepare('PRAGMA wal_checkpoint(' + mode + ')').get().log)
})`

/** After so many rows the log is copied; each of them has dirtied a page or two of 4 kB. */
const ROWS = 1000

/** So many rows may be written while it is copied, before who writes has to wait. */
const MANY_MORE = 4000

/** A process that writes that many rows within so many milliseconds gets the thread. */
const BUSY = 5000

/** So many milliseconds it is kept when there is nothing to copy: to start it takes 30 of CPU. */
const REST = 60_000

/** After so many pages the log is begun anew, else it would grow for as long as somebody writes meanwhile. */
const LONG = 4000

/**
 * Copies what was committed from the write-ahead log to the database, in a thread of its own while there is much of it.
 *
 * SQLite does that by itself in whichever commit makes the log long enough, and that commit then waits for the disk:
 * ten milliseconds and more in which the process does nothing else.
 */
export class Checkpoints {
  readonly #database: SqliteDatabase
  readonly #path: string
  readonly #hold: (on: boolean) => void
  #thread: Worker | undefined
  #isOver = false
  #isHolding = false
  #isRestarting = false
  /** Resolves when what is being copied is. */
  #copying: Promise<void> | undefined
  #copied: (() => void) | undefined
  #rest: NodeJS.Timeout | undefined
  #rows = 0
  #since = performance.now()
  /** After so many pages of log SQLite does it by itself, when nobody says otherwise. */
  #pages = 0

  private constructor(database: SqliteDatabase, path: string, hold: (on: boolean) => void) {
    this.#database = database
    this.#path = path
    this.#hold = hold
  }

  /**
   * For a database that another thread can open: a file, by the SQLite of Node.js. Else SQLite goes on by itself.
   * @param hold keeps the writes of this process waiting, and lets them go on
   */
  static of(database: SqliteDatabase, hold: (on: boolean) => void): Checkpoints | undefined {
    const { bun, deno } = process.versions
    if (bun || deno || !process.getBuiltinModule?.('node:sqlite')) return undefined
    const { file } = database.prepare('PRAGMA database_list').get() as { file: string }
    return file === '' ? undefined : new Checkpoints(database, file, hold)
  }

  /** To be told how many rows were written. Copies what is in the log, when that is much. */
  wrote(rows: number): void {
    this.#rows += rows
    if (this.#copying !== undefined && this.#rows >= MANY_MORE) this.#holdBack()
    if (this.#copying !== undefined || this.#rows < ROWS || this.#isOver) return
    if (!this.#thread) {
      const before = this.#since
      this.#since = performance.now()
      this.#rows = 0
      if (this.#since - before < BUSY) this.#begin()
    }
    this.#copy()
  }

  /** To be waited for after a part of many changes: so the log does not grow faster than it is copied. */
  async after(rows: number): Promise<void> {
    if (this.#isOver) return
    if (!this.#thread) this.#begin()
    this.wrote(rows)
    await this.#copying
  }

  #copy(): void {
    const thread = this.#thread
    if (!thread || this.#copying !== undefined) return
    this.#rows = 0
    this.#copying = new Promise((resolve) => {
      this.#copied = resolve
    })
    // A process that has nothing else to do waits for its purge, and not for the thread after that.
    thread.ref()
    thread.postMessage('PASSIVE')
    this.#rest?.refresh()
  }

  /** @param pages how long the log is */
  #answered(pages: number): void {
    if (pages > LONG && !this.#isRestarting) {
      // Only where nothing is written meanwhile it is copied to its end, and begun anew by who writes next.
      this.#isRestarting = true
      this.#holdBack()
      this.#thread?.postMessage('RESTART')
      return
    }
    this.#thread?.unref()
    this.#done()
  }

  #holdBack(): void {
    if (!this.#isHolding) this.#hold(true)
    this.#isHolding = true
  }

  #done(): void {
    this.#isRestarting = false
    if (this.#isHolding) this.#hold(false)
    this.#isHolding = false
    this.#copying = undefined
    this.#copied?.()
  }

  async #end(): Promise<void> {
    if (this.#rows > 0) this.#copy()
    await this.#copying
    await this.#thread?.terminate()
  }

  /** Ends the thread for good; SQLite goes on by itself. */
  async close(): Promise<void> {
    this.#isOver = true
    clearTimeout(this.#rest)
    await this.#thread?.terminate()
  }

  #begin(): void {
    const row = this.#database.prepare('PRAGMA wal_autocheckpoint').get()
    this.#pages = Number(Object.values(row as object)[0])
    let thread: Worker
    try {
      thread = new Worker(THREAD, { eval: true, workerData: this.#path, execArgv: [] })
    } catch {
      // Node.js may be told to allow no threads.
      this.#isOver = true
      return
    }
    this.#thread = thread
    this.#database.exec('PRAGMA wal_autocheckpoint = 0')
    this.#rest = setTimeout(() => void this.#end(), REST).unref()
    thread.unref()
    thread.on('message', (pages) => this.#answered(pages))
    thread.on('error', () => {
      this.#isOver = true
    })
    thread.on('exit', () => {
      this.#thread = undefined
      clearTimeout(this.#rest)
      this.#database.exec(`PRAGMA wal_autocheckpoint = ${this.#pages}`)
      this.#done()
    })
  }
}
