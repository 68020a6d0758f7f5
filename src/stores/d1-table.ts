import type { StoredEntry } from '../store.ts'

/** The statements that make the table and its indexes, one to an element, for those who keep their schema in migrations. */
export function d1Schema(table = 'sessions'): string[] {
  const [name, byExpiry, byUser] = [table, `${table}_expires_at`, `${table}_user_id`].map(quoted)
  return [
    `CREATE TABLE IF NOT EXISTS ${name} (
  key TEXT NOT NULL PRIMARY KEY,
  value TEXT NOT NULL,
  version INTEGER NOT NULL,
  user_id TEXT,
  expires_at INTEGER NOT NULL
) WITHOUT ROWID`,
    `CREATE INDEX IF NOT EXISTS ${byExpiry} ON ${name} (expires_at)`,
    `CREATE INDEX IF NOT EXISTS ${byUser} ON ${name} (user_id) WHERE user_id IS NOT NULL`,
  ]
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

type Name = 'read' | 'create' | 'update' | 'current' | 'delete' | 'purge' | 'ofUser'
export type Statements = Readonly<Record<Name, string>>

/** What the store asks of a table. */
export function statements(name: string): Statements {
  const table = quoted(name)
  const columns = 'value, version, user_id AS userId, expires_at AS expiresAt'
  return {
    read: `SELECT ${columns} FROM ${table} WHERE key = ? AND expires_at > ?`,
    create: `INSERT INTO ${table} AS old (key, value, version, user_id, expires_at) VALUES (?, ?, ?, ?, ?)
      ON CONFLICT (key) DO UPDATE SET value = excluded.value, version = excluded.version,
        user_id = excluded.user_id, expires_at = excluded.expires_at
      WHERE old.expires_at <= ?`,
    update: `UPDATE ${table} SET value = ?, version = ?, user_id = ?, expires_at = ?
      WHERE key = ? AND version = ? AND expires_at > ?`,
    // Where the update before it in the transaction has written, the version is the new one, and nothing is sent back.
    current: `SELECT ${columns} FROM ${table} WHERE key = ? AND expires_at > ? AND version <> ?`,
    delete: `DELETE FROM ${table} WHERE key = ?`,
    purge: `DELETE FROM ${table} WHERE key IN
      (SELECT key FROM ${table} WHERE expires_at <= ? ORDER BY expires_at LIMIT ?)`,
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
