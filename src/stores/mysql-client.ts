/** What a statement takes. Texts go as bytes, so that no connection's character set can change them. */
export type MysqlValue = Buffer | number | null

/** A statement, with options that make an answer the same whatever the connections were told. */
export interface MysqlStatement {
  sql: string
  rowsAsArray: boolean
  nestTables: boolean
  metaAsArray: boolean
  namedPlaceholders: boolean
}

/** What is used of a pool or connection of `mysql2/promise` or `mariadb`. */
export interface MysqlClient {
  execute(statement: MysqlStatement, values: MysqlValue[]): Promise<unknown>
  /** Only a pool has it. */
  getConnection?(): Promise<MysqlClient & { release(): unknown }>
}

/** What is used of a pool or connection of `mysql2` with callbacks. */
export interface MysqlCallbackClient {
  promise(): MysqlClient
}

/**
 * One set for both clients: each takes its own and overlooks the others. A `typeCast` of the application's would turn our
 * bytes into something else; mariadb prints the parameters into the messages of its errors when it is not told otherwise.
 */
const AS_IT_IS = {
  rowsAsArray: false,
  nestTables: false,
  metaAsArray: false,
  namedPlaceholders: false,
  typeCast: (_field: unknown, next: () => unknown): unknown => next(),
  logParam: false,
}

/** What the server says with these, it has taken back: the same statement may be tried again. */
const ROLLED_BACK: readonly unknown[] = [
  1213, // deadlock; in a Galera cluster also: another node has changed the row at the same time
  1205, // lock wait timeout
  1020, // the row has changed since it was read (MariaDB, innodb_snapshot_isolation)
]
/** So long, in milliseconds, a statement is tried again; whoever waited longer for a lock would wait as long once more. */
const PATIENCE = 1000

const MISSING_TABLE = 1146
const MISSING_COLUMN = 1054
const DUPLICATE = 1062

// All databases of a server share the names of its locks, which have 64 characters at most. MySQL 9 has no SHA1 any more.
const LOCK_NAME = "SHA2(CONCAT('sojourn ', DATABASE(), ' ', ?), 224)"
const LOCK = `SELECT GET_LOCK(${LOCK_NAME}, 0) AS got`
const UNLOCK = `SELECT RELEASE_LOCK(${LOCK_NAME})`

/** A client of either package, and the few things in which these differ. */
export class MysqlConnection {
  readonly #client: MysqlClient

  /** @throws TypeError when it is no such client. */
  constructor(client: MysqlClient | MysqlCallbackClient) {
    const { promise } = (client ?? {}) as Partial<MysqlCallbackClient>
    const promising = typeof promise === 'function' ? (client as MysqlCallbackClient).promise() : client
    if (typeof (promising as Partial<MysqlClient> | null)?.execute !== 'function') throw notAClient()
    this.#client = promising as MysqlClient
  }

  async rows<Row>(sql: string, values: MysqlValue[]): Promise<Row[]> {
    const answer = (await this.#execute(sql, values)) as Row[] | [Row[], unknown]
    // mysql2 answers a pair of the rows and their columns.
    return Array.isArray(answer[0]) ? answer[0] : (answer as Row[])
  }

  /** Answers how many rows were written. */
  async write(sql: string, values: MysqlValue[]): Promise<number> {
    const answer = (await this.#execute(sql, values)) as Written | [Written]
    return Number((Array.isArray(answer) ? answer[0] : answer).affectedRows)
  }

  /** Does the work on one connection, and nothing when another connection of the server is at it. */
  async alone<T>(name: string, work: (connection: MysqlConnection) => Promise<T>): Promise<T | undefined> {
    const own = await this.#client.getConnection?.()
    try {
      const connection = own ? new MysqlConnection(own) : this
      const [lock] = await connection.rows<{ got: number | bigint | null }>(LOCK, [Buffer.from(name)])
      if (Number(lock?.got) !== 1) return undefined
      try {
        return await work(connection)
      } finally {
        // A connection that has been lost has lost its lock, too.
        await connection.rows(UNLOCK, [Buffer.from(name)]).catch(() => undefined)
      }
    } finally {
      await own?.release()
    }
  }

  async #execute(sql: string, values: MysqlValue[]): Promise<unknown> {
    const until = performance.now() + PATIENCE
    for (let attempt = 1; ; attempt++) {
      try {
        const answer = this.#client.execute({ ...AS_IT_IS, sql }, values)
        if (typeof answer?.then !== 'function') throw notAClient()
        return await answer
      } catch (error) {
        if (!ROLLED_BACK.includes(numberOf(error)) || performance.now() > until) throw error
        await new Promise((resolve) => setTimeout(resolve, pause(attempt)))
      }
    }
  }
}

interface Written {
  affectedRows: number | bigint
}

/** Waiting times that grow to 50 ms, each with chance in it, so that those who met do not meet again. */
function pause(attempt: number): number {
  return 1 + Math.random() * Math.min(2 ** attempt, 50)
}

function notAClient(): TypeError {
  return new TypeError(
    '"client" must be a pool or connection of mysql2, or of mariadb with promises (not of "mariadb/callback")',
  )
}

function numberOf(error: unknown): unknown {
  return (error as { errno?: unknown } | null)?.errno
}

export function isMissingTable(error: unknown): boolean {
  return numberOf(error) === MISSING_TABLE
}

export function isDuplicate(error: unknown): boolean {
  return numberOf(error) === DUPLICATE
}

/** What went wrong in the words of the server, or of the network, without a statement or what was in it. */
export function reasonOf(error: unknown): string {
  // The pool of mariadb says only that it has no connection; why is in the cause.
  const { cause, sqlMessage, message, code } = (error ?? {}) as Partial<Record<string, unknown>>
  if (cause) return reasonOf(cause)
  const [line = ''] = String(sqlMessage ?? message ?? error).split('\n')
  if (numberOf(error) === MISSING_COLUMN)
    return `${line}; the table needs the columns that "sojourn schema mysql" prints`
  return line || String(code ?? 'unknown error')
}
