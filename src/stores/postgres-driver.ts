/** What a statement takes. All clients send these alike. */
export type PostgresValue = string | number | null

/** One of the store's statements. */
export interface Statement {
  readonly text: string
  /** Made of the text, so that one name never means two statements, whoever shares the connection. */
  readonly name: string
}

/** All that the store asks of a client. */
export interface PostgresDriver {
  /** Runs a statement, which is a transaction of its own, and answers its rows as lists of columns. */
  query(statement: Statement, values: PostgresValue[], prepare: boolean): Promise<readonly unknown[][]>
  /** Runs several statements without values in one transaction. */
  run(script: string): Promise<unknown>
}

/** What is used of a Pool or a Client of pg. */
export interface PgClient {
  query(config: {
    name?: string
    text: string
    values: PostgresValue[]
    rowMode: 'array'
  }): Promise<{ rows: unknown[][] }>
  query(text: string): Promise<unknown>
}

/** What is used of the `sql` that postgres makes. */
export interface PostgresSql {
  unsafe(text: string, values?: PostgresValue[], options?: { prepare: boolean }): PostgresQuery
}

/** What is used of a query of postgres. */
export interface PostgresQuery extends PromiseLike<unknown> {
  values(): PromiseLike<unknown>
  simple(): PromiseLike<unknown>
}

/** What is used of a PGlite. */
export interface PgliteDatabase {
  query(text: string, values: PostgresValue[], options: { rowMode: 'array' }): Promise<{ rows: unknown[] }>
  exec(script: string): Promise<unknown>
}

/** What sessions can be kept with. */
export type PostgresClient = PgClient | PostgresSql | PgliteDatabase

/** The driver for a client, which is told by what it can do. @throws TypeError when it can do none of it. */
export function driverOf(client: PostgresClient): PostgresDriver {
  const { unsafe, query, exec } = (client ?? {}) as Partial<PostgresSql & PgliteDatabase>
  if (typeof unsafe === 'function') return postgresDriver(client as PostgresSql)
  if (typeof query === 'function' && typeof exec === 'function') return pgliteDriver(client as PgliteDatabase)
  if (typeof query === 'function') return pgDriver(client as PgClient)
  throw new TypeError('"client" must be a Pool or Client of pg, the sql of postgres, or a PGlite')
}

function pgDriver(client: PgClient): PostgresDriver {
  return {
    async query({ name, text }, values, prepare) {
      const config = { text, values, rowMode: 'array' } as const
      const { rows } = await client.query(prepare ? { name, ...config } : config)
      return rows
    },
    run: (script) => client.query(script),
  }
}

/** In milliseconds; a connection that has failed is closed in the same turn of the event loop, or a few turns later with TLS. */
const CLOSING = 10

function postgresDriver(sql: PostgresSql): PostgresDriver {
  /*
   * When a connection is reset, postgres 3.4 tells so first, and takes it out of its pool when it is closed, a moment later. A
   * statement that it is given in between goes to the dead connection, is never answered, and makes that connection useless
   * for ever. So statements wait until that moment has passed.
   */
  let closing: Promise<void> | undefined
  async function careful<T>(send: () => PromiseLike<T>): Promise<T> {
    while (closing !== undefined) await closing
    try {
      return await send()
    } catch (error) {
      if (!(error instanceof Error && error.name === 'PostgresError')) {
        closing ??= new Promise<void>((resolve) => setTimeout(resolve, CLOSING)).then(() => {
          closing = undefined
        })
        await closing
      }
      throw error
    }
  }
  return {
    // Rows as lists are out of reach of its "transform" option, which may rename columns.
    query: async ({ text }, values, prepare) =>
      (await careful(() => sql.unsafe(text, values, { prepare }).values())) as unknown[][],
    run: (script) => careful(() => sql.unsafe(script).simple()),
  }
}

function pgliteDriver(database: PgliteDatabase): PostgresDriver {
  return {
    async query({ text }, values) {
      try {
        const { rows } = await database.query(text, values, { rowMode: 'array' })
        return rows as unknown[][]
      } catch (error) {
        // It would show the values wherever the error is printed.
        delete (error as { params?: unknown }).params
        throw error
      }
    },
    run: (script) => database.exec(script),
  }
}

/** The SQLSTATE of a table that is not there, or not in a place where the connection looks. */
export const MISSING_TABLE = '42P01'

/** The SQLSTATE of an error; `undefined` when the server has not spoken. */
export function codeOf(error: unknown): string | undefined {
  const { code } = (error ?? {}) as { code?: unknown }
  return typeof code === 'string' && /^[\dA-Z]{5}$/.test(code) ? code : undefined
}

/** What an error says, without anything that a statement was about. */
export function reasonOf(error: unknown): string {
  const code = codeOf(error)
  // Of bad values and broken constraints the server repeats the value.
  if (code?.startsWith('22') || code?.startsWith('23')) return `SQLSTATE ${code}`
  const { message, code: name } = (error ?? {}) as { message?: unknown; code?: unknown }
  return String(message || name || error)
}
