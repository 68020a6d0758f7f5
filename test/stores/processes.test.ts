import { readdirSync, utimesSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { fileStore } from '../../src/stores/file.ts'
import { runJob, Writer } from './processes.ts'
import { folderOfTest } from './temporary.ts'
import { openStore } from './workers/open.ts'

const STORES = [
  { kind: 'path', name: 'sessions.db' },
  { kind: 'better-sqlite3', name: 'sessions.db' },
  { kind: 'libsql', name: 'sessions.db' },
  { kind: 'file', name: 'sessions' },
]
const key = 'AbCdEfGhIjKlMnOpQrStUv'

function zero() {
  return { value: '0', expiresAt: Date.now() + 3_600_000, userId: 'alice' }
}

describe.each(STORES)('several processes on one store: $kind', ({ kind, name }) => {
  it('four processes make 1,000 updates of one entry, and 1,000 it is', async () => {
    const path = join(folderOfTest(), name)
    const store = await openStore(kind, path)
    await store.create(key, zero())
    const job = { kind: 'increment', key, times: 250 } as const
    await Promise.all(Array.from({ length: 4 }, () => runJob([kind, path], job)))
    expect((await store.read(key))?.value).toBe('1000')
  })
})

// A database that is passed in is made by the one who passes it in.
const OWN = STORES.filter(({ kind }) => kind === 'path' || kind === 'file')

describe.each(OWN)('processes that start and die: $kind', ({ kind, name }) => {
  it('four processes make the store at once, and nothing fails', async () => {
    const path = join(folderOfTest(), name)
    const jobs = ['a', 'b', 'c', 'd'].map((key) => runJob([kind, path], { kind: 'idle', key, times: 5 }))
    await Promise.all(jobs)
    const store = await openStore(kind, path)
    for (const key of ['a', 'b', 'c', 'd']) expect((await store.read(key))?.value).toBe('5')
  })

  it('a writer is killed twenty times: what was acknowledged is there, and nothing is locked', async () => {
    const path = join(folderOfTest(), name)
    const store = await openStore(kind, path)
    await store.create(key, zero())
    const survivor = new Writer([kind, path, key])
    await survivor.started()
    for (let kills = 0; kills < 20; kills++) {
      const victim = new Writer([kind, path, key])
      await victim.started()
      await sleep(Math.random() * 20)
      const acknowledged = await victim.kill()
      const entry = await store.read(key)
      expect(Number(entry?.value)).toBeGreaterThanOrEqual(acknowledged)
    }
    const before = survivor.acknowledged
    await survivor.kill()
    expect(before).toBeGreaterThan(0)
    const entry = await store.read(key)
    if (!entry) throw new Error('the entry is gone')
    expect(await store.update(key, { ...entry, value: '0' }, entry.version)).toHaveProperty('version')
  })
})

it('what killed processes leave in the folder of a file store is removed by a purge', async () => {
  const path = folderOfTest()
  const store = fileStore(path)
  await store.create(key, zero())
  for (let kills = 0; kills < 8; kills++) {
    const victims = [new Writer(['file', path, key]), new Writer(['file', path, key])]
    await Promise.all(victims.map((victim) => victim.started()))
    await sleep(Math.random() * 20)
    await Promise.all(victims.map((victim) => victim.kill()))
  }
  const entry = await store.read(key)
  if (!entry) throw new Error('the entry is gone')
  await store.update(key, entry, entry.version)
  const twoHoursAgo = Date.now() / 1000 - 7200
  for (const name of readdirSync(join(path, 'new')))
    utimesSync(join(path, 'new', name), twoHoursAgo, twoHoursAgo)
  await store.purge(1000)
  const entries = (await store.ofUser('alice')).length
  const left = readdirSync(path, { recursive: true, withFileTypes: true }).filter((file) => file.isFile())
  const data = left.filter(({ name }) => name.startsWith('data.'))
  const tokens = left.filter(({ name }) => name.startsWith('token.'))
  const marks = left.filter(({ parentPath }) => parentPath.startsWith(join(path, 'users')))
  expect([data.length, tokens.length, marks.length, left.length]).toEqual([
    entries,
    entries,
    entries,
    3 * entries,
  ])
})
