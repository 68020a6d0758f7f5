import { AT_ONCE, type StoreAtOnce, type VerbsAtOnce } from '../at-once.ts'
import { checkClock, known, oneOf } from '../check-options.ts'
import { type Duration, milliseconds } from '../duration.ts'
import type {
  CloseableStore,
  Entry,
  KeyedEntry,
  PurgeableStore,
  StoredEntry,
  UpdateResult,
  UserIndexedStore,
  Version,
} from '../store.ts'
import { Checkpoints } from './sqlite-checkpoints.ts'
import {
  checkedDatabase,
  isBusy,
  isMissingTable,
  messageOf,
  type OwnDatabase,
  openDatabase,
  type SqliteDatabase,
} from './sqlite-database.ts'
import { keyColumn, keyOf } from './sqlite-key.ts'
import { SqliteReads } from './sqlite-reads.ts'
import {
  bytesIfNul,
  type KeyedRow,
  prepare,
  type Row,
  type RowList,
  type Statements,
  sqliteSchema,
  stored,
} from './sqlite-table.ts'
import { SqliteWriter } from './sqlite-writer.ts'

export type { SqliteDatabase, SqliteStatement, SqliteValue } from './sqlite-database.ts'
export { sqliteSchema } from './sqlite-table.ts'

/** What {@link sqliteStore} may be told. */
export interface SqliteStoreOptions {
  /** The table, made when it is missing. @defaultValue `'sessions'` */
  table?: string
  /** How long a call waits, without blocking anything, while another process writes. @defaultValue `'5s'` */
  busyTimeout?: Duration
  /**
   * What a power loss may take: with `'normal'` the last moments, with `'full'` nothing that was answered, for a sync of
   * the disk with each batch of writes. A crash of the process takes nothing in either case.
   * @defaultValue `'normal'` for a path; a database that was passed in keeps its setting
   */
  synchronous?: 'normal' | 'full'
  /** The current instant in milliseconds since 1970; for tests. @defaultValue `Date.now` */
  clock?: () => number
}

/** The store that {@link sqliteStore} makes. */
export interface SqliteStore extends PurgeableStore, UserIndexedStore, CloseableStore {}

/**
 * Keeps sessions in a SQLite database, which several processes may share.
 *
 * A path is opened with the SQLite of Node.js or Bun, else with an installed better-sqlite3 or libsql, in WAL mode; a
 * database of any of these drivers is used as it is, and left open by `close()`.
 */
export function sqliteStore(
  pathOrDatabase: string | SqliteDatabase,
  options: SqliteStoreOptions = {},
): SqliteStore {
  known(options, ['table', 'busyTimeout', 'synchronous', 'clock'], 'sqliteStore')
  const { table = 'sessions', busyTimeout = '5s', synchronous, clock = Date.now } = options
  if (typeof table !== 'string' || !/^[^\0]+$/.test(table))
    throw new TypeError('"table" must be the name of a table')
  oneOf(synchronous, [undefined, 'normal', 'full'], 'synchronous')
  checkClock(clock)
  const patience = milliseconds(busyTimeout, 'busyTimeout')
  if (typeof pathOrDatabase === 'string' && pathOrDatabase !== '') {
    const own = openDatabase(pathOrDatabase, synchronous ?? 'normal')
    return new Sqlite({ database: own, own, name: `"${pathOrDatabase}"`, table, patience, clock })
  }
  const database = checkedDatabase(pathOrDatabase)
  if (synchronous) database.exec(`PRAGMA synchronous = ${synchronous}`)
  return new Sqlite({ database, own: undefined, name: 'the database', table, patience, clock })
}

/** So few rows at once keep the event loop free for others while many are purged: they take less than half a millisecond. */
const PURGE_SLICE = 20

interface Setup {
  database: SqliteDatabase
  own: OwnDatabase | undefined
  name: string
  table: string
  patience: number
  clock: () => number
}

class Sqlite implements SqliteStore, StoreAtOnce {
  readonly #setup: Setup
  readonly #clock: () => number
  readonly #reads: SqliteReads
  readonly #writer: SqliteWriter
  readonly #checkpoints: Checkpoints | undefined
  #prepared: Statements | undefined
  #closing: Promise<void> | undefined
  #closed = false

