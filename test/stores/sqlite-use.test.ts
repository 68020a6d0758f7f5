import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { createSessions } from '../../src/index.ts'
import { sqliteSchema, sqliteStore } from '../../src/stores/sqlite.ts'
import { Browser } from '../core/browser.ts'
import { DRIVERS, openDatabase, type TestDatabase } from './databases.ts'
import { folderOfTest } from './temporary.ts'

function entry(value = '{}') {
  return { value, expiresAt: Date.now() + 60_000, userId: undefined }
}

async function databaseOf(driver: string, path = ':memory:'): Promise<TestDatabase> {
  const database = await openDatabase(driver, path)
  if (path !== ':memory:') database.exec('PRAGMA journal_mode = WAL')
  return database
}

describe.each(DRIVERS)('a lock held by another connection, with %s', (driver) => {
  async function locked(busyTimeout: `${number}ms`) {
    const path = join(folderOfTest(), 'sessions.db')
    const other = await databaseOf(driver, path)
    const database = await databaseOf(driver, path)
    // What the driver waits by itself blocks everything; five seconds are the default of better-sqlite3.
    database.exec('PRAGMA busy_timeout = 5')
    const store = sqliteStore(database, { busyTimeout })
    await store.create('key', entry('old'))
    other.exec('BEGIN IMMEDIATE')
    return { store, other }
  }

  it('holds a write back until it is released, and neither reads nor the event loop', async () => {
    const { store, other } = await locked('20000ms')
    let answered = false
    const writing = store.create('new', entry()).then((version) => {
      answered = true
      return version
    })
    await sleep(30)
    expect(answered).toBe(false)
    expect((await store.read('key'))?.value).toBe('old')
    other.exec('COMMIT')
    expect(await writing).toBeDefined()
    expect(await store.read('new')).toBeDefined()
  })

  it('does not hold back a purge that finds nothing', async () => {
    const { store, other } = await locked('40ms')
    expect(await store.purge(500)).toBe(0)
    other.exec('ROLLBACK')
  })

  it('fails a write that it holds back for too long, clearly, and the next one succeeds', async () => {
    const { store, other } = await locked('40ms')
    await expect(store.create('new', entry())).rejects.toThrow(
      'stayed locked by another connection for 40 ms',
    )
    other.exec('ROLLBACK')
    expect(await store.read('new')).toBeUndefined()
    expect(await store.create('new', entry())).toBeDefined()
  })
})

describe.each(DRIVERS)('a database that the application uses, too, with %s', (driver) => {
  it('loses no session when the application rolls its own transaction back', async () => {
    const database = await databaseOf(driver, join(folderOfTest(), 'app.db'))
    database.exec('CREATE TABLE books (title TEXT)')
    const store = sqliteStore(database)
    database.exec('BEGIN')
    database.exec("INSERT INTO books VALUES ('Emma')")
    const writing = store.create('key', entry())
    await sleep(20)
    database.exec('ROLLBACK')
    expect(await writing).toBeDefined()
    expect(await store.read('key')).toBeDefined()
    expect(database.prepare('SELECT * FROM books').all()).toEqual([])
  })

  it('stays open when the store is closed', async () => {
    const database = await databaseOf(driver)
    const store = sqliteStore(database)
    const writing = store.create('key', entry())
    await store.close()
    await writing
    await expect(store.read('key')).rejects.toThrow('closed')
    await expect(store.create('new', entry())).rejects.toThrow('closed')
    expect(database.prepare('SELECT key FROM sessions').all()).toMatchObject([{ key: 'key' }])
    database.close()
  })

  it('keeps two stores apart by their tables, whatever these are called', async () => {
    const database = await databaseOf(driver)
    const name = 'my "sessions"; DROP TABLE users; --'
    const [one, two] = [sqliteStore(database, { table: name }), sqliteStore(database)]
    await one.create('key', entry('one'))
    await two.create('key', entry('two'))
    expect((await one.read('key'))?.value).toBe('one')
    expect((await two.read('key'))?.value).toBe('two')
    database.exec(sqliteSchema(name))
    await one.delete('key')
    expect(await one.read('key')).toBeUndefined()
    expect((await two.read('key'))?.value).toBe('two')
  })

  it('has what it needs in the schema that is printed', async () => {
    const database = await databaseOf(driver)
    database.exec(sqliteSchema())
    const store = sqliteStore(database)
    await store.create('key', { ...entry(), userId: 'alice' })
    expect(await store.ofUser('alice')).toHaveLength(1)
  })

  it('fails one bad write of a turn, and not its neighbours', async () => {
    const store = sqliteStore(await databaseOf(driver))
    const results = await Promise.allSettled([
      store.create('one', entry()),
      store.create('bad', { ...entry(), expiresAt: 1.5 }),
      store.create('two', entry()),
    ])
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
    expect(await store.read('one')).toBeDefined()
    expect(await store.read('bad')).toBeUndefined()
    expect(await store.read('two')).toBeDefined()
  })
})

