import { createHash } from 'node:crypto'
import type { StoredEntry } from '../store.ts'
import type { PostgresValue, Statement } from './postgres-driver.ts'
import { MAX_MINUTE, MINUTE } from './purge-minute.ts'
import { quoted } from './sql-name.ts'

/**
 * The statements that make the table and its indexes, for those who keep their schema in migrations.
 * @param schema where the table is, when not where the connection looks first
 * @throws TypeError when PostgreSQL would not take a name as it is
 */
export function postgresSchema(table = 'sessions', schema?: string): string {
  const name = qualified(checkedName(table, 'table'), schema)
  const [byMinute, byUser] = [`${table}_purge_minute`, `${table}_user_id`].map(quoted)
  return `CREATE TABLE IF NOT EXISTS ${name} (
  version bigint NOT NULL,
  expires_at bigint NOT NULL,
  purge_minute integer NOT NULL,
  key text COLLATE "C" PRIMARY KEY,
  value text NOT NULL,
  user_id text COLLATE "C"
) WITH (fillfactor = 95);
CREATE INDEX IF NOT EXISTS ${byMinute} ON ${name} (purge_minute);
CREATE INDEX IF NOT EXISTS ${byUser} ON ${name} (user_id) WHERE user_id IS NOT NULL;
`
}

/** The table as statements name it. */
export function qualified(table: string, schema: string | undefined): string {
  return schema === undefined ? quoted(table) : `${quoted(checkedName(schema, 'schema'))}.${quoted(table)}`
}

/** PostgreSQL cuts a name after 63 bytes without an error, and the indexes add to the table's. */
const MAX_NAME = 50

/** The name, if it is one that PostgreSQL takes as it is. @throws TypeError that names the option. */
function checkedName(name: unknown, option: string): string {
  const isName = typeof name === 'string' && name !== '' && !name.includes('\0')
  if (isName && Buffer.byteLength(name) <= MAX_NAME) return name
  throw new TypeError(`"${option}" must be the name of a ${option}, of at most ${MAX_NAME} bytes`)
}

type Verb =
  | 'read'
  | 'readAll'
  | 'create'
  | 'createAll'
  | 'update'
  | 'updateAll'
  | 'delete'
  | 'purge'
  | 'ofUser'
export type Statements = Readonly<Record<Verb, Statement>>

/** What the store asks of a table. Time is a parameter everywhere: the server's clock and zone decide nothing. */
export function statements(name: string, schema: string | undefined): Statements {
  const table = qualified(name, schema)
  const columns = 'value, version, user_id, expires_at'
  return {
    read: statement(`SELECT ${columns} FROM ${table} WHERE key = $1 AND expires_at > $2`),
    readAll: statement(
      `SELECT asked.key, ${columns} FROM unnest($1::text::text[]) AS asked (key),
         LATERAL (SELECT ${columns} FROM ${table} WHERE key = asked.key AND expires_at > $2 LIMIT 1) AS found`,
    ),
    create: statement(
      `INSERT INTO ${table} AS old (key, value, version, user_id, expires_at, purge_minute)
       VALUES ($1, $2, $3, $4, $5, $6)
       ON CONFLICT (key) DO UPDATE SET value = excluded.value, version = excluded.version,
         user_id = excluded.user_id, expires_at = excluded.expires_at, purge_minute = excluded.purge_minute
       WHERE old.expires_at <= $7
       RETURNING version`,
    ),
    createAll: statement(
      `INSERT INTO ${table} (key, value, version, user_id, expires_at, purge_minute)
       SELECT * FROM unnest($1::text::text[], $2::text::text[], $3::text::bigint[], $4::text::text[], $5::text::bigint[],
         $6::text::integer[])
       ON CONFLICT (key) DO NOTHING
       RETURNING key, version`,
    ),
    update: statement(updateText(table)),
    updateAll: statement(updateAllText(table)),
    delete: statement(`DELETE FROM ${table} WHERE key = $1`),
    purge: statement(purgeText(table)),
    ofUser: statement(`SELECT key, ${columns} FROM ${table} WHERE user_id = $1 AND expires_at > $2`),
  }
}

/**
 * An answer to a conflict that is read without a lock comes from the snapshot that the statement began with, in which the
 * winner may not have written yet. FOR UPDATE reads the row as it is now. Where the update has written, nothing is locked
 * or read again, and the old value is not sent: the answer is one row without a value.
 */
function updateText(table: string): string {
  return `WITH written AS (
      UPDATE ${table} AS old SET value = $2, version = $3, user_id = $4, expires_at = $5,
        purge_minute = LEAST(old.purge_minute, $6)
      WHERE key = $1 AND expires_at > $7 AND version = $8
      RETURNING version
    ), current AS (
      SELECT value, version, user_id, expires_at FROM ${table}
      WHERE key = $1 AND expires_at > $7 AND NOT EXISTS (SELECT FROM written)
      FOR UPDATE
    )
    SELECT NULL AS value, version, NULL AS user_id, 0 AS expires_at FROM written
    UNION ALL SELECT value, version, user_id, expires_at FROM current`
}

