import { copyFileSync, mkdirSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { expect, it, onTestFinished } from 'vitest'
import { sqliteStore } from '../../src/stores/sqlite.ts'
import { Checkpoints } from '../../src/stores/sqlite-checkpoints.ts'
import { folderOfTest } from './temporary.ts'

/** So many rows are worth a copy. */
const MANY = 2000

function databaseWithLog() {
  const path = join(folderOfTest(), 'sessions.db')
  const database = new DatabaseSync(path)
  onTestFinished(() => database.close())
  database.exec('PRAGMA journal_mode = WAL; CREATE TABLE log (n INTEGER); PRAGMA wal_checkpoint(TRUNCATE)')
  database.exec('PRAGMA wal_autocheckpoint = 77')
  const checkpoints = Checkpoints.of(database)
  if (!checkpoints) throw new Error('A file can be opened by another thread')
  onTestFinished(() => checkpoints.close())
  return { path, database, checkpoints }
}

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
  database.exec('INSERT INTO log VALUES (1)')
  await checkpoints.after(MANY - 1)
  expect(limitOf(database)).toBe(0)
  await checkpoints.after(1)
  expect(copied(path)).toBe(1)
})

it('copies the rest a while later, and leaves the log to SQLite again', async () => {
  const { path, database, checkpoints } = databaseWithLog()
  database.exec('INSERT INTO log VALUES (1)')
  await checkpoints.after(1)
  await expect.poll(() => limitOf(database)).toBe(77)
  expect(copied(path)).toBe(1)
  database.exec('INSERT INTO log VALUES (2)')
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
  expect(Checkpoints.of(database)).toBeUndefined()
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
