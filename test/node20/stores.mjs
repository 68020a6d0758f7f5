// The store contract on Node 20, against the built package. There is no SQLite in that Node, and better-sqlite3 no longer
// runs on it, so a path is opened with libsql.
import { createHash } from 'node:crypto'
import { mkdtempSync, readdirSync, rmSync, truncateSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import Database from 'libsql'
import { fileStore } from 'sojourn/file'
import { memoryStore } from 'sojourn/memory'
import { sqliteStore } from 'sojourn/sqlite'
import { storeContract } from 'sojourn/testing'

const worker = fileURLToPath(new URL('worker.mjs', import.meta.url))

const onDisk = {
  prepare: () => mkdtempSync(join(tmpdir(), 'sojourn-node20-')),
  dispose: (folder) => rmSync(folder, { recursive: true }),
  expiry: 'given',
  shared: true,
}

const HARNESSES = {
  memory: {
    prepare: () => undefined,
    open: (_, clock) => memoryStore({ clock }),
    expiry: 'given',
    shared: false,
    abilities: { purge: true, ofUser: true, close: true },
    worker: () => ({ file: worker, args: ['memory'] }),
  },
  file: {
    ...onDisk,
    open: (folder, clock) => fileStore(folder, { clock }),
    abilities: { purge: true, ofUser: true, close: false },
    breakEntry(root, key) {
      const hash = createHash('sha256').update(key).digest('hex')
      const folder = join(root, hash.slice(0, 2), hash)
      const [data] = readdirSync(folder).filter((name) => name.startsWith('data'))
      truncateSync(join(folder, data), 60)
    },
    removeSchema: (folder) => rmSync(folder, { recursive: true }),
    worker: (folder) => ({ file: worker, args: ['file', folder] }),
  },
  'sqlite by libsql': {
    ...onDisk,
    open: (folder, clock) => sqliteStore(join(folder, 'sessions.db'), { clock }),
    abilities: { purge: true, ofUser: true, close: true },
    breakEntry: (folder, key) =>
      administer(folder, `UPDATE sessions SET value = x'ff00' WHERE key = '${key}'`),
    removeSchema: (folder) => administer(folder, 'DROP TABLE IF EXISTS sessions'),
    worker: (folder) => ({ file: worker, args: ['sqlite', join(folder, 'sessions.db')] }),
  },
}

function administer(folder, sql) {
  const database = new Database(join(folder, 'sessions.db'))
  database.exec(sql)
  database.close()
}

for (const [name, harness] of Object.entries(HARNESSES)) {
  describe(`the store contract: ${name}`, () => {
    for (const { name: rule, skip, run } of storeContract(harness)) it(rule, { skip: skip ?? false }, run)
  })
}
