/*
 * What a session takes in tables of SQLite of several forms, and what it costs there: the figures of decisions/sqlite-table.md.
 *   node bench/sqlite-tables.ts [sessions] [characters of a session's text]
 */
import { randomBytes } from 'node:crypto'
import fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync, type StatementSync } from 'node:sqlite'
import { keyColumn } from '../src/stores/sqlite-key.ts'
import { surroundings } from './machine.ts'
import { show, spread, table } from './statistics.ts'

const [count = 20_000, length = 331] = process.argv.slice(2).map(Number)
const ROUNDS = 9
const CALLS = 2000
const LIFETIME = 14 * 86_400_000

interface Form {
  title: string
  /** How the table is made, with what finds its rows by their expiry: an index, or a table of the same name. */
  schema: string
  key(text: string): string | Uint8Array
  /** A version of its first state is below that. */
  versions: number
  pageSize?: number
}

const schemaOf = (key: string, rest: string) =>
  `CREATE TABLE sessions (key ${key} NOT NULL PRIMARY KEY, value ANY NOT NULL, version INTEGER NOT NULL, user_id ANY,
     expires_at INTEGER NOT NULL) STRICT${rest}; CREATE INDEX by_expiry ON sessions (expires_at)`
const byKey = schemaOf('TEXT', ', WITHOUT ROWID')
const byArrival = schemaOf('ANY', '')
const numbered = `CREATE TABLE sessions (id INTEGER PRIMARY KEY, key ANY NOT NULL UNIQUE, value ANY NOT NULL,
     version INTEGER NOT NULL, user_id ANY, expires_at INTEGER NOT NULL) STRICT;
   CREATE TABLE by_expiry (purge_at INTEGER NOT NULL, id INTEGER NOT NULL, PRIMARY KEY (purge_at, id)) STRICT, WITHOUT ROWID`
const text = (key: string) => key

const forms: Form[] = [
  { title: 'rows by key, as text', schema: byKey, key: text, versions: 2 ** 47 },
  {
    title: 'rows by key, as text, pages of 8192',
    schema: byKey,
    key: text,
    versions: 2 ** 47,
    pageSize: 8192,
  },
  { title: 'rows as they come, keys as text', schema: byArrival, key: text, versions: 2 ** 47 },
  { title: 'rows as they come, keys as bytes', schema: byArrival, key: keyColumn, versions: 2 ** 47 },
  { title: 'the same, versions from 31 bits', schema: byArrival, key: keyColumn, versions: 2 ** 31 },
  {
    title: '**expiry in a table of its own, versions from 23 bits**',
    schema: numbered,
    key: keyColumn,
    versions: 2 ** 23,
  },
]

interface Subject {
  title: string
  bytes: number[]
  read: StatementSync
  update: StatementSync
  database: DatabaseSync
  form: Form
  /** Microseconds of CPU, a round each. */
  reads: number[]
  updates: number[]
}

const folder = fs.mkdtempSync(join(tmpdir(), 'sojourn-bench-'))
const keys = Array.from({ length: count }, () => randomBytes(16).toString('base64url'))
const value = randomBytes(length).toString('hex').slice(0, length)

function open(form: Form, i: number): Subject {
  const { schema, key, versions, pageSize = 4096 } = form
  const database = new DatabaseSync(join(folder, `${i}.db`))
  database.exec(
    `PRAGMA page_size = ${pageSize}; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; ${schema}`,
  )
  const insert = database.prepare(
    'INSERT INTO sessions (key, value, version, expires_at) VALUES (?, ?, ?, ?)',
  )
  const enter =
    schema === numbered
      ? database.prepare('INSERT OR IGNORE INTO by_expiry VALUES (?, last_insert_rowid())')
      : undefined
  for (let i = 0; i < count; i += 200) {
    database.exec('BEGIN')
    for (const name of keys.slice(i, i + 200)) {
      const expiresAt = Date.now() + LIFETIME
      insert.run(key(name), value, Math.floor(Math.random() * versions), expiresAt)
      enter?.run(expiresAt)
    }
    database.exec('COMMIT')
  }
  const size = database.prepare('SELECT coalesce(sum(pgsize), 0) AS bytes FROM dbstat WHERE name LIKE ?')
  const bytes = ['sessions', 'sqlite_autoindex%', 'by_expiry'].map(
    (tree) => Number(size.get(tree)?.['bytes']) / count,
  )
  return {
    title: form.title,
    bytes,
    read: database.prepare(
      'SELECT value, version, user_id, expires_at FROM sessions WHERE expires_at > ? AND key = ?',
    ),
    update: database.prepare(
      `UPDATE sessions SET value = ?, version = version + 1, user_id = NULL, expires_at = expires_at + 1
       WHERE key = ? AND expires_at > ?`,
    ),
    database,
    form,
    reads: [],
    updates: [],
  }
}

/** Microseconds of CPU a call. */
function cpu(names: string[], call: (name: string) => void): number {
  const before = process.cpuUsage()
  for (const name of names) call(name)
  const { user, system } = process.cpuUsage(before)
  return (user + system) / names.length
}

console.log(`${surroundings()}\n${count.toLocaleString('en')} sessions of ${length} characters.\n`)
const subjects = forms.map(open)
for (let round = -1; round < ROUNDS; round++) {
  const names = Array.from({ length: CALLS }, () => keys[Math.floor(Math.random() * count)] ?? '')
  for (const { read, update, database, form, reads, updates } of subjects) {
    const ofRead = cpu(names, (name) => read.get(Date.now(), form.key(name)))
    const ofUpdate = cpu(names, (name) => update.run(value, form.key(name), Date.now()))
    database.exec('PRAGMA wal_checkpoint(TRUNCATE)')
    if (round < 0) continue
    reads.push(ofRead)
    updates.push(ofUpdate)
  }
}
const rows = subjects.map(({ title, bytes, reads, updates }) => [
  title,
  ...bytes.map((one) => one.toFixed(0)),
  bytes.reduce((sum, one) => sum + one).toFixed(0),
  show(spread(reads), 1),
  show(spread(updates), 1),
])
const head = ['', 'rows', 'by key', 'by expiry', 'bytes a session', 'read, µs', 'update that extends, µs']
console.log(table(head, rows, 'right'))
for (const { database } of subjects) database.close()
fs.rmSync(folder, { recursive: true })
