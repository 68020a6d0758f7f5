import { checkClock, known } from '../check-options.ts'
import { SessionError } from '../errors.ts'
import type {
  Entry,
  KeyedEntry,
  PurgeableStore,
  StoredEntry,
  UpdateResult,
  UserIndexedStore,
  Version,
} from '../store.ts'
import {
  isDuplicate,
  isMissingTable,
  type MysqlCallbackClient,
  type MysqlClient,
  MysqlConnection,
  type MysqlValue,
  reasonOf,
} from './mysql-client.ts'
import { purgeTable } from './mysql-purge.ts'
import { type MysqlServer, serverOf } from './mysql-server.ts'
import {
  KEY_BYTES,
  mysqlSchema,
  type Row,
  type Statements,
  statements,
  stored,
  tableName,
  text,
} from './mysql-table.ts'
import { minuteOf } from './purge-minute.ts'

export type { MysqlCallbackClient, MysqlClient, MysqlStatement, MysqlValue } from './mysql-client.ts'
export { mysqlSchema } from './mysql-table.ts'

/** What {@link mysqlStore} may be told. */
export interface MysqlStoreOptions {
  /** The table, made when it is missing. @defaultValue `'sessions'` */
  table?: string
  /** The current instant in milliseconds since 1970; for tests. @defaultValue `Date.now` */
  clock?: () => number
}

/** The store that {@link mysqlStore} makes. */
export interface MysqlStore extends PurgeableStore, UserIndexedStore {}

/**
 * Keeps sessions in a table of MySQL 8 or later, or MariaDB 10.11 or later.
 *
 * Takes a pool, or a connection, of `mysql2`, `mysql2/promise` or `mariadb`, which stays yours to close. All statements are
 * prepared ones, and each commits by itself: connections with `autocommit = 0` are refused at the first call.
 */
export function mysqlStore(
  client: MysqlClient | MysqlCallbackClient,
  options: MysqlStoreOptions = {},
): MysqlStore {
  known(options, ['table', 'clock'], 'mysqlStore')
  const { table = 'sessions', clock = Date.now } = options
  checkClock(clock)
  return new Mysql(new MysqlConnection(client), tableName(table), clock)
}

/** What a packet holds besides texts: numbers and headers; generously. */
const PACKET_OVERHEAD = 512

/** What is known of the server, and what it is asked. */
interface Known {
  readonly server: MysqlServer
  readonly sql: Statements
}

class Mysql implements MysqlStore {
  readonly #connection: MysqlConnection
  readonly #table: string
  readonly #clock: () => number
  #known: Promise<Known> | undefined

  constructor(connection: MysqlConnection, table: string, clock: () => number) {
    this.#connection = connection
    this.#table = table
    this.#clock = clock
  }

