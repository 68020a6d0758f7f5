import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createStorage, prefixStorage, type Storage } from 'unstorage'
import fsDriver from 'unstorage/drivers/fs'
import lruCacheDriver from 'unstorage/drivers/lru-cache'
import memoryDriver from 'unstorage/drivers/memory'
import { describe, expect, it } from 'vitest'
import { createSessions } from '../../src/index.ts'
import { unstorageStore } from '../../src/stores/unstorage.ts'
import type { Data } from '../core/site.ts'
import { describeStore } from './contract.ts'
import { expectNothingLost } from './parallel.ts'
import { folderOfTest, temporaryFolder } from './temporary.ts'
import { tested } from './tested.ts'

const file = new URL('./workers/unstorage.ts', import.meta.url).pathname

const OPEN: Readonly<Record<string, (folder: string) => Storage>> = {
  memory: () => createStorage({ driver: memoryDriver() }),
  'lru-cache': () => createStorage({ driver: lruCacheDriver({ max: 10_000 }) }),
  fs: (folder) => createStorage({ driver: fsDriver({ base: folder }) }),
  // A storage may be a part of another one.
  'fs, behind a prefix': (folder) =>
    prefixStorage(createStorage({ driver: fsDriver({ base: folder }) }), 'site'),
}

for (const [name, open] of Object.entries(OPEN)) {
  tested('unstorageStore', 'unstorage', `its driver ${name}`)
  const storages = new Map<string, Storage>()
  describeStore(`unstorage, ${name}`, {
    prepare() {
      const folder = temporaryFolder()
      storages.set(folder, open(folder))
      return folder
    },
    open: (folder, clock) => unstorageStore(storages.get(folder) as Storage, { clock }),
    dispose: (folder) => rmSync(folder, { recursive: true }),
    expiry: 'given',
    shared: true,
    atomic: 'process',
    abilities: { purge: true, ofUser: false, close: false },
    breakEntry: (folder, key) => storages.get(folder)?.setItem(`sessions:${key}`, '{"value":'),
    ...(name === 'fs' && { worker: (folder: string) => ({ file, args: [folder] }) }),
  })
}

describe.each(Object.entries(OPEN))('through the core, on %s,', (_name, open) => {
  it('100 parallel requests lose neither their keys nor their updates', async () => {
    const sessions = createSessions<Data>({ store: unstorageStore(open(folderOfTest())) })
    await expectNothingLost([sessions])
  })
})

const HOUR = 3_600_000
const entry = (value = '{}', lifetime = HOUR) => ({
  value,
  expiresAt: Date.now() + lifetime,
  userId: undefined,
})

describe('what is kept', () => {
  it('stands under the prefix, with a lifetime in seconds that is a minute longer', async () => {
    const storage = OPEN['memory']?.('') as Storage
    const options: unknown[] = []
    const recording = {
      getItem: (key: string) => storage.getItem(key),
      getKeys: (base: string) => storage.getKeys(base),
      removeItem: (key: string) => storage.removeItem(key),
      setItem: (key: string, value: object, option: unknown) => {
        options.push(option)
        return storage.setItem(key, value as never)
      },
    }
    await unstorageStore(recording, { prefix: 'app:sessions' }).create('key', entry('text', 500))
    expect(await storage.getKeys()).toEqual(['app:sessions:key'])
    expect(await storage.getItem('app:sessions:key')).toMatchObject({ value: 'text' })
    expect(options).toEqual([{ ttl: 61 }])
  })

  it('by others is neither purged nor taken for a session', async () => {
    const storage = OPEN['memory']?.('') as Storage
    const theirs = { 'sessions:cart': { expiresAt: 1 }, sessionsX: 'text', 'other:key': 5 }
    for (const [key, value] of Object.entries(theirs)) await storage.setItem(key, value)
    const store = unstorageStore(storage)
    await store.create('expired', entry('', -1))
    expect(await store.read('cart')).toBeUndefined()
    expect(await store.purge(100)).toBe(1)
    for (const [key, value] of Object.entries(theirs)) expect(await storage.getItem(key)).toEqual(value)
    expect(await storage.getKeys()).toHaveLength(3)
  })
})

it('has no purge where the driver removes what has expired', () => {
  expect(unstorageStore(OPEN['memory']?.('') as Storage, { driverExpires: true })).not.toHaveProperty('purge')
})

it('says what failed, and quotes nothing', async () => {
  const storage = OPEN['memory']?.('') as Storage
  const cause = new Error('connection to redis://user:password lost')
  const store = unstorageStore({ ...storage, getItem: () => Promise.reject(cause) })
  await expect(store.read('key')).rejects.toMatchObject({
    message: 'The storage of unstorage failed to read',
    cause,
  })
})

it('reads what another process has written only in half as nothing', async () => {
  const folder = folderOfTest()
  const store = unstorageStore(OPEN['fs']?.(folder) as Storage)
  await store.create('key', entry('text'))
  writeFileSync(join(folder, 'sessions', 'key'), '{"value":"te')
  expect(await store.read('key')).toBeUndefined()
})

describe('misuse is refused at once:', () => {
  const storage = createStorage()

  it.each([
    ['"storage"', () => unstorageStore(undefined as never)],
    ['"storage"', () => unstorageStore(new Map() as never)],
    ['"prefix"', () => unstorageStore(storage, { prefix: '' })],
    ['"prefix"', () => unstorageStore(storage, { prefix: 'a/b' })],
    ['"prefix"', () => unstorageStore(storage, { prefix: 'a?b' })],
    ['"prefix"', () => unstorageStore(storage, { prefix: 'sessions:' })],
    ['"driverExpires"', () => unstorageStore(storage, { driverExpires: 'yes' as never })],
    ['"clock"', () => unstorageStore(storage, { clock: 5 as never })],
    ['"prefix"', () => unstorageStore(storage, { prefx: 'sessions' } as never)],
  ])('%s', (option, construct) => {
    expect(construct).toThrow(TypeError)
    expect(construct).toThrow(option)
  })
})
