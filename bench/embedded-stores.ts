/*
 * What the embedded stores cost, and the roads that were not taken: the figures of decisions/sqlite-driver.md and
 * decisions/file-store-compare-and-set.md.
 *   node bench/embedded-stores.ts
 */
import fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import BetterSqlite3 from 'better-sqlite3'
import Libsql from 'libsql'
import type { Store, Version } from '../src/store.ts'
import { fileStore } from '../src/stores/file.ts'
import { memoryStore } from '../src/stores/memory.ts'
import { type SqliteDatabase, sqliteStore } from '../src/stores/sqlite.ts'
import { show, spread, table } from './statistics.ts'

const ROUNDS = 7
const KEYS = 1000
const entry = { value: 'x'.repeat(280), expiresAt: Date.now() + 1e9, userId: undefined }
const folder = fs.mkdtempSync(join(tmpdir(), 'sojourn-bench-'))

type Step = (index: number) => unknown

/** Microseconds a call, `width` calls at a time. */
async function time(step: Step, width = 1): Promise<number> {
  const start = performance.now()
  for (let i = 0; i < KEYS; i += width)
    await Promise.all(Array.from({ length: width }, (_, j) => step(i + j)))
  return ((performance.now() - start) / KEYS) * 1000
}

/** Interleaved rounds: what slows one of them slows all. The first one warms up. */
async function compare(
  title: string,
  parts: Record<string, () => Promise<number[]>>,
  head: string[],
): Promise<void> {
  const times = new Map<string, number[][]>()
  for (let round = -1; round < ROUNDS; round++) {
    for (const [name, part] of Object.entries(parts)) {
      const columns = await part()
      if (round >= 0) times.set(name, [...(times.get(name) ?? []), columns])
    }
  }
  const rows = [...times].map(([name, all]) => [
    name,
    ...head.map((_, column) => show(spread(all.map((columns) => columns[column] ?? Number.NaN)), 1)),
  ])
  console.log(`\n${title}, µs a call, median (least-most) of ${ROUNDS} rounds\n`)
  console.log(table(['', ...head], rows, 'right'))
}

function wal(database: SqliteDatabase): SqliteDatabase {
  database.exec('PRAGMA journal_mode = WAL')
  database.exec('PRAGMA synchronous = NORMAL')
  return database
}

async function measure(store: Store): Promise<() => Promise<number[]>> {
  const versions: Version[] = []
  for (let i = 0; i < KEYS; i++) versions.push((await store.create(`key ${i}`, entry)) as Version)
  const update: Step = async (i) => {
    const result = await store.update(`key ${i}`, entry, versions[i] as Version)
    if (result && 'version' in result) versions[i] = result.version
  }
  return async () => [await time((i) => store.read(`key ${i}`)), await time(update), await time(update, 20)]
}

await compare(
  'The embedded stores',
  {
    memory: await measure(memoryStore()),
    'SQLite, node:sqlite': await measure(sqliteStore(wal(new DatabaseSync(join(folder, 'node.db'))))),
    'SQLite, better-sqlite3': await measure(sqliteStore(wal(new BetterSqlite3(join(folder, 'better.db'))))),
    'SQLite, libsql': await measure(sqliteStore(wal(new Libsql(join(folder, 'libsql.db'))))),
    file: await measure(fileStore(join(folder, 'files'))),
  },
  ['read', 'update', 'update, 20 at once'],
)

// One transaction for each write, as a store without a queue has it.
const alone = wal(new DatabaseSync(join(folder, 'alone.db')))
alone.exec('CREATE TABLE sessions (key TEXT PRIMARY KEY, value TEXT, version INTEGER) WITHOUT ROWID')
for (let i = 0; i < KEYS; i++) alone.exec(`INSERT INTO sessions VALUES ('key ${i}', '', 1)`)
const single = alone.prepare('UPDATE sessions SET value = ?, version = version + 1 WHERE key = ?')
const grouped = await measure(sqliteStore(wal(new DatabaseSync(join(folder, 'grouped.db')))))
await compare(
  'SQLite, 20 writes at once',
  {
    'a transaction for each': async () => [await time((i) => single.run(entry.value, `key ${i}`), 20)],
    'a transaction for all of a turn': async () => [(await grouped())[2] ?? Number.NaN],
  },
  ['update'],
)

// The calls of one read of the file store: list the folder, read a file.
const calls = join(folder, 'calls')
for (let i = 0; i < KEYS; i++) {
  fs.mkdirSync(join(calls, `${i}`), { recursive: true })
  fs.writeFileSync(join(calls, `${i}`, 'data'), entry.value)
}
const readSync: Step = (i) => {
  fs.readdirSync(join(calls, `${i}`))
  return fs.readFileSync(join(calls, `${i}`, 'data'), 'utf8')
}
const read: Step = async (i) => {
  await fs.promises.readdir(join(calls, `${i}`))
  return fs.promises.readFile(join(calls, `${i}`, 'data'), 'utf8')
}
await compare(
  'The file system, one read',
  {
    synchronous: async () => [await time(readSync), await time(readSync, 20)],
    asynchronous: async () => [await time(read), await time(read, 20)],
  },
  ['one at a time', '20 at once'],
)
fs.rmSync(folder, { recursive: true })