  constructor(setup: Setup) {
    this.#setup = setup
    this.#clock = setup.clock
    const { database, own, patience } = setup
    this.#reads = new SqliteReads(database, own !== undefined, patience, this.#explain)
    this.#writer = new SqliteWriter(database, patience, this.#explain, this.#reads.end, (writes) =>
      this.#checkpoints?.wrote(writes),
    )
    this.#checkpoints = own && Checkpoints.of(own, this.#writer.hold)
  }

  /** Reads need no transaction. Writes travel together, once a turn of the event loop. */
  get [AT_ONCE](): VerbsAtOnce | undefined {
    return this.read === Sqlite.prototype.read
      ? { read: (key) => this.#reads.together(() => this.#read(key)) }
      : undefined
  }

  read(key: string): Promise<StoredEntry | undefined> {
    return this.#reads.patiently(() => this.#reads.together(() => this.#read(key)), undefined)
  }

  ofUser(userId: string): Promise<KeyedEntry[]> {
    return this.#reads.patiently(() => this.#ofUser(userId), [])
  }

  create(key: string, { value, userId, expiresAt }: Entry): Promise<Version | undefined> {
    return this.#write(() => {
      // Not 1: a late update of an entry that is gone must not fit a new one under the same key.
      const version = Math.floor(Math.random() * 2 ** 23)
      const { create, purge } = this.#statements()
      const { changes } = create.run(
        version,
        keyColumn(key),
        bytesIfNul(value),
        bytesIfNul(userId),
        expiresAt,
        this.#clock(),
      )
      if (!changes) return undefined
      purge.enter(expiresAt)
      return version
    })
  }

  update(key: string, entry: Entry, version: Version): Promise<UpdateResult | undefined> {
    const { expiresAt } = entry
    return this.#write(() => {
      const { update, replace, purge } = this.#statements()
      const [value, user] = [bytesIfNul(entry.value), bytesIfNul(entry.userId)]
      const replaced = { version: Number(version) + 1 }
      const column = keyColumn(key)
      if (update.run(expiresAt, value, column, version, this.#clock(), expiresAt, user).changes)
        return replaced
      const current = this.#read(key)
      if (current?.version !== version) return current && { current }
      // It is somebody else's now, or is to live less long.
      replace.run(expiresAt, value, user, column)
      purge.enterAgain(column)
      return replaced
    })
  }

  async delete(key: string): Promise<void> {
    await this.#write(() => this.#statements().delete.run(1, keyColumn(key)))
  }

  async purge(limit: number): Promise<number> {
    let removed = 0
    let isDue = false
    // Mostly nothing has expired, and a transaction costs ten times as much as to see that.
    while (removed < limit && (isDue || (await this.#reads.patiently(this.#isDue, false)))) {
      const slice = Math.min(PURGE_SLICE, limit - removed)
      const taken = await this.#write(() => this.#statements().purge.take(this.#clock(), slice))
      removed += taken.removed
      if (taken.seen < slice) break
      isDue = true
      await this.#checkpoints?.after(slice)
    }
    return removed
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    await this.#writer.idle()
    await this.#checkpoints?.close()
    this.#reads.end()
    this.#closed = true
    this.#prepared = undefined
    this.#setup.own?.close()
  }

  #read(key: string): StoredEntry | undefined {
    const row = this.#statements().read.get(this.#clock(), keyColumn(key)) as Row | RowList | null | undefined
    return row ? stored(row) : undefined
  }

  #ofUser(userId: string): KeyedEntry[] {
    const rows = this.#statements().ofUser.all(this.#clock(), bytesIfNul(userId)) as KeyedRow[]
    return rows.flatMap((row) => {
      const entry = stored(row)
      return entry ? { key: keyOf(row.key), ...entry } : []
    })
  }

  readonly #isDue = (): boolean => this.#statements().purge.isDue(this.#clock())

  #write<T>(work: () => T): Promise<T> {
    if (this.#closing !== undefined) return Promise.reject(closed())
    return this.#writer.write(() => {
      try {
        return work()
      } catch (error) {
        if (!isMissingTable(error)) throw error
        this.#setup.database.exec(sqliteSchema(this.#setup.table))
        return work()
      }
    })
  }

  #statements(): Statements {
    if (this.#prepared) return this.#prepared
    if (this.#closed) throw closed()
    this.#prepared = prepare(this.#setup.database, this.#setup.table)
    return this.#prepared
  }

  readonly #explain = (cause: unknown): Error => {
    const { name, patience } = this.#setup
    const reason = isBusy(cause) ? `stayed locked by another connection for ${patience} ms` : messageOf(cause)
    return new Error(`SQLite failed on ${name}: ${reason}`, { cause })
  }
}

function closed(): Error {
  return new Error('The SQLite store is closed')
}
