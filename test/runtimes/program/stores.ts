import { createHash } from 'node:crypto'
import { readdirSync, rmSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import { fileStore } from '../../../src/stores/file.ts'
import { memoryStore } from '../../../src/stores/memory.ts'
import { sqliteStore } from '../../../src/stores/sqlite.ts'
import { findDriver } from '../../../src/stores/sqlite-database.ts'
import { type StoreHarness, storeContract } from '../../../src/testing/index.ts'
import { temporaryFolder } from '../../stores/temporary.ts'
import type { Extent } from './extent.ts'
import { isBun } from './native-servers.ts'
import type { Suite } from './suite.ts'

/** What a worker is told to open, and this program is the worker. */
export type WorkerStore = 'memory' | 'file' | 'sqlite'

const worker = (kind: WorkerStore, path?: string) => ({
  file: process.argv[1] ?? '',
  args: path === undefined ? [kind] : [kind, path],
})

export function openStore(kind: WorkerStore, path = '') {
  return { memory: () => memoryStore(), file: () => fileStore(path), sqlite: () => sqliteStore(path) }[kind]()
}

const onDisk = {
  prepare: temporaryFolder,
  dispose: (folder: string) => rmSync(folder, { recursive: true }),
  expiry: 'given',
  shared: true,
} as const

const memory: StoreHarness<undefined> = {
  prepare: () => undefined,
  open: (_, clock) => memoryStore({ clock }),
  expiry: 'given',
  shared: false,
  abilities: { purge: true, ofUser: true, close: true },
  worker: () => worker('memory'),
}

const file: StoreHarness<string> = {
  ...onDisk,
  open: (folder, clock) => fileStore(folder, { clock }),
  abilities: { purge: true, ofUser: true, close: false },
  breakEntry(root, key) {
    const hash = createHash('sha256').update(key).digest('hex')
    const folder = join(root, hash.slice(0, 2), hash)
    const [data = ''] = readdirSync(folder).filter((name) => name.startsWith('data'))
    truncateSync(join(folder, data), 60)
  },
  removeSchema: (folder) => rmSync(folder, { recursive: true }),
  worker: (folder) => worker('file', folder),
}

const path = (folder: string) => join(folder, 'sessions.db')

const sqlite: StoreHarness<string> = {
  ...onDisk,
  open: (folder, clock) => sqliteStore(path(folder), { clock }),
  abilities: { purge: true, ofUser: true, close: true },
  breakEntry: (folder, key) => administer(folder, `UPDATE sessions SET value = x'ff00' WHERE key = '${key}'`),
  removeSchema: (folder) => administer(folder, 'DROP TABLE IF EXISTS sessions'),
  worker: (folder) => worker('sqlite', path(folder)),
}

/** By the driver that the store itself takes here: two copies of SQLite in one process undo each other's file locks. */
function administer(folder: string, sql: string): void {
  const database = new (findDriver())(path(folder))
  database.exec(sql)
  database.close()
}

/** What `sqliteStore` opens a path with on this runtime. */
function sqliteDriver(): string {
  if (isBun) return 'bun:sqlite'
  return process.getBuiltinModule?.('node:sqlite') ? 'node:sqlite' : 'libsql'
}

/** The store contract, a suite for each store. */
export function storeSuites(extent: Extent): Suite[] {
  const atHome = { memoryStore: memory, [`sqliteStore by ${sqliteDriver()}`]: sqlite }
  const harnesses = extent === 'all' ? { ...atHome, fileStore: file } : atHome
  return Object.entries(harnesses).map(([subject, harness]) => ({
    kind: 'store',
    subject,
    rules: storeContract(harness as StoreHarness),
  }))
}
