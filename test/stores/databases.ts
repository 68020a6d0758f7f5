import type { SqliteDatabase } from '../../src/stores/sqlite.ts'

/** What tests do with a database besides what the store does. */
export interface TestDatabase extends SqliteDatabase {
  close(): unknown
}

/** The drivers under test; Bun's runs in Bun alone. */
export const DRIVERS = ['node:sqlite', 'better-sqlite3', 'libsql'] as const

export async function openDatabase(driver: string, path: string): Promise<TestDatabase> {
  if (driver === 'node:sqlite') return new (await import('node:sqlite')).DatabaseSync(path)
  if (driver === 'better-sqlite3') return new (await import('better-sqlite3')).default(path)
  return new (await import('libsql')).default(path)
}
