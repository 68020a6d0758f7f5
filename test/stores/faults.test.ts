import fs, {
  chmodSync,
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, vi } from 'vitest'
import type { Store } from '../../src/store.ts'
import { fileStore } from '../../src/stores/file.ts'
import { sqliteStore } from '../../src/stores/sqlite.ts'
import { openDatabase } from './databases.ts'
import { attemptAsNobody } from './processes.ts'
import { mayMount, smallDisk } from './small-disk.ts'
import { folderOfTest } from './temporary.ts'

function entry(value = '{}') {
  return { value, expiresAt: Date.now() + 60_000, userId: undefined }
}

/** Creates entries until the store fails; answers what it has acknowledged and how it failed. */
async function fill(store: Store, value: string): Promise<{ kept: string[]; error: Error }> {
  const kept: string[] = []
  for (let i = 0; i < 10_000; i++) {
    try {
      await store.create(`key ${i}`, entry(value))
      kept.push(`key ${i}`)
    } catch (error) {
      return { kept, error: error as Error }
    }
  }
  throw new Error('The store never failed')
}

async function expectKept(store: Store, kept: string[], value: string): Promise<void> {
  for (const key of kept) expect((await store.read(key))?.value).toBe(value)
}

describe('a full disk', () => {
  const value = 'x'.repeat(3000)

  it.each(['node:sqlite', 'better-sqlite3', 'libsql'])(
    'of SQLite (%s, by its page limit): a clear error, nothing lost',
    async (driver) => {
      const database = await openDatabase(driver, join(folderOfTest(), 'sessions.db'))
      database.exec('PRAGMA journal_mode = WAL')
      database.exec('PRAGMA max_page_count = 60')
      const store = sqliteStore(database)
      const { kept, error } = await fill(store, value)
      expect(error.message).toContain('database or disk is full')
      expect(kept.length).toBeGreaterThan(10)
      await expectKept(store, kept, value)
      const [first = '', second = ''] = kept
      const old = await store.read(second)
      await expect(store.update(second, entry('y'.repeat(50_000)), old?.version ?? 0)).rejects.toThrow('full')
      expect(await store.read(second)).toEqual(old)
      await store.delete(first)
      expect(await store.create('again', entry(value))).toBeDefined()
      database.close()
    },
  )

  it('of SQLite: the writes of one turn that still fit are kept', async () => {
    const database = await openDatabase('node:sqlite', join(folderOfTest(), 'sessions.db'))
    database.exec('PRAGMA max_page_count = 60')
    const store = sqliteStore(database)
    await store.create('first', entry())
    const results = await Promise.allSettled([
      store.create('small', entry()),
      store.create('large', entry('x'.repeat(1_000_000))),
      store.create('small, too', entry()),
    ])
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
    await expectKept(store, ['first', 'small', 'small, too'], '{}')
    database.close()
  })

  it.runIf(mayMount()).each([
    {
      kind: 'sqlite',
      open: (path: string) => sqliteStore(join(path, 'sessions.db')),
      says: /full|disk I\/O/,
    },
    { kind: 'file', open: (path: string) => fileStore(path), says: /ENOSPC/ },
  ])(
    'itself, under $kind: a clear error, nothing lost, and it goes on when there is room',
    async ({ open, says }) => {
      const disk = smallDisk(600_000)
      writeFileSync(join(disk, 'ballast'), Buffer.alloc(100_000))
      const store = open(disk)
      const { kept, error } = await fill(store, value)
      expect(error.message).toMatch(says)
      expect(kept.length).toBeGreaterThan(10)
      await expectKept(store, kept, value)
      const [first = ''] = kept
      const old = await store.read(first)
      await expect(store.update(first, entry('y'.repeat(200_000)), old?.version ?? 0)).rejects.toThrow(says)
      expect(await store.read(first)).toEqual(old)
      rmSync(join(disk, 'ballast'))
      expect(await store.create('again', entry(value))).toBeDefined()
      await expectKept(open(disk), [...kept, 'again'], value)
    },
  )
})

it('a disk that is full in the middle of a file leaves the session of a file store as it was', async () => {
  const folder = folderOfTest()
  const store = fileStore(folder)
  const version = await store.create('key', entry('old'))
  const before = readdirSync(folder, { recursive: true }).sort()
  const write = vi.spyOn(fs, 'writeFileSync').mockImplementation((path) => {
    write.mockRestore()
    writeFileSync(path, '{"key":"k')
    throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' })
  })
  await expect(store.update('key', entry('new'), version ?? 0)).rejects.toThrow('ENOSPC')
  expect(readdirSync(folder, { recursive: true }).sort()).toEqual(before)
  expect(await store.read('key')).toMatchObject({ value: 'old', version })
})

