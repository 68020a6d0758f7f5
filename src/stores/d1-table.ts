import type { StoredEntry } from '../store.ts'
import { MAX_MINUTE, MINUTE } from './purge-minute.ts'
import { quoted } from './sql-name.ts'

/** The statements that make the table and its indexes, one to an element, for those who keep their schema in migrations. */
export function d1Schema(table = 'sessions'): string[] {
  const [name, byMinute, byUser] = [table, `${table}_purge_minute`, `${table}_user_id`].map(quoted)
  return [
    `CREATE TABLE IF NOT EXISTS ${name} (
  key TEXT NOT NULL PRIMARY KEY,
  value TEXT NOT NULL,
  version INTEGER NOT NULL,
  user_id TEXT,
  expires_at INTEGER NOT NULL,
  purge_minute INTEGER NOT NULL
) WITHOUT ROWID`,
    `CREATE INDEX IF NOT EXISTS ${byMinute} ON ${name} (purge_minute)`,
    `CREATE INDEX IF NOT EXISTS ${byUser} ON ${name} (user_id) WHERE user_id IS NOT NULL`,
  ]
}

type Name = 'read' | 'create' | 'update' | 'reindex' | 'current' | 'delete' | 'purge' | 'keep' | 'ofUser'
export type Statements = Readonly<Record<Name, string>>

/** What the store asks of a table. */
export function statements(name: string): Statements {
  const table = quoted(name)
  const columns = 'value, version, user_id AS userId, expires_at AS expiresAt'
  const minute = `MIN(expires_at / ${MINUTE}, ${MAX_MINUTE})`
  // The first of those whose minute has come, but for what lives on and would be put to the same minute again.
  const due = `SELECT key, expires_at FROM ${table}
    WHERE purge_minute <= ?1 AND (expires_at <= ?2 OR purge_minute < ${minute})
    ORDER BY purge_minute, key LIMIT ?3`
  return {
    read: `SELECT ${columns} FROM ${table} WHERE key = ? AND expires_at > ?`,
    create: `INSERT INTO ${table} (key, value, version, user_id, expires_at, purge_minute)
      VALUES (?, ?, ?, ?, ?, ?)
      ON CONFLICT (key) DO UPDATE SET value = excluded.value, version = excluded.version,
        user_id = excluded.user_id, expires_at = excluded.expires_at, purge_minute = excluded.purge_minute
      WHERE ${table}.expires_at <= ?`,
    // It names no column that an index has: SQLite writes the entry anew for each that is named, whatever the value.
    update: `UPDATE ${table} SET value = ?, version = ?, expires_at = ?
      WHERE key = ? AND version = ? AND expires_at > ?`,
    // Comes next, for the version that the update has written. A later minute than that of the expiry would be too late.
    reindex: `UPDATE ${table} SET user_id = ?1, purge_minute = ?2
      WHERE key = ?3 AND version = ?4 AND (user_id IS NOT ?1 OR purge_minute > ?2)`,
    // Where the update before it in the transaction has written, the version is the new one, and nothing is sent back.
    current: `SELECT ${columns} FROM ${table} WHERE key = ? AND expires_at > ? AND version <> ?`,
    delete: `DELETE FROM ${table} WHERE key = ?`,
    purge: `DELETE FROM ${table} WHERE key IN (SELECT key FROM (${due}) WHERE expires_at <= ?2 LIMIT ?4)`,
    keep: `UPDATE ${table} SET purge_minute = ${minute}
      WHERE key IN (SELECT key FROM (${due}) WHERE expires_at > ?2)`,
    ofUser: `SELECT key, ${columns} FROM ${table} WHERE user_id = ? AND expires_at > ?`,
  }
}

/** A row as D1 answers it: what is no text came there by other hands. */
export interface Row {
  value: unknown
  version: number
  userId: string | null
  expiresAt: number
}

/** The entry that a row holds; a value that is no text was damaged, and then there is no session any more. */
export function stored({ value, version, userId, expiresAt }: Row): StoredEntry | undefined {
  return typeof value === 'string' ? { value, expiresAt, userId: userId ?? undefined, version } : undefined
}
