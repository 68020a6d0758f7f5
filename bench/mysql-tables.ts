/*
 * node bench/mysql-tables.ts [sessions] [mysqld]: what an update costs MariaDB, or MySQL, with an index on the expiry and with one on the
 * minute of a purge: the figures of decisions/mysql-statements.md. Nothing is synced, and both tables are on one server.
 */
import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { createPool, type ResultSetHeader, type RowDataPacket } from 'mysql2/promise'
import { mysqlSchema } from '../src/stores/mysql.ts'
import { statements } from '../src/stores/mysql-table.ts'
import { minuteOf } from '../src/stores/purge-minute.ts'
import { MARIADB, MYSQL, NO_SYNC, SCHEMA, startDatabase } from '../test/servers/mysql.ts'
import { show, spread, table } from './statistics.ts'

const [sessions = '100000', program = 'mariadbd'] = process.argv.slice(2)
const count = Number(sessions)
const ROUNDS = 7
const CALLS = count / 5
const CONNECTIONS = 8
const LENGTH = 331
const LIFETIME = 14 * 86_400_000
/** The time between two updates, so that each session is extended about once in an hour. */
const STEP = 3_600_000 / count

const database = await startDatabase(program === 'mysqld' ? MYSQL : MARIADB, {
  args: [...NO_SYNC, '--innodb-buffer-pool-size=256M'],
})
const pool = createPool({
  host: '127.0.0.1',
  port: database.port,
  user: 'root',
  database: SCHEMA,
  connectionLimit: CONNECTIONS,
})

interface Form {
  title: string
  table: string
  schema: string
  insert: string
  update: string
  hasMinute: boolean
  versions: number[]
  bytes: number[]
  found: Record<'extension' | 'update', Found[]>
}

function formOf(title: string, name: string, hasMinute: boolean): Form {
  const { create, update } = statements(name, '')
  const without = (sql: string) =>
    sql
      .replace(/, purge_minute(?=, )/, '')
      .replace('(?, ', '(')
      .replace(/,\s+purge_minute = LEAST\(purge_minute, \?\)/, '')
  const schema = mysqlSchema(name)
  return {
    title,
    table: name,
    schema: hasMinute
      ? schema
      : schema.replace('  purge_minute INT NOT NULL,\n', '').replaceAll('purge_minute', 'expires_at'),
    insert: hasMinute ? create : without(create),
    update: hasMinute ? update : without(update),
    hasMinute,
    versions: [],
    bytes: [],
    found: { extension: [], update: [] },
  }
}

const forms = [
  formOf('index on `expires_at`', 'by_expiry', false),
  formOf('**on `purge_minute`**', 'by_minute', true),
]
const start = Date.now()
const rows = Array.from({ length: count }, (_, i) => ({
  key: Buffer.from(randomBytes(16).toString('base64url')),
  user: i % 2 === 0 ? Buffer.from(`user ${i}`) : null,
  value: text(),
}))

function text(): Buffer {
  return Buffer.from(randomBytes(LENGTH).toString('base64url').slice(0, LENGTH))
}

function newVersion(): number {
  return Math.floor(Math.random() * 2 ** 53)
}

/** What is written of a session, in the order in which the statements take it. */
function written(form: Form, value: Buffer, version: number, user: Buffer | null, expiresAt: number) {
  return [value, version, user, expiresAt, ...(form.hasMinute ? [minuteOf(expiresAt)] : [])]
}

async function insert(form: Form, i: number): Promise<void> {
  const { key, user, value } = at(i)
  const version = newVersion()
  const expiresAt = start + Math.floor(Math.random() * LIFETIME)
  await pool.execute(form.insert, [...written(form, value, version, user, expiresAt), key])
  form.versions[i] = version
}

async function update(form: Form, i: number, value: Buffer, now: number): Promise<void> {
  const { key, user } = at(i)
  const version = newVersion()
  const values = [...written(form, value, version, user, now + LIFETIME), key, form.versions[i] ?? -1, 0]
  const [{ affectedRows }] = await pool.execute<ResultSetHeader>(form.update, values)
  if (affectedRows !== 1) throw new Error('An update has written nothing')
  form.versions[i] = version
}

