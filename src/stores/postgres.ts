import { checkClock, known } from '../check-options.ts'
import type {
  Entry,
  KeyedEntry,
  PurgeableStore,
  StoredEntry,
  UpdateResult,
  UserIndexedStore,
  Version,
} from '../store.ts'
import { PostgresCalls } from './postgres-calls.ts'
import {
  codeOf,
  driverOf,
  type PostgresClient,
  type PostgresValue,
  type Statement,
} from './postgres-driver.ts'
import {
  keyOf,
  postgresSchema,
  type Row,
  type Statements,
  statements,
  stored,
  toArray,
  toColumn,
  versionValue,
} from './postgres-table.ts'
import { Together } from './postgres-together.ts'
import { minuteOf } from './purge-minute.ts'

export type {
  PgClient,
  PgliteDatabase,
  PostgresClient,
  PostgresQuery,
  PostgresSql,
  PostgresValue,
} from './postgres-driver.ts'
export { postgresSchema } from './postgres-table.ts'

/** What {@link postgresStore} may be told. */
export interface PostgresStoreOptions {
  /** The table, made when it is missing. @defaultValue `'sessions'` */
  table?: string
  /** The schema that the table is in, which must exist. @defaultValue the first one of the connection's search path */
  schema?: string
  /**
   * Whether the server keeps the statements parsed on each connection. A pooler that gives connections away by
   * transaction and knows nothing of prepared statements is noticed and gets none, so `false` only spares the attempt.
   * @defaultValue `true`
   */
  prepare?: boolean
  /** The current instant in milliseconds since 1970; for tests. @defaultValue `Date.now` */
  clock?: () => number
}

/** The store that {@link postgresStore} makes. */
export interface PostgresStore extends PurgeableStore, UserIndexedStore {}

/**
 * Keeps sessions in a table of a PostgreSQL database, with the client that the application has: a Pool of pg, the `sql`
 * of postgres, or a PGlite. The client stays the application's, which closes it.
 */
export function postgresStore(client: PostgresClient, options: PostgresStoreOptions = {}): PostgresStore {
  known(options, ['table', 'schema', 'prepare', 'clock'], 'postgresStore')
  const { table = 'sessions', schema, prepare = true, clock = Date.now } = options
  const script = postgresSchema(table, schema)
  if (typeof prepare !== 'boolean') throw new TypeError('"prepare" must be true or false')
  checkClock(clock)
  const calls = new PostgresCalls(driverOf(client), script, prepare)
  return new Postgres(calls, statements(table, schema), clock)
}

/** So many rows at once hold their locks for some milliseconds. */
const PURGE_SLICE = 500

/** The classes of SQLSTATE that one row may be the reason of: its data, a lost race, its size. */
const OF_ONE = /^(22|23|40|54)/

interface Read {
  key: string
}

interface Create extends Read {
  entry: Entry
}

interface Update extends Create {
  version: Version
}