  read(key: string): Promise<StoredEntry | undefined> {
    return this.#run(
      'read',
      ({ sql }) => this.#current(sql, key, this.#clock()),
      () => undefined,
    )
  }

  ofUser(userId: string): Promise<KeyedEntry[]> {
    const list = async ({ sql }: Known): Promise<KeyedEntry[]> => {
      const values = [Buffer.from(userId), this.#clock()]
      const rows = await this.#connection.rows<Row & { key: Uint8Array }>(sql.ofUser, values)
      return rows.flatMap((row) => {
        const entry = stored(row)
        return entry ? { key: text(row.key), ...entry } : []
      })
    }
    return this.#run('ofUser', list, () => [])
  }

  create(key: string, entry: Entry): Promise<Version | undefined> {
    const create = async ({ server, sql }: Known): Promise<Version | undefined> => {
      const version = newVersion()
      const values = [...columns(entry, version), bytesOfKey(key)]
      this.#refuseTooLong(values, server)
      // Only the first statement is needed, unless the key is taken. When a purge has removed what the second one was to
      // replace, it is the first one's turn again.
      for (let attempt = 1; attempt <= 2; attempt++) {
        if (await this.#insert(sql, values)) return version
        if (await this.#connection.write(sql.replaceExpired, [...values, this.#clock()])) return version
      }
      return undefined
    }
    return this.#run('create', create, async (known) => {
      await this.#connection.write(mysqlSchema(this.#table), [])
      return create(known)
    })
  }

  update(key: string, entry: Entry, version: Version): Promise<UpdateResult | undefined> {
    const update = async ({ server, sql }: Known): Promise<UpdateResult | undefined> => {
      const next = newVersion()
      const now = this.#clock()
      // No version of this store is negative, or a text.
      const expected = typeof version === 'number' ? version : -1
      const values = [...columns(entry, next), Buffer.from(key), expected, now]
      this.#refuseTooLong(values, server)
      if (await this.#connection.write(sql.update, values)) return { version: next }
      // A statement of its own, with a view of its own: it cannot see less than the update, which waited for the row.
      const current = await this.#current(sql, key, now)
      return current && { current }
    }
    return this.#run('update', update, () => undefined)
  }

  async delete(key: string): Promise<void> {
    const remove = ({ sql }: Known): Promise<unknown> =>
      this.#connection.write(sql.delete, [Buffer.from(key)])
    await this.#run('delete', remove, () => undefined)
  }

  purge(limit: number): Promise<number> {
    const purge = async ({ sql }: Known): Promise<number> => {
      // Twenty instances at it would wait for each other's rows, and requests for all of them.
      const removed = await this.#connection.alone(`purge ${this.#table}`, (connection) =>
        purgeTable(connection, sql, limit, this.#clock),
      )
      return removed ?? 0
    }
    return this.#run('purge', purge, () => 0)
  }

  async #current(sql: Statements, key: string, now: number): Promise<StoredEntry | undefined> {
    const [row] = await this.#connection.rows<Row>(sql.read, [Buffer.from(key), now])
    return row && stored(row)
  }

  /** Answers whether the key was free. The error of the server says it exactly, whatever a connection counts as affected. */
  async #insert(sql: Statements, values: MysqlValue[]): Promise<boolean> {
    try {
      await this.#connection.write(sql.create, values)
      return true
    } catch (error) {
      if (isDuplicate(error)) return false
      throw error
    }
  }

  /** The server cuts the connection instead of saying so. */
  #refuseTooLong(values: MysqlValue[], { maxPacket }: MysqlServer): void {
    const bytes = values.reduce<number>((sum, value) => sum + (Buffer.isBuffer(value) ? value.length : 0), 0)
    if (bytes + PACKET_OVERHEAD <= maxPacket) return
    // By the next call the setting may have been raised.
    this.#known = undefined
    throw new SessionError(
      'ERR_SESSION_TOO_LARGE',
      `The session has ${bytes} bytes; they do not fit into the max_allowed_packet of the MySQL server, ${maxPacket} bytes`,
    )
  }

  /** Runs a verb. A table that is missing is as good as empty for all but those who need one. */
  async #run<T>(
    verb: string,
    work: (known: Known) => Promise<T>,
    withoutTable: (known: Known) => T | Promise<T>,
  ): Promise<T> {
    try {
      this.#known ??= this.#meet()
      const known = await this.#known
      try {
        return await work(known)
      } catch (error) {
        if (!isMissingTable(error)) throw error
        return await withoutTable(known)
      }
    } catch (cause) {
      if (cause instanceof SessionError) throw cause
      throw new Error(`MySQL failed to ${verb} (table "${this.#table}"): ${reasonOf(cause)}`, { cause })
    }
  }

  /** Once for a store, in a round trip before its first statement. */
  async #meet(): Promise<Known> {
    try {
      const server = await serverOf(this.#connection)
      return { server, sql: statements(this.#table, server.prefix) }
    } catch (error) {
      this.#known = undefined
      throw error
    }
  }
}

/**
 * Random, so that no state of a row is ever taken for another one, be it of a successor under the same key; and new with
 * every write, so that a write always changes the row and counts as one, whatever a connection counts as affected.
 */
function newVersion(): number {
  return Math.floor(Math.random() * 2 ** 53)
}

function columns({ value, userId, expiresAt }: Entry, version: number): MysqlValue[] {
  const user = userId === undefined ? null : Buffer.from(userId)
  return [Buffer.from(value), version, user, expiresAt, minuteOf(expiresAt)]
}

/** @throws RangeError when the column would cut it, as it does without a strict `sql_mode`. */
function bytesOfKey(key: string): Buffer {
  const bytes = Buffer.from(key)
  if (bytes.length > KEY_BYTES) throw new RangeError(`A key of ${bytes.length} bytes is too long`)
  return bytes
}
