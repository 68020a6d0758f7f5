import type { StoredEntry } from '../store.ts'
import { MAX_MINUTE, MINUTE } from './purge-minute.ts'

/** What the key column takes, in bytes. */
export const KEY_BYTES = 255

/**
 * The statement that makes the table and its indexes, for those who keep their schema in migrations.
 *
 * All texts are bytes of UTF-8: a collation would fold case, or take `'a'` and `'a '` for the same.
 * @throws TypeError when that is no name of a table
 */
export function mysqlSchema(table = 'sessions'): string {
  return `CREATE TABLE IF NOT EXISTS ${quoted(tableName(table))} (
  \`key\` VARBINARY(${KEY_BYTES}) NOT NULL PRIMARY KEY,
  value LONGBLOB NOT NULL,
  version BIGINT NOT NULL,
  user_id LONGBLOB,
  expires_at BIGINT NOT NULL,
  purge_minute INT NOT NULL,
  INDEX purge_minute (purge_minute),
  INDEX user_id (user_id(255))
) ENGINE = InnoDB;
`
}

/** @throws TypeError when the server would refuse the name. */
export function tableName(table: unknown): string {
  if (typeof table === 'string' && /^[^\0\u{10000}-\u{10ffff}]{1,64}(?<!\s)$/u.test(table)) return table
  throw new TypeError('"table" must be the name of a table: 1 to 64 characters, with no space at the end')
}

/** Backquotes hold in every `sql_mode`. */
function quoted(name: string): string {
  return `\`${name.replaceAll('`', '``')}\``
}

/** A row as all clients answer it. */
export interface Row {
  value: Uint8Array
  version: number | bigint | string
  userId: Uint8Array | null
  expiresAt: number | bigint | string
}

/** Fails when the table is missing, or has other columns. */
export function probe(table: string): string {
  return `SELECT \`key\`, value, version, user_id, expires_at, purge_minute FROM ${quoted(table)} LIMIT 0`
}

/** So few rows at once are locked for a moment only, and their deletion is no long transaction for a replica. */
export const PURGE_SLICE = 100

type Verb =
  | 'read'
  | 'ofUser'
  | 'create'
  | 'replaceExpired'
  | 'update'
  | 'delete'
  | 'due'
  | 'deleteExpired'
  | 'putOff'
export type Statements = Readonly<Record<Verb, string>>

/**
 * What the store asks of a table. An update leaves `purge_minute` as it is, unless it shortens the life: so it changes no
 * index.
 * @param prefix what goes in front of each statement
 */
export function statements(name: string, prefix: string): Statements {
  const table = quoted(name)
  const columns = 'value, version, user_id AS userId, expires_at AS expiresAt'
  const slice = Array(PURGE_SLICE).fill('?').join(', ')
  const minute = `LEAST(expires_at DIV ${MINUTE}, ${MAX_MINUTE})`
  const all: Statements = {
    read: `SELECT ${columns} FROM ${table} WHERE \`key\` = ? AND expires_at > ?`,
    ofUser: `SELECT \`key\`, ${columns} FROM ${table} WHERE user_id = ? AND expires_at > ?`,
    create: `INSERT INTO ${table} (value, version, user_id, expires_at, purge_minute, \`key\`) VALUES (?, ?, ?, ?, ?, ?)`,
    replaceExpired: `UPDATE ${table} SET value = ?, version = ?, user_id = ?, expires_at = ?, purge_minute = ?
      WHERE \`key\` = ? AND expires_at <= ?`,
    update: `UPDATE ${table} SET value = ?, version = ?, user_id = ?, expires_at = ?,
        purge_minute = LEAST(purge_minute, ?)
      WHERE \`key\` = ? AND version = ? AND expires_at > ?`,
    delete: `DELETE FROM ${table} WHERE \`key\` = ?`,
    due: `SELECT \`key\`, expires_at <= ? AS expired FROM ${table}
      WHERE purge_minute <= ? AND (expires_at <= ? OR purge_minute < ${minute})
      ORDER BY purge_minute LIMIT ${PURGE_SLICE}`,
    deleteExpired: `DELETE FROM ${table} WHERE \`key\` IN (${slice}) AND expires_at <= ?`,
    putOff: `UPDATE ${table} SET purge_minute = ${minute} WHERE \`key\` IN (${slice})`,
  }
  return Object.fromEntries(Object.entries(all).map(([verb, sql]) => [verb, prefix + sql])) as Statements
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** The entry that a row holds; bytes that are no text were damaged, and then there is no session any more. */
export function stored({ value, version, userId, expiresAt }: Row): StoredEntry | undefined {
  try {
    return {
      value: text(value),
      expiresAt: Number(expiresAt),
      userId: userId === null ? undefined : text(userId),
      version: Number(version),
    }
  } catch {
    return undefined
  }
}

export function text(bytes: Uint8Array): string {
  return decoder.decode(bytes)
}
