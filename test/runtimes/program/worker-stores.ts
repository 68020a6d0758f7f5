import { type D1Client, d1Store } from '../../../src/stores/d1.ts'
import { memoryStore } from '../../../src/stores/memory.ts'
import { type StoreHarness, storeContract } from '../../../src/testing/index.ts'
import type { Suite } from './suite.ts'

const memory: StoreHarness<undefined> = {
  prepare: () => undefined,
  open: (_, clock) => memoryStore({ clock }),
  expiry: 'given',
  shared: false,
  abilities: { purge: true, ofUser: true, close: true },
}

let tables = 0

const d1 = (database: D1Client): StoreHarness<string> => ({
  prepare: () => `sessions ${++tables}`,
  open: (table, clock) => d1Store(database, { table, clock }),
  expiry: 'given',
  shared: true,
  abilities: { purge: true, ofUser: true, close: false },
  breakEntry: (table, key) =>
    database.prepare(`UPDATE "${table}" SET value = x'ff00' WHERE key = ?`).bind(key).all(),
  removeSchema: (table) => database.prepare(`DROP TABLE IF EXISTS "${table}"`).bind().all(),
})

/** The store contract inside a Worker, a suite for each store. */
export function workerStoreSuites(database: D1Client): Suite[] {
  const harnesses = { memoryStore: memory, d1Store: d1(database) }
  return Object.entries(harnesses).map(([subject, harness]) => ({
    kind: 'store',
    subject,
    rules: storeContract(harness as StoreHarness),
  }))
}