describe('a path', () => {
  afterEach(() => vi.restoreAllMocks())

  it('is opened in WAL mode, with the sync that is asked for', async () => {
    for (const [synchronous, expected] of [
      ['normal', 1],
      ['full', 2],
    ] as const) {
      const path = join(folderOfTest(), 'sessions.db')
      const exec = vi.spyOn((await import('node:sqlite')).DatabaseSync.prototype, 'exec')
      const store = sqliteStore(path, { synchronous })
      const [database] = exec.mock.contexts as unknown as TestDatabase[]
      expect(database?.prepare('PRAGMA journal_mode').get()).toMatchObject({ journal_mode: 'wal' })
      expect(database?.prepare('PRAGMA synchronous').get()).toMatchObject({ synchronous: expected })
      await store.close()
      exec.mockRestore()
    }
  })

  it('is opened with an installed driver where the platform has none', async () => {
    const builtin = process.getBuiltinModule.bind(process) as (id: string) => never
    vi.spyOn(process, 'getBuiltinModule').mockImplementation((id: string) =>
      id === 'node:sqlite' ? (undefined as never) : builtin(id),
    )
    const path = join(folderOfTest(), 'sessions.db')
    const store = sqliteStore(path)
    await store.create('key', entry('kept'))
    await store.close()
    vi.restoreAllMocks()
    const again = sqliteStore(path)
    expect((await again.read('key'))?.value).toBe('kept')
    await again.close()
  })

  it('may be :memory:', async () => {
    const store = sqliteStore(':memory:')
    await store.create('key', entry('kept'))
    expect((await store.read('key'))?.value).toBe('kept')
    await store.close()
  })
})

describe('misuse is refused at once:', () => {
  const callbacks = { prepare: () => ({ get: () => callbacks, run: () => callbacks }), exec: () => callbacks }

  it.each([
    ['"pathOrDatabase"', () => sqliteStore('')],
    ['"pathOrDatabase"', () => sqliteStore(undefined as never)],
    ['"pathOrDatabase"', () => sqliteStore({ query: () => [] } as never)],
    ['"pathOrDatabase"', () => sqliteStore(callbacks as never)],
    ['"table"', () => sqliteStore(':memory:', { table: '' })],
    ['"busyTimeout"', () => sqliteStore(':memory:', { busyTimeout: 5000 as never })],
    ['"synchronous"', () => sqliteStore(':memory:', { synchronous: 'off' as never })],
    ['"clock"', () => sqliteStore(':memory:', { clock: 5 as never })],
    ['"busyTimeout"', () => sqliteStore(':memory:', { busytimeout: '1s' } as never)],
  ])('%s', (option, construct) => {
    expect(construct).toThrow(TypeError)
    expect(construct).toThrow(option)
  })
})

it('a purge of many rows lets others run between short batches', async () => {
  const store = sqliteStore(':memory:')
  const expired = { ...entry(), expiresAt: Date.now() - 1 }
  await Promise.all(Array.from({ length: 1000 }, (_, i) => store.create(`key ${i}`, expired)))
  let turns = 0
  let done = false
  const count = () => {
    turns++
    if (!done) setImmediate(count)
  }
  setImmediate(count)
  expect(await store.purge(10_000)).toBe(1000)
  done = true
  expect(turns).toBeGreaterThanOrEqual(1000 / 50)
  await store.close()
})

it('is read by the method that somebody has put in the place of its own', async () => {
  const store = sqliteStore(':memory:')
  const spied = vi.spyOn(store, 'read')
  const ann = new Browser(createSessions<{ n: number }>({ store }))
  await ann.visit((session) => session.set('n', 1))
  expect(await ann.visit((session) => session.get('n'))).toBe(1)
  expect(spied).toHaveBeenCalledOnce()
  await store.close()
})
