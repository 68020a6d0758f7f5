import { closeSync, mkdirSync, openSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname } from 'node:path'

/** What a statement takes. Nothing else is taken alike by all drivers. */
export type SqliteValue = string | number | bigint | null | Uint8Array

/** What is used of a driver's prepared statement. */
export interface SqliteStatement {
  run(...values: SqliteValue[]): { changes: number | bigint }
  get(...values: SqliteValue[]): unknown
  all(...values: SqliteValue[]): unknown[]
}

/** What is used of a database of better-sqlite3, libsql, `node:sqlite` or `bun:sqlite`. */
export interface SqliteDatabase {
  prepare(sql: string): SqliteStatement
  exec(sql: string): unknown
}

/** A database that the store opened itself, and closes. */
export interface OwnDatabase extends SqliteDatabase {
  close(): unknown
}

type DatabaseClass = new (path: string) => OwnDatabase

/**
 * How long, in milliseconds, SQLite itself may wait for a lock, which blocks the event loop: when the file is opened, and
 * later. The later value is the length of a commit or two: nearly all waits end within it, and no visitor notices it.
 * Longer waits are the writer's, which blocks nothing.
 */
const BLOCKING = { opening: 1000, open: 5 }

/** Opens a database file with the best driver there is; the file and its folder are made when they are missing. */
export function openDatabase(path: string, synchronous: 'normal' | 'full'): OwnDatabase {
  const Database = findDriver()
  let database: OwnDatabase | undefined
  try {
    if (path !== ':memory:') makeFile(path)
    database = new Database(path)
    database.exec(`PRAGMA busy_timeout = ${BLOCKING.opening}`)
    useWriteAheadLog(database)
    database.exec(`PRAGMA synchronous = ${synchronous}`)
    database.exec(`PRAGMA busy_timeout = ${BLOCKING.open}`)
    return database
  } catch (cause) {
    database?.close()
    throw new Error(`SQLite cannot open "${path}": ${messageOf(cause)}`, { cause })
  }
}

/** What was passed in as a database, when it is one of a driver that answers at once. */
export function checkedDatabase(database: unknown): SqliteDatabase {
  const { prepare, exec } = (database ?? {}) as Partial<SqliteDatabase>
  if (typeof prepare === 'function' && typeof exec === 'function') {
    // The callback drivers have these methods too, but answer nothing at once.
    const row = (database as SqliteDatabase).prepare('SELECT 1 AS one').get() as { one?: unknown } | undefined
    if (row?.one === 1) return database as SqliteDatabase
  }
  throw new TypeError(
    '"pathOrDatabase" must be the path of a file, or an open database of better-sqlite3, libsql, node:sqlite or bun:sqlite',
  )
}

function useWriteAheadLog(database: SqliteDatabase): void {
  try {
    database.exec('PRAGMA journal_mode = WAL')
  } catch (error) {
    // The mode belongs to the file, so it is enough that the one who is in the way sets it.
    if (!isBusy(error)) throw error
  }
}

/** Sessions are nobody else's business: what is made here is for its owner alone. What exists keeps its rights. */
function makeFile(path: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  try {
    closeSync(openSync(path, 'wx', 0o600))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
}

/** The platform's own driver comes first: nothing to install, nothing to compile. */
export function findDriver(): DatabaseClass {
  const require = createRequire(import.meta.url)
  if (process.versions['bun']) return require('bun:sqlite').Database
  const platform = process.getBuiltinModule?.('node:sqlite')
  if (platform) return platform.DatabaseSync
  const driver = (runsBetterSqlite3(require) && load(require, 'better-sqlite3')) || load(require, 'libsql')
  if (driver) return driver
  throw new Error(
    `Node.js ${process.versions.node} has no SQLite of its own: install "libsql" or "better-sqlite3", or use Node.js 22.13 or later`,
  )
}

/** better-sqlite3 13 ends the whole process when Node 20 loads it, so its own word on that is asked for first. */
function runsBetterSqlite3(require: NodeJS.Require): boolean {
  const { engines } = load(require, 'better-sqlite3/package.json') ?? {}
  const [, oldest = '0'] = /^>=\s*(\d+)/.exec(engines?.node ?? '') ?? []
  return Number.parseInt(process.versions.node, 10) >= Number(oldest)
}

// biome-ignore lint/suspicious/noExplicitAny: an optional package, whose types must not be needed
function load(require: NodeJS.Require, name: string): any {
  try {
    return require(name)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'MODULE_NOT_FOUND') return undefined
    throw error
  }
}

/** SQLite's number of an error, without its extended half; 0 when the error is none of SQLite's. */
function codeOf(error: unknown): number {
  const { errcode, rawCode, errno, code } = error as Partial<Record<string, unknown>>
  const number = [errcode, rawCode, errno].find((value) => typeof value === 'number' && value > 0)
  if (number) return (number as number) & 0xff
  if (typeof code !== 'string') return 0
  if (code.startsWith('SQLITE_BUSY')) return 5
  return code.startsWith('SQLITE_LOCKED') ? 6 : 0
}

/** Whether another one holds a lock, so that the same statement may succeed later. */
export function isBusy(error: unknown): boolean {
  const code = codeOf(error)
  return code === 5 || code === 6 || messageOf(error).includes('within a transaction')
}

export function isMissingTable(error: unknown): boolean {
  return messageOf(error).includes('no such table')
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