describe('a database file that', () => {
  async function databaseWith(entries: number): Promise<string> {
    const path = join(folderOfTest(), 'sessions.db')
    const store = sqliteStore(path)
    for (let i = 0; i < entries; i++) await store.create(`key ${i}`, entry('x'.repeat(500)))
    await store.close()
    return path
  }

  it('does not exist yet: is made with its folder, for its owner alone', async () => {
    const folder = folderOfTest()
    const path = join(folder, 'deep', 'down', 'sessions.db')
    const store = sqliteStore(path)
    await store.create('key', entry())
    expect(statSync(path).mode & 0o777).toBe(0o600)
    expect(statSync(join(folder, 'deep')).mode & 0o777).toBe(0o700)
    for (const name of readdirSync(join(folder, 'deep', 'down'))) {
      expect(statSync(join(folder, 'deep', 'down', name)).mode & 0o077).toBe(0)
    }
    await store.close()
  })

  it('is a folder: refused by its path', () => {
    const folder = folderOfTest()
    expect(() => sqliteStore(folder)).toThrow(`SQLite cannot open "${folder}"`)
  })

  it('is no database: refused by its path, and left as it is', () => {
    const path = join(folderOfTest(), 'sessions.db')
    writeFileSync(path, 'Dear diary, '.repeat(1000))
    expect(() => sqliteStore(path)).toThrow(`SQLite cannot open "${path}": file is not a database`)
    expect(statSync(path).size).toBe(12_000)
  })

  it('is cut off: refused by its path', async () => {
    const path = await databaseWith(200)
    truncateSync(path, 4096)
    expect(() => sqliteStore(path)).toThrow(`SQLite cannot open "${path}": database disk image is malformed`)
  })

  it('is damaged in the middle: the calls that meet the damage fail, the others do not', async () => {
    const path = await databaseWith(200)
    const file = openSync(path, 'r+')
    writeSync(file, Buffer.alloc(4096, 0xff), 0, 4096, 4096 * 8)
    closeSync(file)
    const store = sqliteStore(path)
    const reads = await Promise.allSettled(Array.from({ length: 200 }, (_, i) => store.read(`key ${i}`)))
    const failed = reads.flatMap((read) => (read.status === 'rejected' ? (read.reason as Error).message : []))
    expect(new Set(failed)).toEqual(new Set([`SQLite failed on "${path}": database disk image is malformed`]))
    expect(reads.some((read) => read.status === 'fulfilled' && read.value)).toBe(true)
    await store.close()
  })

  it('may only be read: reads answer, writes fail clearly', async () => {
    const folder = folderOfTest()
    const path = join(folder, 'sessions.db')
    const store = sqliteStore(path)
    await store.create('key', entry('kept'))
    chmodSync(folder, 0o755)
    for (const name of readdirSync(folder)) chmodSync(join(folder, name), 0o444)
    const report = await attemptAsNobody(['path', path, 'key'])
    // Whether SQLite can open a write-ahead log that it cannot write is up to its driver; that it says so is not.
    if (report.open === '"opened"') {
      expect(report.read).toBe('"kept"')
      expect(report.create).toMatch(
        /failed: SQLite failed on ".*sessions\.db": attempt to write a readonly database/,
      )
    } else expect(report.open).toMatch(/failed: SQLite cannot open ".*sessions\.db": .*(readonly|unable)/)
    expect((await store.read('key'))?.value).toBe('kept')
    expect(await store.read('new')).toBeUndefined()
    await store.close()
  })

  it('may not even be read: refused by its path', async () => {
    const folder = folderOfTest()
    const path = join(folder, 'sessions.db')
    await sqliteStore(path).close()
    chmodSync(folder, 0o755)
    chmodSync(path, 0o000)
    const { open } = await attemptAsNobody(['path', path])
    expect(open).toContain(`failed: SQLite cannot open "${path}": unable to open database file`)
  })

  it('is in a folder that may not be written: refused by its path', async () => {
    const folder = folderOfTest()
    chmodSync(folder, 0o555)
    const path = join(folder, 'sessions.db')
    const { open } = await attemptAsNobody(['path', path])
    expect(open).toContain(`failed: SQLite cannot open "${path}": EACCES: permission denied`)
  })
})

describe('a folder of a file store that', () => {
  it('is a file: refused by its path', () => {
    const path = join(folderOfTest(), 'sessions')
    writeFileSync(path, '')
    expect(() => fileStore(path)).toThrow(`Sessions cannot be kept in "${path}"`)
  })

  it('may not be written: refused by its path', async () => {
    const folder = folderOfTest()
    mkdirSync(join(folder, 'new'))
    chmodSync(folder, 0o555)
    const { open } = await attemptAsNobody(['file', folder])
    expect(open).toContain(`failed: Sessions cannot be kept in "${folder}": EACCES: permission denied`)
  })
})
