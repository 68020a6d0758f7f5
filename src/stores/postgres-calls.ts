import {
  codeOf,
  MISSING_TABLE,
  type PostgresDriver,
  type PostgresValue,
  reasonOf,
  type Statement,
} from './postgres-driver.ts'

// What the server says when it has run nothing, or has taken everything back.
const EXISTS_ALREADY = new Set(['42P07', '42710', '23505', '40P01', 'XX000'])
const LOST_PREPARED = new Set(['26000', '42P05'])
const SERIALIZATION = new Set(['40001', '40P01'])
const MAX_ATTEMPTS = 20

/** Runs the statements of a store, and makes its table when it is missing. */
export class PostgresCalls {
  readonly #driver: PostgresDriver
  /** Makes the table. */
  readonly #script: string
  #prepare: boolean

  constructor(driver: PostgresDriver, script: string, prepare: boolean) {
    this.#driver = driver
    this.#script = script
    this.#prepare = prepare
  }

  /** Runs a statement for one of the store's verbs. In a table that is missing, there is nothing; to create makes it. */
  async ask(verb: string, statement: Statement, values: PostgresValue[]): Promise<readonly unknown[][]> {
    try {
      return await this.#query(statement, values)
    } catch (error) {
      if (codeOf(error) !== MISSING_TABLE) throw failed(verb, error)
    }
    if (verb !== 'create') return []
    await this.#makeTable()
    return this.#query(statement, values).catch((error: unknown) => Promise.reject(failed(verb, error)))
  }

  /**
   * Tries again when the server says that it has done nothing, and only then: when a connection breaks, nobody knows what
   * was done, and to do it twice is worse than to say so.
   */
  async #query(statement: Statement, values: PostgresValue[]): Promise<readonly unknown[][]> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#driver.query(statement, values, this.#prepare)
      } catch (error) {
        const code = codeOf(error) ?? ''
        if (attempt === MAX_ATTEMPTS) throw error
        // The connection has changed hands: a pooler in between, which goes by transactions.
        if (LOST_PREPARED.has(code)) this.#prepare = false
        // Only where the default isolation of transactions is a stricter one than PostgreSQL's own.
        else if (SERIALIZATION.has(code)) await pause(attempt)
        else throw error
      }
    }
  }

  /** Several instances make the table at once, and IF NOT EXISTS does not keep them apart. */
  async #makeTable(): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        await this.#driver.run(this.#script)
        return
      } catch (error) {
        if (attempt === MAX_ATTEMPTS || !EXISTS_ALREADY.has(codeOf(error) ?? '')) {
          const message = `The table of the sessions is missing, and PostgreSQL does not make it: ${reasonOf(error)}`
          throw new Error(message, { cause: error })
        }
        await pause(attempt)
      }
    }
  }
}

function failed(verb: string, cause: unknown): Error {
  return new Error(`PostgreSQL failed (${verb}): ${reasonOf(cause)}`, { cause })
}

/** A time with chance in it, so that those who met do not meet again. */
function pause(attempt: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.random() * Math.min(2 ** attempt, 50)))
}
