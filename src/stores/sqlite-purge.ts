import { quoted } from './sql-name.ts'
import type { SqliteDatabase, SqliteStatement } from './sqlite-database.ts'

/** What makes the table that tells a purge when to look at a row of sessions. */
export function purgeSchema(table: string): string {
  return `CREATE TABLE IF NOT EXISTS ${quoted(nameOf(table))} (
  purge_at INTEGER NOT NULL,
  id INTEGER NOT NULL,
  PRIMARY KEY (purge_at, id)
) STRICT, WITHOUT ROWID;
`
}

function nameOf(table: string): string {
  return `${table}_purge`
}

/**
 * When a purge looks at each row: at the latest when it expires.
 *
 * A session that is extended keeps its entry, and a purge that comes upon it enters it anew. So a visit changes its row alone, and not
 * another page as well, as it would with an index of when sessions expire. The entry of a row that is gone stays until its time.
 */
export class SqlitePurge {
  readonly #enter: SqliteStatement
  readonly #enterAgain: SqliteStatement
  readonly #isDue: SqliteStatement
  readonly #removeExpired: SqliteStatement
  readonly #enterOthers: SqliteStatement
  readonly #leave: SqliteStatement

  /** Fails when a table is missing. */
  constructor(database: SqliteDatabase, name: string) {
    const [table, purge] = [quoted(name), quoted(nameOf(name))]
    const due = `FROM ${purge} WHERE purge_at <= ? ORDER BY purge_at, id LIMIT ?`
    const enter = `INSERT OR IGNORE INTO ${purge} (purge_at, id)`
    this.#enter = database.prepare(`${enter} VALUES (?, last_insert_rowid())`)
    this.#enterAgain = database.prepare(`${enter} SELECT expires_at, id FROM ${table} WHERE ? AND key = ?`)
    this.#isDue = database.prepare(`SELECT 1 FROM ${purge} WHERE purge_at <= ? LIMIT 1`)
    this.#removeExpired = database.prepare(
      `DELETE FROM ${table} WHERE expires_at <= ? AND id IN (SELECT id ${due})`,
    )
    this.#enterOthers = database.prepare(
      `${enter} SELECT expires_at, id FROM ${table} WHERE id IN (SELECT id ${due})`,
    )
    this.#leave = database.prepare(
      `DELETE FROM ${purge} WHERE (purge_at, id) IN (SELECT purge_at, id ${due})`,
    )
  }

  /** To be called after a row was added: by its number, which is at hand. */
  enter(expiresAt: number): void {
    this.#enter.run(expiresAt)
  }

  /** To be called after the life of a row was shortened. */
  enterAgain(key: string | Uint8Array): void {
    this.#enterAgain.run(1, key)
  }

  isDue(now: number): boolean {
    return Boolean(this.#isDue.get(now))
  }

  /** Looks at that many of the rows whose time has come. Answers how many there were, and how many of these had expired. */
  take(now: number, limit: number): { seen: number; removed: number } {
    const removed = Number(this.#removeExpired.run(now, now, limit).changes)
    if (removed < limit) this.#enterOthers.run(now, limit)
    const seen = Number(this.#leave.run(now, limit).changes)
    return { seen, removed }
  }
}