function at(i: number) {
  const row = rows[i]
  if (!row) throw new RangeError(`There is no session ${i}`)
  return row
}

async function inParallel(calls: number, call: (i: number) => Promise<void>): Promise<void> {
  let next = 0
  const work = async () => {
    while (next < calls) await call(next++)
  }
  await Promise.all(Array.from({ length: CONNECTIONS }, work))
}

interface Found {
  log: number
  cpu: number
  perSecond: number
}

/** Of a call: bytes of the log and microseconds of CPU, until the server has cleaned up, too. */
async function measured(calls: number, call: (i: number) => Promise<void>): Promise<Found> {
  const before = await settled()
  const began = performance.now()
  await inParallel(calls, call)
  const perSecond = (calls / (performance.now() - began)) * 1000
  const after = await settled()
  return { log: (after.log - before.log) / calls, cpu: (after.cpu - before.cpu) / calls, perSecond }
}

/** What was used by the time that the server has nothing left to clean up, or can clean up no more. */
async function settled(): Promise<{ log: number; cpu: number }> {
  for (let before = -1; ; ) {
    const [[row]] = await pool.query<RowDataPacket[]>('SHOW ENGINE INNODB STATUS')
    const status = String(row?.['Status'])
    const left = Number(/History list length (\d+)/.exec(status)?.[1])
    if (left < 10 || left === before) {
      const fields =
        readFileSync(`/proc/${database.server.pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
      return {
        log: Number(/Log sequence number\s+(\d+)/.exec(status)?.[1]),
        cpu: (Number(fields[11]) + Number(fields[12])) * 10_000,
      }
    }
    before = left
    await sleep(1000)
  }
}

/** Bytes of the pages that the table and its indexes have, by the number of sessions. */
async function bytesOf(form: Form): Promise<number> {
  await pool.query(`ANALYZE TABLE ${form.table}`)
  const [[row]] = await pool.query<RowDataPacket[]>(
    `SELECT SUM(stat_value) * @@innodb_page_size / ${count} AS bytes FROM mysql.innodb_index_stats
     WHERE database_name = '${SCHEMA}' AND table_name = '${form.table}' AND stat_name = 'size'`,
  )
  return Number(row?.['bytes'])
}

function shuffled(calls: number): number[] {
  return Array.from({ length: count }, (_, i) => ({ i, order: Math.random() }))
    .sort((a, b) => a.order - b.order)
    .slice(0, calls)
    .map(({ i }) => i)
}

for (const form of forms) {
  await pool.query(form.schema)
  await inParallel(count, (i) => insert(form, i))
  form.bytes.push(await bytesOf(form))
}
let now = start
for (let round = 0; round < ROUNDS; round++) {
  for (const kind of ['extension', 'update'] as const) {
    const chosen = shuffled(CALLS)
    if (kind === 'update') for (const i of chosen) at(i).value = text()
    for (const form of round % 2 === 0 ? forms : forms.toReversed()) {
      const call = (j: number) => {
        const i = chosen[j] ?? 0
        return update(form, i, at(i).value, Math.floor(now + j * STEP))
      }
      form.found[kind].push(await measured(CALLS, call))
    }
    now += CALLS * STEP
  }
}
for (const form of forms) {
  const chosen = shuffled(count)
  await inParallel(count, (j) => update(form, chosen[j] ?? 0, text(), Math.floor(now + j * STEP)))
  await settled()
  form.bytes.push(await bytesOf(form))
}
const figures = forms.map(({ title, bytes, found }) => [
  title,
  ...(['log', 'cpu', 'perSecond'] as const).flatMap((what) =>
    Object.values(found).map((rounds) => show(spread(rounds.map((one) => one[what])), 0)),
  ),
  ...bytes.map((one) => one.toFixed(0)),
])
const head = ['log: extension, B', 'update', 'CPU of the server: extension, µs', 'update']
console.log(`${database.version}, ${count.toLocaleString('en')} sessions of ${LENGTH} characters.\n`)
console.log(
  table(
    ['', ...head, 'a second: extensions', 'updates', 'bytes a session: new', 'all updated'],
    figures,
    'right',
  ),
)
await pool.end()
await database.remove()
