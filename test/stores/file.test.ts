import { createHash } from 'node:crypto'
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { fileStore } from '../../src/stores/file.ts'
import { describeStore } from './contract.ts'
import { folderOfTest, temporaryFolder } from './temporary.ts'

function folderOf(root: string, key: string): string {
  const hash = createHash('sha256').update(key).digest('hex')
  return join(root, hash.slice(0, 2), hash)
}

for (const synchronous of ['normal', 'full'] as const) {
  describeStore(`file, synchronous ${synchronous}`, {
    prepare: temporaryFolder,
    open: (folder, clock) => fileStore(folder, { clock, synchronous }),
    dispose: (folder) => rmSync(folder, { recursive: true }),
    expiry: 'given',
    shared: true,
    abilities: { purge: true, ofUser: true, close: false },
    breakEntry(root, key) {
      const folder = folderOf(root, key)
      const [data = ''] = readdirSync(folder).filter((name) => name.startsWith('data'))
      truncateSync(join(folder, data), 60)
    },
    removeSchema: (folder) => rmSync(folder, { recursive: true }),
    worker: (folder) => ({
      file: new URL('./workers/contract.ts', import.meta.url).pathname,
      args: ['file', folder],
    }),
  })
}

const key = 'AbCdEfGhIjKlMnOpQrStUv'

function entry(changes = {}) {
  return { value: '{"cart":[]}', expiresAt: Date.now() + 60_000, userId: 'alice@example.org', ...changes }
}

function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true }).map(String)
}

describe('the files of a file store', () => {
  it('are for their owner alone', async () => {
    const folder = join(folderOfTest(), 'sessions')
    const store = fileStore(folder)
    const version = await store.create(key, entry())
    await store.update(key, entry({ userId: 'bob' }), version ?? 0)
    expect(statSync(folder).mode & 0o777).toBe(0o700)
    for (const name of filesIn(folder)) expect(statSync(join(folder, name)).mode & 0o077).toBe(0)
  })

  it('are named by hashes: neither key nor user shows', async () => {
    const folder = folderOfTest()
    const store = fileStore(folder)
    await store.create('../../escape', entry({ userId: '../alice' }))
    await store.create(key, entry())
    const names = filesIn(folder).join()
    for (const word of ['escape', 'alice', key, '..']) expect(names).not.toContain(word)
    expect(existsSync(folderOf(folder, key))).toBe(true)
  })

  it('tell expiry and user by their names, so that neither a purge nor a list opens the others', async () => {
    const folder = folderOfTest()
    const store = fileStore(folder)
    await store.create(key, entry({ expiresAt: 1_900_000_000_000 }))
    const names = readdirSync(folderOf(folder, key)).sort()
    expect(names).toHaveLength(2)
    expect(names[1]).toMatch(/^token\..*\.1900000000000\.[0-9a-f]{64}$/)
    expect(readFileSync(join(folderOf(folder, key), names[1] ?? ''))).toHaveLength(0)
  })

  it('that hold nothing but zeros after a power loss are no session', async () => {
    const folder = folderOfTest()
    const store = fileStore(folder)
    await store.create(key, entry())
    const [data = ''] = readdirSync(folderOf(folder, key)).sort()
    const path = join(folderOf(folder, key), data)
    writeFileSync(path, Buffer.alloc(statSync(path).size))
    expect(await store.read(key)).toBeUndefined()
    expect(await store.ofUser('alice@example.org')).toEqual([])
    expect(await store.create(key, entry())).toBeDefined()
    expect(await store.read(key)).toBeDefined()
  })

  it('that are not its own stay as they are', async () => {
    const folder = folderOfTest()
    const store = fileStore(folder)
    await store.create(key, entry({ expiresAt: Date.now() - 1 }))
    const own = filesIn(folder)
    const strange = [
      'README',
      'new/notes',
      'users/readme',
      '00/readme',
      `${folderOf('', key).slice(0, 2)}/readme`,
    ]
    for (const name of strange) {
      mkdirSync(join(folder, name, '..'), { recursive: true })
      writeFileSync(join(folder, name), 'mine')
      utimesSync(join(folder, name), 0, 0)
    }
    expect(await store.purge(10)).toBe(1)
    expect(filesIn(folder).length).toBeLessThan(own.length + strange.length)
    for (const name of strange) expect(readFileSync(join(folder, name), 'utf8')).toBe('mine')
  })

  it('of another process that is making an entry stay, until they are an hour old', async () => {
    const folder = folderOfTest()
    const store = fileStore(folder)
    const made = join(folder, 'new', '0123456789abcdef')
    mkdirSync(made)
    await store.purge(10)
    expect(existsSync(made)).toBe(true)
    const twoHoursAgo = Date.now() / 1000 - 7200
    utimesSync(made, twoHoursAgo, twoHoursAgo)
    await store.purge(10)
    expect(existsSync(made)).toBe(false)
  })
})

describe('a purge of a file store', () => {
  it('goes on where the last one stopped, and lets others run in between', async () => {
    const store = fileStore(folderOfTest())
    for (let i = 0; i < 300; i++) await store.create(`key ${i}`, entry({ expiresAt: Date.now() - 1 }))
    let turns = 0
    let done = false
    const count = () => {
      turns++
      if (!done) setImmediate(count)
    }
    setImmediate(count)
    const counts = [
      await store.purge(100),
      await store.purge(100),
      await store.purge(101),
      await store.purge(100),
    ]
    done = true
    expect(counts).toEqual([100, 100, 100, 0])
    expect(turns).toBeGreaterThanOrEqual(300 / 16)
  })
})

describe('misuse is refused at once:', () => {
  it.each([
    ['"folder"', () => fileStore('')],
    ['"folder"', () => fileStore(undefined as never)],
    ['"synchronous"', () => fileStore('/tmp', { synchronous: true as never })],
    ['"clock"', () => fileStore('/tmp', { clock: 5 as never })],
    ['"synchronous"', () => fileStore('/tmp', { synchronus: 'full' } as never)],
  ])('%s', (option, construct) => {
    expect(construct).toThrow(TypeError)
    expect(construct).toThrow(option)
  })
})
