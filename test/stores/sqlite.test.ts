import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { sqliteStore } from '../../src/stores/sqlite.ts'
import { describeStore } from './contract.ts'
import { DRIVERS, openDatabase, type TestDatabase } from './databases.ts'
import { temporaryFolder } from './temporary.ts'

const file = new URL('./workers/contract.ts', import.meta.url).pathname

/**
 * By a connection of its own, as an administrator would; but of the same driver, since two copies of SQLite in one
 * process undo each other's file locks.
 */
async function administer(driver: string, folder: string, sql: string): Promise<void> {
  const database = await openDatabase(driver, join(folder, 'sessions.db'))
  database.exec(sql)
  database.close()
}

const shape = {
  expiry: 'given',
  shared: true,
  abilities: { purge: true, ofUser: true, close: true },
} as const

describeStore('sqlite, a path', {
  ...shape,
  prepare: temporaryFolder,
  open: (folder, clock) => sqliteStore(join(folder, 'sessions.db'), { clock }),
  dispose: (folder) => rmSync(folder, { recursive: true }),
  breakEntry: (folder, key) =>
    administer('node:sqlite', folder, `UPDATE sessions SET value = x'ff00' WHERE key = '${key}'`),
  removeSchema: (folder) => administer('node:sqlite', folder, 'DROP TABLE IF EXISTS sessions'),
  worker: (folder) => ({ file, args: ['path', join(folder, 'sessions.db')] }),
})

for (const driver of DRIVERS) {
  const opened = new Map<string, TestDatabase[]>()
  describeStore(`sqlite, a database of ${driver}`, {
    ...shape,
    prepare() {
      const folder = temporaryFolder()
      opened.set(folder, [])
      return folder
    },
    async open(folder, clock) {
      const database = await openDatabase(driver, join(folder, 'sessions.db'))
      database.exec('PRAGMA journal_mode = WAL')
      opened.get(folder)?.push(database)
      return sqliteStore(database, { clock })
    },
    dispose(folder) {
      for (const database of opened.get(folder) ?? []) database.close()
      rmSync(folder, { recursive: true })
    },
    breakEntry: (folder, key) =>
      administer(driver, folder, `UPDATE sessions SET value = x'ff00' WHERE key = '${key}'`),
    removeSchema: (folder) => administer(driver, folder, 'DROP TABLE IF EXISTS sessions'),
    worker: (folder) => ({ file, args: [driver, join(folder, 'sessions.db')] }),
  })
}