/**
 * The same for several rows. It waits for none: a row that somebody else has locked is left out of the answer, as one that is not
 * there. What it has locked, it sees as it is now. LIMIT keeps each to a look-up of its own: of a table in partitions, only the one
 * that may have the key is asked.
 */
function updateAllText(table: string): string {
  return `WITH asked AS MATERIALIZED (
      SELECT * FROM unnest($1::text::text[], $2::text::text[], $3::text::bigint[], $4::text::text[], $5::text::bigint[],
        $6::text::integer[], $7::text::bigint[])
        AS asked (key, value, version, user_id, expires_at, purge_minute, expected)
    ), held AS MATERIALIZED (
      SELECT asked.key, found.* FROM asked, LATERAL (
        SELECT value, version, user_id, expires_at FROM ${table}
        WHERE key = asked.key AND expires_at > $8 LIMIT 1
        FOR UPDATE SKIP LOCKED
      ) AS found
    ), written AS (
      UPDATE ${table} AS old SET value = asked.value, version = asked.version, user_id = asked.user_id,
        expires_at = asked.expires_at, purge_minute = LEAST(old.purge_minute, asked.purge_minute)
      FROM asked JOIN held ON held.key = asked.key AND held.version = asked.expected
      WHERE old.key = asked.key
      RETURNING old.key, old.version
    )
    SELECT key, NULL AS value, version, NULL AS user_id, 0 AS expires_at FROM written
    UNION ALL SELECT key, value, version, user_id, expires_at FROM held WHERE key NOT IN (SELECT key FROM written)`
}

/** A list as PostgreSQL writes arrays. It goes as text, which all clients send alike. */
export function toArray(values: readonly PostgresValue[]): string {
  return `{${values.map(toElement).join(',')}}`
}

function toElement(value: PostgresValue): string {
  if (typeof value === 'string') return `"${value.replace(/[\\"]/g, '\\$&')}"`
  return value === null ? 'NULL' : String(value)
}

/**
 * The index knows the minute in which an entry would have expired when it was last looked at, so that extending an entry
 * changes no index. An entry that lives on is put to its new minute when its old one has come. The lock belongs to the
 * transaction: one instance purges at a time, and none can leave it locked. The planner takes any list for a short one, which
 * keeps each to the primary key, and to the one partition that may have the key.
 */
function purgeText(table: string): string {
  const lock = createHash('sha256').update(`sojourn purge ${table}`).digest().readBigInt64BE()
  return `WITH turn AS MATERIALIZED (
      SELECT pg_try_advisory_xact_lock(${lock}) AS mine
    ), due AS MATERIALIZED (
      SELECT key, expires_at <= $1 AS expired FROM ${table}
      WHERE (SELECT mine FROM turn) AND purge_minute <= $2
        AND (expires_at <= $1 OR purge_minute < expires_at / ${MINUTE})
      ORDER BY purge_minute LIMIT $3
      FOR UPDATE SKIP LOCKED
    ), removed AS (
      DELETE FROM ${table} AS old USING unnest(ARRAY(SELECT key FROM due WHERE expired)) AS gone (key)
      WHERE old.key = gone.key RETURNING 1
    ), kept AS (
      UPDATE ${table} AS old SET purge_minute = LEAST(expires_at / ${MINUTE}, ${MAX_MINUTE})
      FROM unnest(ARRAY(SELECT key FROM due WHERE NOT expired)) AS alive (key)
      WHERE old.key = alive.key
    )
    SELECT (SELECT count(*) FROM due), (SELECT count(*) FROM removed)`
}

function statement(text: string): Statement {
  return { text, name: `sojourn_${createHash('sha256').update(text).digest('hex').slice(0, 16)}` }
}

/** A NUL, which PostgreSQL refuses in a text; half of a surrogate pair, which UTF-8 does not know; and the mark of both. */
const UNUSUAL = /^"|[\0\ud800-\udfff]/u

/** A text as it is kept: JSON where it begins with a quotation mark, else itself. */
export function toColumn(text: string): string {
  return UNUSUAL.test(text) ? JSON.stringify(text) : text
}

function fromColumn(column: string): string {
  return column.startsWith('"') ? JSON.parse(column) : column
}

/** A row of `value, version, user_id, expires_at`. Clients answer a `bigint` as text, number or BigInt. */
export type Row = readonly [value: string, version: unknown, userId: string | null, expiresAt: unknown]

/** The entry that a row holds; a value that cannot be read was damaged, and then there is no session any more. */
export function stored([value, version, userId, expiresAt]: Row): StoredEntry | undefined {
  try {
    return {
      value: fromColumn(value),
      expiresAt: Number(expiresAt),
      userId: userId === null ? undefined : fromColumn(userId),
      version: Number(version),
    }
  } catch {
    return undefined
  }
}

export function keyOf(column: unknown): string {
  return fromColumn(column as string)
}

/** A version that was answered before, for comparison; one that cannot be any when it never was. */
export function versionValue(version: PostgresValue): number {
  const number = Number(version)
  return Number.isSafeInteger(number) ? number : -1
}
