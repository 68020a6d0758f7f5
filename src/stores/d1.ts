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
import { d1Schema, type Row, type Statements, statements, stored } from './d1-table.ts'
import { minuteOf } from './purge-minute.ts'

export { d1Schema } from './d1-table.ts'

/** What is used of what a statement of D1 answers. */
export interface D1Answer {
  readonly results: readonly unknown[]
  readonly meta: { readonly changes?: number }
}

/** What is used of a prepared statement of D1. */
export interface D1Statement {
  bind(...values: (string | number | null)[]): D1Statement
  all(): Promise<D1Answer>
}

/** What is used of a database of Cloudflare D1: the binding, such as `env.DB`. */
export interface D1Client {
  prepare(sql: string): D1Statement
  batch(statements: D1Statement[]): Promise<readonly D1Answer[]>
}

/** What {@link d1Store} may be told. */
export interface D1StoreOptions {
  /** The table, made when it is missing. @defaultValue `'sessions'` */
  table?: string
  /** The current instant in milliseconds since 1970; for tests. @defaultValue `Date.now` */
  clock?: () => number
}

/** The store that {@link d1Store} makes. */
export interface D1Store extends PurgeableStore, UserIndexedStore {}

/**
 * Keeps sessions in a database of Cloudflare D1, by the binding of a Worker. Every verb is one round trip to the primary
 * database, where one statement, or one transaction, decides.
 * @example
 * import { env } from 'cloudflare:workers'
 * const sessions = createSessions({ store: d1Store(env.DB) })
 * @throws TypeError when an argument is wrong, or the database is a session of D1, which may read from a replica
 */
export function d1Store(database: D1Client, options: D1StoreOptions = {}): D1Store {
  known(options, ['table', 'clock'], 'd1Store')
  const { table = 'sessions', clock = Date.now } = options
  if (typeof table !== 'string' || !/^[^\0]+$/.test(table))
    throw new TypeError('"table" must be the name of a table')
  checkClock(clock)
  return new D1(checked(database), table, clock)
}

function checked(database: unknown): D1Client {
  const { prepare, batch, getBookmark } = (database ?? {}) as Partial<Record<string, unknown>>
  if (typeof getBookmark === 'function') {
    throw new TypeError(
      '"database" must be the binding itself, such as env.DB: what its withSession() answers may read from a replica, where a revoked session still opens',
    )
  }
  if (typeof prepare === 'function' && typeof batch === 'function') return database as D1Client
  throw new TypeError('"database" must be a binding of Cloudflare D1, such as env.DB')
}

/** D1 takes rows of 2,000,000 bytes; the rest is for the other columns. */
const MAX_BYTES = 1_990_000
/** So many rows are looked at in well below the 30 s that a query of D1 may take. */
const PURGE_SLICE = 500

/** A statement and what it is bound to. */
type Query = readonly [sql: string, ...values: (string | number | null)[]]

class D1 implements D1Store {
  readonly #database: D1Client
  readonly #table: string
  readonly #statements: Statements
  readonly #clock: () => number

  constructor(database: D1Client, table: string, clock: () => number) {
    this.#database = database
    this.#table = table
    this.#statements = statements(table)
    this.#clock = clock
  }

  async read(key: string): Promise<StoredEntry | undefined> {
    const [answer] = await this.#ask([this.#statements.read, key, this.#clock()])
    const row = answer?.results[0] as Row | undefined
    return row && stored(row)
  }

  async create(key: string, { value, userId, expiresAt }: Entry): Promise<Version | undefined> {
    checkSize(value)
    const version = newVersion()
    const values = [key, value, version, userId ?? null, expiresAt, minuteOf(expiresAt)] as const
    const query: Query = [this.#statements.create, ...values, this.#clock()]
    let answers = await this.#ask(query)
    if (answers.length === 0) {
      await this.#makeTable()
      answers = await this.#ask(query)
    }
    return changes(answers[0]) > 0 ? version : undefined
  }

  async update(
    key: string,
    { value, userId, expiresAt }: Entry,
    version: Version,
  ): Promise<UpdateResult | undefined> {
    checkSize(value)
    const [next, now] = [newVersion(), this.#clock()]
    const [update, , current] = await this.#ask(
      [this.#statements.update, value, next, expiresAt, key, toColumn(version), now],
      [this.#statements.reindex, userId ?? null, minuteOf(expiresAt), key, next],
      [this.#statements.current, key, now, next],
    )
    if (changes(update) > 0) return { version: next }
    const row = current?.results[0] as Row | undefined
    const entry = row && stored(row)
    return entry && { current: entry }
  }

  async delete(key: string): Promise<void> {
    await this.#ask([this.#statements.delete, key])
  }

  async ofUser(userId: string): Promise<KeyedEntry[]> {
    const [answer] = await this.#ask([this.#statements.ofUser, userId, this.#clock()])
    return ((answer?.results ?? []) as (Row & { key: string })[]).flatMap((row) => {
      const entry = stored(row)
      return entry ? { key: row.key, ...entry } : []
    })
  }

  async purge(limit: number): Promise<number> {
    let removed = 0
    while (removed < limit) {
      const now = this.#clock()
      const due = [minuteOf(now), now, PURGE_SLICE] as const
      const [purge, keep] = await this.#ask(
        [this.#statements.purge, ...due, Math.min(PURGE_SLICE, limit - removed)],
        [this.#statements.keep, ...due],
      )
      removed += changes(purge)
      // Where so many are due, each of the first of them is removed or put off: with fewer, none is left.
      if (changes(purge) + changes(keep) < PURGE_SLICE) break
    }
    return removed
  }

  /** Runs queries, several of them as one transaction. In a table that is missing there is nothing: no answer. */
  async #ask(...queries: Query[]): Promise<readonly D1Answer[]> {
    const bound = queries.map(([sql, ...values]) => this.#database.prepare(sql).bind(...values))
    const [only] = bound
    try {
      return only && bound.length === 1 ? [await only.all()] : await this.#database.batch(bound)
    } catch (cause) {
      if (messageOf(cause).includes('no such table')) return []
      throw new Error(`D1 failed: ${messageOf(cause)}`, { cause })
    }
  }

  async #makeTable(): Promise<void> {
    try {
      await this.#database.batch(d1Schema(this.#table).map((sql) => this.#database.prepare(sql)))
    } catch (cause) {
      throw new Error(`The table of the sessions is missing, and D1 does not make it: ${messageOf(cause)}`, {
        cause,
      })
    }
  }
}

/** How many rows a statement has changed. */
function changes(answer: D1Answer | undefined): number {
  return answer?.meta.changes ?? 0
}

/** One that never was, so that no late update of an ended entry fits a new one under the same key. */
function newVersion(): number {
  return Math.floor(Math.random() * Number.MAX_SAFE_INTEGER)
}

/** A version that was answered before, for comparison; one that cannot be any when it never was. */
function toColumn(version: Version): number {
  return Number.isSafeInteger(version) ? Number(version) : -1
}

function checkSize(value: string): void {
  // A character takes three bytes at most, so most values need not be counted.
  if (value.length * 3 <= MAX_BYTES) return
  const bytes = new TextEncoder().encode(value).length
  if (bytes <= MAX_BYTES) return
  throw new SessionError(
    'ERR_SESSION_TOO_LARGE',
    `The session takes ${bytes} bytes, and a row of D1 holds ${MAX_BYTES}`,
  )
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
