import { Worker } from 'node:worker_threads'
import type { SqliteDatabase } from './sqlite-database.ts'

/** A text and no file of its own, which bundlers would have to be told of. */
const THREAD = `
const { parentPort, workerData } = require('node:worker_threads')
const { DatabaseSync } = require('node:sqlite')
const database = new DatabaseSync(workerData)
parentPort.on('message', () => {
  database.exec('PRAGMA wal_checkpoint(PASSIVE)')
  parentPort.postMessage('done')
})`

/** So many rows make ten megabytes of log, when they were all on pages of their own. */
const ROWS = 2000

/** How long the thread is kept when nobody needs it, in milliseconds. */
const REST = 1000

/**
 * Copies what was committed from the write-ahead log to the database, in a thread of its own while there is much of it.
 *
 * SQLite does that by itself in whichever commit makes the log long enough, and that commit then waits for the disk:
 * ten milliseconds and more in which a process that purges would do nothing else.
 */
export class Checkpoints {
  readonly #database: SqliteDatabase
  readonly #path: string
  #thread: Worker | undefined
  #isOver = false
  readonly #waiting: (() => void)[] = []
  #rest: NodeJS.Timeout | undefined
  #rows = 0
  /** After so many pages of log SQLite does it by itself, when nobody says otherwise. */
  #pages = 0

  private constructor(database: SqliteDatabase, path: string) {
    this.#database = database
    this.#path = path
  }

  /** For a database that another thread can open: a file, by the SQLite of Node.js. Else SQLite goes on by itself. */
  static of(database: SqliteDatabase): Checkpoints | undefined {
    const { bun, deno } = process.versions
    if (bun || deno || !process.getBuiltinModule?.('node:sqlite')) return undefined
    const { file } = database.prepare('PRAGMA database_list').get() as { file: string }
    return file === '' ? undefined : new Checkpoints(database, file)
  }

  /** To be waited for after a part of many changes: copies what is in the log, when that is much. */
  async after(rows: number): Promise<void> {
    clearTimeout(this.#rest)
    if (this.#isOver) return
    this.#thread ??= this.#begin()
    this.#rows += rows
    if (this.#rows >= ROWS) await this.#copy(this.#thread)
    // Others may have waited likewise.
    clearTimeout(this.#rest)
    this.#rest = setTimeout(() => void this.#end(), REST).unref()
  }

  async #copy(thread: Worker): Promise<void> {
    this.#rows = 0
    await new Promise<void>((resolve) => {
      this.#waiting.push(resolve)
      // A process that has nothing else to do waits for its purge, and not for the thread after that.
      thread.ref()
      thread.postMessage('copy')
    })
  }

  async #end(): Promise<void> {
    if (this.#thread && this.#rows > 0) await this.#copy(this.#thread)
    await this.#thread?.terminate()
  }

  /** Ends the thread for good; SQLite goes on by itself. */
  async close(): Promise<void> {
    this.#isOver = true
    clearTimeout(this.#rest)
    await this.#thread?.terminate()
  }

  #begin(): Worker {
    const row = this.#database.prepare('PRAGMA wal_autocheckpoint').get()
    this.#pages = Number(Object.values(row as object)[0])
    this.#database.exec('PRAGMA wal_autocheckpoint = 0')
    const thread = new Worker(THREAD, { eval: true, workerData: this.#path, execArgv: [] })
    thread.unref()
    thread.on('message', () => {
      this.#waiting.shift()?.()
      if (this.#waiting.length === 0) thread.unref()
    })
    thread.on('error', () => {
      this.#isOver = true
    })
    thread.on('exit', () => {
      this.#thread = undefined
      this.#database.exec(`PRAGMA wal_autocheckpoint = ${this.#pages}`)
      for (const resolve of this.#waiting.splice(0)) resolve()
    })
    return thread
  }
}
