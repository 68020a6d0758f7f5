import type { StoredEntry } from '../store.ts'
import { quoted } from './sql-name.ts'
import type { SqliteDatabase, SqliteStatement } from './sqlite-database.ts'
import { purgeSchema, SqlitePurge } from './sqlite-purge.ts'

/**
 * The statements that make the tables and their indexes, for those who keep their schema in migrations.
 *
 * Rows are in the order in which they came, which fills their pages; keys are random, and only an index of them alone is in their order.
 */
export function sqliteSchema(table = 'sessions'): string {
  const [name, byUser] = [table, `${table}_user_id`].map(quoted)
  return `CREATE TABLE IF NOT EXISTS ${name} (
  id INTEGER PRIMARY KEY,
  key ANY NOT NULL UNIQUE,
  value ANY NOT NULL,
  version INTEGER NOT NULL,
  user_id ANY,
  expires_at INTEGER NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS ${byUser} ON ${name} (user_id) WHERE user_id IS NOT NULL;
${purgeSchema(table)}`
}

/** A row as all drivers answer it. */
export interface Row {
  value: string | Uint8Array
  version: number
  userId: string | Uint8Array | null
  expiresAt: number
}

export interface KeyedRow extends Row {
  key: string | Uint8Array
}

/** The same as the list that a driver may answer. */
export type RowList = readonly [
  value: Row['value'],
  version: Row['version'],
  userId: Row['userId'],
  expiresAt: Row['expiresAt'],
]

type Verb = 'read' | 'create' | 'update' | 'replace' | 'delete' | 'ofUser'
export type Statements = Readonly<Record<Verb, SqliteStatement>> & { readonly purge: SqlitePurge }

/**
 * Prepares what the store asks of its tables. Fails when one is missing. What may be bytes is never the first value: libsql takes
 * that for the names of parameters, and ends the process.
 */
export function prepare(database: SqliteDatabase, name: string): Statements {
  const table = quoted(name)
  const columns = 'value, version, user_id AS userId, expires_at AS expiresAt'
  return {
    read: inLists(database.prepare(`SELECT ${columns} FROM ${table} WHERE expires_at > ? AND key = ?`)),
    create: database.prepare(
      `INSERT INTO ${table} AS old (version, key, value, user_id, expires_at) VALUES (?, ?, ?, ?, ?)
       ON CONFLICT (key) DO UPDATE SET value = excluded.value, version = excluded.version,
         user_id = excluded.user_id, expires_at = excluded.expires_at
       WHERE old.expires_at <= ?`,
    ),
    // The usual one names no column that an index has, since SQLite writes its entry anew even where the value is the same.
    update: database.prepare(
      `UPDATE ${table} SET version = version + 1, expires_at = ?, value = ?
       WHERE key = ? AND version = ? AND expires_at > ? AND expires_at <= ? AND user_id IS ?`,
    ),
    replace: database.prepare(
      `UPDATE ${table} SET version = version + 1, expires_at = ?, value = ?, user_id = ? WHERE key = ?`,
    ),
    delete: database.prepare(`DELETE FROM ${table} WHERE ? AND key = ?`),
    ofUser: database.prepare(`SELECT key, ${columns} FROM ${table} WHERE expires_at > ? AND user_id = ?`),
    purge: new SqlitePurge(database, name),
  }
}

/** Node's driver takes twice as long for an object, which has no prototype and so no shape that the engine knows. */
function inLists(statement: SqliteStatement & { setReturnArrays?(on: boolean): void }): SqliteStatement {
  statement.setReturnArrays?.(true)
  return statement
}

const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** libsql cuts a text at a NUL when it reads it, so such a text is kept as its bytes. */
export function bytesIfNul(text: string): string | Uint8Array
export function bytesIfNul(text: string | undefined): string | Uint8Array | null
export function bytesIfNul(text: string | undefined): string | Uint8Array | null {
  if (text === undefined) return null
  return text.includes('\0') ? encoder.encode(text) : text
}

/** The entry that a row holds; bytes that are no text were damaged, and then there is no session any more. */
export function stored(row: Row | RowList): StoredEntry | undefined {
  return 'value' in row
    ? entry(row.value, row.version, row.userId, row.expiresAt)
    : entry(row[0], row[1], row[2], row[3])
}

function entry(
  value: Row['value'],
  version: number,
  userId: Row['userId'],
  expiresAt: number,
): StoredEntry | undefined {
  try {
    return { value: text(value), expiresAt, userId: userId === null ? undefined : text(userId), version }
  } catch {
    return undefined
  }
}

function text(value: string | Uint8Array): string {
  return typeof value === 'string' ? value : decoder.decode(value)
}
