import type { Store } from '../../../src/store.ts'
import { fileStore } from '../../../src/stores/file.ts'
import { memoryStore } from '../../../src/stores/memory.ts'
import { type SqliteStore, sqliteStore } from '../../../src/stores/sqlite.ts'
import { openDatabase } from '../databases.ts'

/** Four of these on a machine with two cores and other work: what is at stake is what they write, not when. */
const PATIENT = { busyTimeout: '60s' } as const

/** Opens what two arguments of a worker name: the kind of the store, and its path. */
export async function openStore(kind = '', path = ''): Promise<Store> {
  if (kind === 'memory') return memoryStore()
  if (kind === 'file') return fileStore(path)
  if (kind === 'path') return sqliteStore(path, PATIENT)
  return passIn(kind, path)
}

async function passIn(driver: string, path: string): Promise<SqliteStore> {
  const database = await openDatabase(driver, path)
  database.exec('PRAGMA journal_mode = WAL')
  return sqliteStore(database, PATIENT)
}