class Postgres implements PostgresStore {
  readonly #calls: PostgresCalls
  readonly #statements: Statements
  readonly #clock: () => number
  readonly #reads = new Together<Read, StoredEntry | undefined>({
    alone: (read) => this.#read(read),
    all: (reads) => this.#readAll(reads),
    // It has not left yet, and so will see what this one has to see.
    again: (_read, first) => first,
  })
  readonly #creates = new Together<Create, Version | undefined>({
    alone: (create) => this.#create(create),
    all: (creates) => this.#createAll(creates),
    again: (create) => this.#create(create),
  })
  readonly #updates = new Together<Update, UpdateResult | undefined>({
    alone: (update) => this.#update(update),
    all: (updates) => this.#updateAll(updates),
    again: (update) => this.#update(update),
  })

  constructor(calls: PostgresCalls, statements: Statements, clock: () => number) {
    this.#calls = calls
    this.#statements = statements
    this.#clock = clock
  }

  read(key: string): Promise<StoredEntry | undefined> {
    return this.#reads.ask({ key })
  }

  async #read({ key }: Read): Promise<StoredEntry | undefined> {
    const [row] = await this.#calls.ask('read', this.#statements.read, [toColumn(key), this.#clock()])
    return row && stored(row as unknown as Row)
  }

  create(key: string, entry: Entry): Promise<Version | undefined> {
    return this.#creates.ask({ key, entry })
  }

  async #create({ key, entry }: Create): Promise<Version | undefined> {
    const values = [...this.#written(key, entry), this.#clock()]
    const [row] = await this.#calls.ask('create', this.#statements.create, values)
    return row && Number(row[0])
  }

  update(key: string, entry: Entry, version: Version): Promise<UpdateResult | undefined> {
    return this.#updates.ask({ key, entry, version })
  }

  async #update({ key, entry, version }: Update): Promise<UpdateResult | undefined> {
    const values = [...this.#written(key, entry), this.#clock(), versionValue(version)]
    const [row] = await this.#calls.ask('update', this.#statements.update, values)
    return row && updated(row)
  }

  async #readAll(reads: readonly Read[]): Promise<Map<string, StoredEntry | undefined>> {
    const keys = toArray(reads.map(({ key }) => toColumn(key)))
    const rows = await this.#askAll('read', this.#statements.readAll, [keys, this.#clock()])
    if (!rows) return new Map()
    const found = byKey(rows, (row) => stored(row as unknown as Row))
    return new Map(reads.map(({ key }) => [key, found.get(key)]))
  }

  /** Of those whose key is there already nothing is answered: what is there may have expired, or not. */
  async #createAll(creates: readonly Create[]): Promise<Map<string, Version | undefined>> {
    const values = asLists(creates.map(({ key, entry }) => this.#written(key, entry)))
    return byKey((await this.#askAll('create', this.#statements.createAll, values)) ?? [], ([version]) =>
      Number(version),
    )
  }

  async #updateAll(updates: readonly Update[]): Promise<Map<string, UpdateResult | undefined>> {
    const rows = updates.map(({ key, entry, version }) => [
      ...this.#written(key, entry),
      versionValue(version),
    ])
    const values = [...asLists(rows), this.#clock()]
    return byKey((await this.#askAll('update', this.#statements.updateAll, values)) ?? [], updated)
  }

  /** Runs a statement for several calls. No rows when the server has taken it back, and one of them may be the reason. */
  async #askAll(verb: string, statement: Statement, values: PostgresValue[]) {
    try {
      return await this.#calls.ask(verb, statement, values)
    } catch (error) {
      if (OF_ONE.test(codeOf((error as Error).cause) ?? '')) return undefined
      throw error
    }
  }

  async delete(key: string): Promise<void> {
    await this.#calls.ask('delete', this.#statements.delete, [toColumn(key)])
  }

  async ofUser(userId: string): Promise<KeyedEntry[]> {
    const rows = await this.#calls.ask('ofUser', this.#statements.ofUser, [toColumn(userId), this.#clock()])
    return rows.flatMap(([key, ...row]) => {
      const entry = stored(row as unknown as Row)
      return entry ? { key: keyOf(key), ...entry } : []
    })
  }

  async purge(limit: number): Promise<number> {
    let removed = 0
    while (removed < limit) {
      const slice = Math.min(PURGE_SLICE, limit - removed)
      const now = this.#clock()
      const [row = []] = await this.#calls.ask('purge', this.#statements.purge, [now, minuteOf(now), slice])
      removed += Number(row[1] ?? 0)
      // Nothing is due any more; or another instance is at it.
      if (Number(row[0] ?? 0) < slice) break
    }
    return removed
  }

  /** What is written of an entry, in the order in which the statements take it, with a version that never was. */
  #written(key: string, { value, userId, expiresAt }: Entry): PostgresValue[] {
    const version = Math.floor(Math.random() * Number.MAX_SAFE_INTEGER)
    const user = userId === undefined ? null : toColumn(userId)
    return [toColumn(key), toColumn(value), version, user, expiresAt, minuteOf(expiresAt)]
  }
}

/** What an update has answered: the row as it is now, or no value when it has written. */
function updated(row: readonly unknown[]): UpdateResult | undefined {
  if (row[0] === null) return { version: Number(row[1]) }
  const current = stored(row as unknown as Row)
  return current && { current }
}

/** What a statement for several rows takes: a list for each column. */
function asLists(rows: readonly PostgresValue[][]): string[] {
  return (rows[0] ?? []).map((_, i) => toArray(rows.map((row) => row[i] ?? null)))
}

/** What rows say of the keys that they begin with. */
function byKey<T>(rows: readonly unknown[][], of: (row: unknown[]) => T): Map<string, T> {
  return new Map(rows.map(([key, ...row]) => [keyOf(key), of(row)]))
}
