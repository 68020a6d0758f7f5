import { copyFileSync, mkdirSync, renameSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, expect, it, onTestFinished, vi } from 'vitest'
import { sqliteStore } from '../../src/stores/sqlite.ts'
import { Checkpoints } from '../../src/stores/sqlite-checkpoints.ts'
import { folderOfTest } from './temporary.ts'

/** So many rows are worth a copy. */
const MANY = 1000

function databaseWithLog() {
  const path = join(folderOfTest(), 'sessions.db')
  const database = new DatabaseSync(path)
  onTestFinished(() => database.close())
  database.exec(
    'PRAGMA journal_mode = WAL; CREATE TABLE log (n INTEGER, filling TEXT); PRAGMA wal_checkpoint(TRUNCATE)',
  )
  database.exec('PRAGMA wal_autocheckpoint = 77')
  const hold = vi.fn()
  const checkpoints = Checkpoints.of(database, hold)
  if (!checkpoints) throw new Error('A file can be opened by another thread')
  onTestFinished(() => checkpoints.close())
  return { path, database, checkpoints, hold }
}

/** Who writes that many rows in so many milliseconds gets the thread. */
const A_WHILE = 5000
/** So long it has the thread when there is nothing to copy. */
const A_REST = 60_000

afterEach(() => {
  vi.useRealTimers()
})

/** After how many pages of log this connection copies them itself; 0 for never. */
function limitOf(database: DatabaseSync): unknown {
  return Object.values(database.prepare('PRAGMA wal_autocheckpoint').get() as object)[0]
}

/** How many rows the database has without its log. */
function copied(path: string): number {
  copyFileSync(path, `${path}-alone`)
  const database = new DatabaseSync(`${path}-alone`)
  const { n } = database.prepare('SELECT count(*) AS n FROM log').get() as { n: number }
  database.close()
  return n
}

it('copies the log to the database when there is much of it', async () => {
  const { path, database, checkpoints } = databaseWithLog()
  database.exec('INSERT INTO log (n) VALUES (1)')
  await checkpoints.after(MANY - 1)
  expect(limitOf(database)).toBe(0)
  await checkpoints.after(1)
  expect(copied(path)).toBe(1)
})

it('copies the rest a while later, and leaves the log to SQLite again', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  const { path, database, checkpoints } = databaseWithLog()
  database.exec('INSERT INTO log (n) VALUES (1)')
  await checkpoints.after(1)
  vi.advanceTimersByTime(A_REST)
  vi.useRealTimers()
  await expect.poll(() => limitOf(database), { timeout: 30_000 }).toBe(77)
  expect(copied(path)).toBe(1)
  database.exec('INSERT INTO log (n) VALUES (2)')
  await checkpoints.after(MANY)
  expect(copied(path)).toBe(2)
})

it('leaves the log to SQLite for good when the thread cannot open the database', async () => {
  const { path, database, checkpoints } = databaseWithLog()
  renameSync(path, `${path}-moved`)
  mkdirSync(path)
  await checkpoints.after(MANY)
  expect(limitOf(database)).toBe(77)
  await checkpoints.after(MANY)
  expect(limitOf(database)).toBe(77)
})

it('leaves the log to SQLite where little is written', () => {
  vi.useFakeTimers({ toFake: ['performance'] })
  const { database, checkpoints } = databaseWithLog()
  for (let i = 0; i < 3; i++) {
    vi.advanceTimersByTime(A_WHILE)
    checkpoints.wrote(MANY - 1)
    checkpoints.wrote(1)
    expect(limitOf(database)).toBe(77)
  }
  vi.advanceTimersByTime(A_WHILE - 1)
  checkpoints.wrote(MANY)
  expect(limitOf(database)).toBe(0)
})

it('begins the log anew when it is long, while nobody writes', async () => {
  const { database, checkpoints, hold } = databaseWithLog()
  await checkpoints.after(1)
  for (let n = 0; n < 4100; n++)
    database.prepare('INSERT INTO log (n, filling) VALUES (?, ?)').run(n, 'x'.repeat(4000))
  await checkpoints.after(MANY)
  expect(hold.mock.calls).toEqual([[true], [false]])
  database.exec('INSERT INTO log (n) VALUES (1)')
  const { log } = database.prepare('PRAGMA wal_checkpoint(PASSIVE)').get() as { log: number }
  expect(log).toBeLessThan(10)
})

it('keeps writes waiting that come faster than the log is copied, and lets them go on', async () => {
  const { checkpoints, hold } = databaseWithLog()
  const copied = checkpoints.after(MANY)
  checkpoints.wrote(3999)
  expect(hold).not.toHaveBeenCalled()
  checkpoints.wrote(1)
  expect(hold).toHaveBeenCalledExactlyOnceWith(true)
  await copied
  expect(hold).toHaveBeenLastCalledWith(false)
})

it('keeps no write waiting whose thread is gone', async () => {
  const { checkpoints, hold } = databaseWithLog()
  const copied = checkpoints.after(MANY)
  checkpoints.wrote(4000)
  await checkpoints.close()
  await copied
  expect(hold.mock.calls).toEqual([[true], [false]])
})

it('leaves the log to SQLite once it is closed', async () => {
  const { database, checkpoints } = databaseWithLog()
  await checkpoints.after(1)
  await checkpoints.close()
  await checkpoints.after(MANY)
  expect(limitOf(database)).toBe(77)
})

it('knows where there is nothing to copy', () => {
  const database = new DatabaseSync(':memory:')
  onTestFinished(() => database.close())
  expect(Checkpoints.of(database, () => undefined)).toBeUndefined()
})

it('a store that is closed in the middle of a purge leaves a whole database', async () => {
  const path = join(folderOfTest(), 'sessions.db')
  const store = sqliteStore(path)
  const [expired, alive] = [Date.now() - 1000, Date.now() + 600_000]
  const make = (i: number) =>
    store.create(`key ${i}`, { value: '{}', expiresAt: i % 3 ? expired : alive, userId: undefined })
  await Promise.all(Array.from({ length: 6000 }, (_, i) => make(i)))
  expect(await store.purge(2500)).toBe(2500)
  const purging = store.purge(2000).catch((error) => error.message)
  await store.close()
  expect(['The SQLite store is closed', 1500]).toContain(await purging)
  const again = sqliteStore(path)
  await again.purge(10_000)
  await again.close()
  const database = new DatabaseSync(path)
  onTestFinished(() => database.close())
  expect(database.prepare('PRAGMA integrity_check').get()).toEqual({ integrity_check: 'ok' })
  expect(database.prepare('SELECT count(*) AS n FROM sessions').get()).toEqual({ n: 2000 })
})

it('a store that is written to without a rest keeps its log short, and all that it was told', async () => {
  const path = join(folderOfTest(), 'sessions.db')
  const store = sqliteStore(path)
  const keys = Array.from({ length: 20 }, (_, i) => `key ${i}`)
  const live = { expiresAt: Date.now() + 600_000, userId: undefined }
  const count = async (key: string) => {
    let version = await store.create(key, { ...live, value: '0' })
    for (let n = 1; n <= 1000; n++) {
      // Long values, so that each takes a page of its own.
      const answer = await store.update(key, { ...live, value: String(n).padStart(3000) }, version ?? '')
      version = answer && 'version' in answer ? answer.version : undefined
    }
  }
  await Promise.all(keys.map(count))
  expect(statSync(`${path}-wal`).size).toBeLessThan(40_000_000)
  for (const key of keys) expect(Number((await store.read(key))?.value)).toBe(1000)
  await store.close()
})
