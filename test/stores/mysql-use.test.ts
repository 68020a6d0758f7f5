import { setTimeout as sleep } from 'node:timers/promises'
import { type Connection, createConnection } from 'mysql2/promise'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { createSessions } from '../../src/index.ts'
import type { Store } from '../../src/store.ts'
import { storeFromUrl } from '../../src/stores/from-url.ts'
import { type MysqlStoreOptions, mysqlSchema, mysqlStore } from '../../src/stores/mysql.ts'
import { openMysqlUrl } from '../../src/stores/mysql-url.ts'
import { Browser } from '../core/browser.ts'
import { type Database, MARIADB, MYSQL, NO_SYNC, SCHEMA, startDatabase } from '../servers/mysql.ts'
import { describeWith } from '../servers/program.ts'
import { Wire } from '../servers/wire.ts'
import { CLIENTS, type ClientOptions, openClient } from './mysql-clients.ts'
import { describePurge } from './mysql-purge.ts'

const MINUTE = 60_000
const TEXT = 'it\'s a "back\\slash" `quote` % _ \0 \n äß語🎉'

let database: Database
let tables = 0

function entry(value = '{}', userId?: string) {
  return { value, expiresAt: Date.now() + MINUTE, userId }
}

function open(name: string, options: Partial<ClientOptions> = {}, store: MysqlStoreOptions = {}) {
  const { client, end } = openClient(name, { port: database.port, limit: 4, ...options })
  onTestFinished(end)
  return mysqlStore(client, { table: `use ${++tables}`, ...store })
}

/** A connection that is no store's. */
async function connect(): Promise<Connection> {
  const connection = await createConnection({
    host: '127.0.0.1',
    port: database.port,
    user: 'root',
    database: SCHEMA,
  })
  onTestFinished(() => connection.destroy())
  return connection
}

function startBefore(program: typeof MARIADB, args: string[] = []): void {
  beforeAll(async () => {
    database = await startDatabase(program, { args: [...NO_SYNC, ...args] })
  })
  afterAll(() => database?.remove())
}

/** All that a store does, on whatever connections; with what only some settings get wrong. */
async function works(make: (clock: () => number) => Store): Promise<void> {
  let now = Date.now()
  const store = make(() => now)
  const lasting = { value: TEXT, userId: TEXT, expiresAt: now + MINUTE }
  const first = await store.create('key', lasting)
  expect(await store.read('key')).toEqual({ ...lasting, version: first })
  expect(await store.create('key', entry('second'))).toBeUndefined()
  expect(await store.read('KEY')).toBeUndefined()
  expect(await store.read('key ')).toBeUndefined()
  // The same entry once more: nothing but the version changes.
  const again = await store.update('key', lasting, first ?? 0)
  expect(again).toEqual({ version: expect.any(Number) })
  const current = { ...lasting, version: (again as { version: number }).version }
  expect(await store.update('key', entry('late'), first ?? 0)).toEqual({ current })
  expect(await store.read('key')).toEqual(current)
  now += MINUTE - 1
  expect(await store.create('key', lasting)).toBeUndefined()
  now += 1
  expect(await store.read('key')).toBeUndefined()
  const next = { ...lasting, value: 'successor', expiresAt: now + MINUTE }
  const successor = await store.create('key', next)
  expect(await store.read('key')).toEqual({ ...next, version: successor })
  await store.delete('key')
  expect(await store.update('key', lasting, successor ?? 0)).toBeUndefined()
}

for (const program of [MARIADB, MYSQL]) {
  describeWith([program], `connections to ${program.name} of every kind`, () => {
    startBefore(program)

    it.each(CLIENTS)('%s: whether they count found or changed rows', async (name) => {
      for (const foundRows of [true, false]) await works((clock) => open(name, { foundRows }, { clock }))
    })

    it.each(CLIENTS)('%s: whatever form of answers they were told to give', async (name) => {
      await works((clock) => open(name, { odd: true }, { clock }))
    })

    it.each(CLIENTS)('%s: in every sql_mode, isolation level, character set and time zone', async (name) => {
      for (const setting of [
        "SET sql_mode = 'ANSI_QUOTES,NO_BACKSLASH_ESCAPES,PIPES_AS_CONCAT,IGNORE_SPACE'",
        "SET sql_mode = ''",
        'SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED',
        'SET SESSION TRANSACTION ISOLATION LEVEL SERIALIZABLE',
        'SET NAMES latin1',
        "SET time_zone = '+09:00'",
        "SET time_zone = '-08:00'",
      ]) {
        await works((clock) => open(name, { initially: [setting] }, { clock }))
      }
    })

    it('agree to the millisecond in UTC, Tokyo and Los Angeles', async () => {
      let now = 1_800_000_000_000
      const table = `use ${++tables}`
      const stores = ['+00:00', '+09:00', '-08:00'].map((zone) =>
        open('mysql2', { initially: [`SET time_zone = '${zone}'`] }, { table, clock: () => now }),
      )
      for (const writer of stores) {
        const kept = { ...entry('v', 'ada'), expiresAt: now + MINUTE }
        await writer.create('key', kept)
        now = kept.expiresAt - 1
        for (const reader of stores) {
          expect(await reader.read('key')).toMatchObject(kept)
          expect(await reader.ofUser('ada')).toHaveLength(1)
          expect(await reader.purge(10)).toBe(0)
        }
        now = kept.expiresAt
        for (const reader of stores) {
          expect(await reader.read('key')).toBeUndefined()
          expect(await reader.ofUser('ada')).toEqual([])
        }
      }
      expect(await stores[1]?.purge(10)).toBe(1)
    })

    it.each(CLIENTS)('%s: refuses those that do not commit by themselves', async (name) => {
      const table = `use ${++tables}`
      const store = open(name, { initially: ['SET autocommit = 0'] }, { table })
      await expect(store.create('key', entry())).rejects.toThrow('autocommit = 0')
      await expect(store.read('key')).rejects.toThrow('autocommit = 0')
      expect(await open(name, {}, { table }).read('key')).toBeUndefined()
    })

    it.each(CLIENTS)('%s: refuses a session that no packet holds, and goes on', async (name) => {
      await database.administer('SET GLOBAL max_allowed_packet = 1048576')
      const store = open(name)
      await store.create('key', entry('small'))
      const refusal = {
        code: 'ERR_SESSION_TOO_LARGE',
        message: expect.stringContaining('max_allowed_packet'),
      }
      await expect(store.create('large', entry('x'.repeat(1_048_400)))).rejects.toMatchObject(refusal)
      expect((await store.read('key'))?.value).toBe('small')
      // Below the limit, it is the server that has to take it.
      const all = 'x'.repeat(1_040_000)
      expect(await store.create('fits', entry(all))).toBeDefined()
      expect((await store.read('fits'))?.value).toBe(all)
      await database.administer('SET GLOBAL max_allowed_packet = 16777216')
      expect(await open(name).create('large', entry('x'.repeat(1_048_400)))).toBeDefined()
    })

    it('uses its indexes', async () => {
      const table = `use ${++tables}`
      const store = open('mysql2', {}, { table })
      for (let i = 0; i < 50; i++) await store.create(`key ${i}`, entry('{}', `user ${i}`))
      const plan = async (where: string): Promise<unknown> => {
        const [, rows] = await database.administer(
          `USE ${SCHEMA}`,
          `EXPLAIN FORMAT=TRADITIONAL SELECT 1 FROM \`${table}\` WHERE ${where}`,
        )
        return (rows as { key: string }[])[0]?.key
      }
      expect(await plan("`key` = 'key 7'")).toBe('PRIMARY')
      expect(await plan("user_id = 'user 7'")).toBe('user_id')
      expect(await plan('purge_minute <= 1000 ORDER BY purge_minute LIMIT 5')).toBe('purge_minute')
    })

    describePurge(program.name, () => database)
  })
}

describeWith([MARIADB], 'the MySQL store', () => {
  startBefore(MARIADB)

  it.each(['se`ss"i\'on\\s', '*?[x]%_', 'a?:b :c $1', 'DROP TABLE x; --', 'a'.repeat(64), 'Sitzungen äß語'])(
    'keeps to its table, also when that is called %s',
    async (table) => {
      const other = open('mysql2', {}, { table: `${table.slice(0, 60)}_2` })
      await other.create('key', entry('other'))
      for (const name of CLIENTS) {
        const store = open(name, {}, { table })
        await store.create('key', entry('mine', 'ada'))
        await store.create('old', { ...entry(), expiresAt: 1 })
        expect(await store.purge(10)).toBe(1)
        expect(await store.ofUser('ada')).toHaveLength(1)
        await store.delete('key')
      }
      expect((await other.read('key'))?.value).toBe('other')
    },
  )

  it('has what it needs in the schema that is printed, and needs no right to make it', async () => {
    await database.administer(
      `USE ${SCHEMA}`,
      mysqlSchema('granted'),
      "CREATE USER clerk@'%' IDENTIFIED BY 'hunter2'",
      `GRANT SELECT, INSERT, UPDATE, DELETE ON ${SCHEMA}.* TO clerk@'%'`,
    )
    const clerk = { user: 'clerk', password: 'hunter2' }
    await works((clock) => open('mysql2', clerk, { table: 'granted', clock }))
    const store = open('mysql2', clerk)
    expect(await store.read('key')).toBeUndefined()
    await expect(store.create('key', entry())).rejects.toThrow(/CREATE command denied to user 'clerk'/)
  })

  it('refuses a key that the column would cut', async () => {
    const store = open('mysql2', { initially: ["SET sql_mode = ''"] })
    const long = 'k'.repeat(256)
    await store.create(long.slice(1), entry())
    await expect(store.create(long, entry())).rejects.toThrow('A key of 256 bytes is too long')
    expect(await store.read(long)).toBeUndefined()
  })

  it.each(CLIENTS)('loses nothing and fails nobody when all meet on a few rows, with %s', async (name) => {
    const table = `use ${++tables}`
    const stores = Array.from({ length: 4 }, () => open(name, {}, { table }))
    const pick = () => `key ${Math.floor(Math.random() * 3)}`
    const answers = stores.flatMap((store) =>
      Array.from({ length: 4 }, async () => {
        for (let i = 0; i < 20; i++) {
          const key = pick()
          const old = { value: 'old', userId: pick(), expiresAt: Date.now() + Math.floor(Math.random() * 20) }
          const version = await store.create(key, old)
          await store.update(key, { ...old, value: 'new' }, version ?? 0)
          await store.purge(2)
          if (i % 3 === 0) await store.delete(key)
        }
      }),
    )
    await Promise.all(answers)
  })

  it.each(CLIENTS)('purges one at a time, whoever else wants to, with %s', async (name) => {
    const table = `use ${++tables}`
    const stores = Array.from({ length: 5 }, () => open(name, { limit: 1 }, { table }))
    const [first] = stores
    for (let i = 0; i < 250; i++) await first?.create(`key ${i}`, { ...entry(), expiresAt: 1 })
    const other = await connect()
    const lock = `SHA2(CONCAT('sojourn ', DATABASE(), ' ', 'purge ${table}'), 224)`
    await other.query(`DO GET_LOCK(${lock}, 0)`)
    expect(await first?.purge(1000)).toBe(0)
    await other.query(`DO RELEASE_LOCK(${lock})`)
    const removed = await Promise.all(stores.map((store) => store.purge(1000)))
    expect(removed.reduce((sum, count) => sum + count)).toBe(250)
    // The lock is free again, and so is the only connection.
    expect(await stores[4]?.purge(1000)).toBe(0)
    const [rows] = await other.query(`SELECT IS_FREE_LOCK(${lock}) AS free`)
    expect(rows).toEqual([{ free: 1 }])
  })

  it('works with one connection in the place of a pool, too', async () => {
    const connection = await connect()
    await works((clock) => mysqlStore(connection, { table: 'alone', clock }))
    const store = mysqlStore(connection, { table: 'alone' })
    await store.create('old', { ...entry(), expiresAt: 1 })
    expect(await store.purge(10)).toBe(1)
  })

  it('counts the statements of each request in the log of the server', async () => {
    const sessions = createSessions<{ n: number }>({ store: open('mysql2') })
    const site = () => new Browser(sessions)
    const ann = site()
    await ann.visit((session) => session.set('n', 1))
    const counted = async (request: () => Promise<unknown>): Promise<number> => {
      await database.administer(
        "SET GLOBAL log_output = 'TABLE'",
        'TRUNCATE mysql.general_log',
        'SET GLOBAL general_log = ON',
      )
      await request()
      const [, rows] = await database.administer(
        'SET GLOBAL general_log = OFF',
        "SELECT argument FROM mysql.general_log WHERE command_type = 'Execute'",
      )
      return (rows as unknown[]).length
    }
    expect(await counted(async () => sessions.open({ cookie: ann.cookie, secure: false }).commit())).toBe(0)
    expect(await counted(() => ann.visit((session) => session.get('n')))).toBe(1)
    expect(await counted(() => ann.visit((session) => session.set('n', 2)))).toBe(2)
    expect(await counted(() => site().visit((session) => session.set('n', 1)))).toBe(1)
    expect(await counted(() => site().visit(() => undefined))).toBe(0)
    expect(await counted(() => ann.visit((session) => session.login('ann')))).toBeLessThanOrEqual(4)
    expect(await counted(() => ann.visit((session) => session.destroy()))).toBeLessThanOrEqual(2)
  })

  describe.each(CLIENTS)('when something is wrong, with %s', (name) => {
    it('says that the password is', async () => {
      const store = open(name, { user: 'nobody', password: 'hunter2', patience: 4000 })
      const failure = store.read('key').catch((error: Error) => error.message)
      expect(await failure).toMatch(/^MySQL failed to read .*Access denied for user 'nobody'/)
      expect(await failure).not.toContain('hunter2')
    })

    it('says that the database is missing', async () => {
      const store = open(name, { database: 'nowhere', patience: 4000 })
      await expect(store.read('key')).rejects.toThrow(/Unknown database 'nowhere'/)
    })

    it('says that the server has no connection left, and works when it has', async () => {
      const others = await Promise.all(Array.from({ length: 13 }, connect))
      const [admin] = others
      await admin?.query('SET GLOBAL max_connections = 10')
      const store = open(name, { patience: 4000 })
      await expect(store.read('key')).rejects.toThrow('Too many connections')
      await admin?.query('SET GLOBAL max_connections = 151')
      await expect.poll(() => store.read('key').catch(String)).toBeUndefined()
    })

    it('gives up a row that somebody else holds, and gets it when that is over', async () => {
      const table = `use ${++tables}`
      const store = open(name, { initially: ['SET innodb_lock_wait_timeout = 1'] }, { table })
      const version = await store.create('key', entry('old'))
      const holder = await connect()
      await holder.query('BEGIN')
      await holder.query(`SELECT * FROM \`${table}\` FOR UPDATE`)
      expect((await store.read('key'))?.value).toBe('old')
      await expect(store.update('key', entry('new'), version ?? 0)).rejects.toThrow('Lock wait timeout')
      const writing = open(name, {}, { table }).update('key', entry('new'), version ?? 0)
      await sleep(100)
      await holder.query('COMMIT')
      expect(await writing).toEqual({ version: expect.any(Number) })
    })

    it('fails a write whose connection is cut, and tells the truth to the next one', async () => {
      const wire = await Wire.to(database.port)
      onTestFinished(() => wire.close())
      const table = `use ${++tables}`
      const store = open(name, { port: wire.port, limit: 1 }, { table })
      const first = (await store.create('key', entry('older'))) ?? 0
      // The connection knows the statement by now, so that the next time it is the write itself that is sent.
      const { version } = (await store.update('key', entry('old'), first)) as { version: number }
      wire.loseAnswers()
      await expect(store.update('key', entry('new'), version)).rejects.toThrow('MySQL failed to update')
      wire.heal()
      const judge = open(name, {}, { table })
      await expect.poll(async () => (await judge.read('key'))?.value).toBe('new')
      await expect
        .poll(() => store.update('key', entry('late'), version).catch(String))
        .toMatchObject({ current: { value: 'new' } })
    })
  })

  it('fails in time while the server is paused, and works when it goes on', async () => {
    const store = open('mysql2')
    const sessions = createSessions<{ n: number }>({ store, storeTimeout: '300ms' })
    const ann = new Browser(sessions)
    await expect
      .poll(() => ann.visit((session) => session.set('n', 1)).then(() => 'saved', String))
      .toBe('saved')
    database.server.pause()
    const failure = { code: 'ERR_SESSION_STORE', message: expect.stringContaining('did not answer') }
    await expect(ann.visit((session) => session.get('n'))).rejects.toMatchObject(failure)
    database.server.resume()
    await expect.poll(() => ann.visit((session) => session.get('n')).catch(String)).toBe(1)
  })
})

describeWith([MARIADB], 'a MySQL URL', () => {
  startBefore(MARIADB)

  it.each(['mysql', 'mariadb'])(
    '%s: opens the table that it names, and closes what it opened',
    async (scheme) => {
      const url = `${scheme}://root:@127.0.0.1:${database.port}/${SCHEMA}?table=of%20${scheme}&connectionLimit=2`
      const store = await openMysqlUrl(url)
      expect(await store.missing?.()).toBe(`table "of ${scheme}"`)
      const writing = store.create('key', entry('kept'))
      await Promise.all([store.close(), store.close()])
      expect(await writing).toBeDefined()
      await expect(store.read('key')).rejects.toThrow('closed')
      const again = (await storeFromUrl(url)) as typeof store
      expect(await again.missing?.()).toBeUndefined()
      expect((await again.read('key'))?.value).toBe('kept')
      await again.close()
    },
  )

  it.each([
    'mysql://',
    'mysql://host',
    'mysql://me:hunter2@host/',
    'mysql://me:hunter2@ho st/db',
    'mysql:///db',
  ])('refuses %s, and repeats no password', async (url) => {
    const error = await openMysqlUrl(url).catch((error: unknown) => error)
    expect(error).toBeInstanceOf(TypeError)
    expect((error as Error).message).not.toContain('hunter2')
  })
})

describe('a statement that the server has rolled back', () => {
  const deadlock = () =>
    Object.assign(new Error('Deadlock found'), { errno: 1213, sqlMessage: 'Deadlock found' })

  it('is sent again, and answers as if nothing had been', async () => {
    let sent = 0
    const execute = async ({ sql }: { sql: string }) => {
      if (sql.startsWith('SHOW')) return [[], []]
      if (++sent < 5) throw deadlock()
      return [{ affectedRows: 1 }, undefined]
    }
    const store = mysqlStore({ execute })
    expect(await store.create('key', entry())).toEqual(expect.any(Number))
    expect(sent).toBe(5)
  })

  it('fails in the end, clearly', async () => {
    const execute = async ({ sql }: { sql: string }) => {
      if (sql.startsWith('SHOW')) return [[], []]
      throw deadlock()
    }
    const failure = mysqlStore({ execute }).create('key', entry())
    await expect(failure).rejects.toThrow('MySQL failed to create (table "sessions"): Deadlock found')
  })
})

describe('misuse is refused at once:', () => {
  const client = { execute: async () => [] }

  it.each([
    ['"client"', () => mysqlStore(undefined as never)],
    ['"client"', () => mysqlStore({ query: () => [] } as never)],
    ['"client"', () => mysqlStore('mysql://localhost' as never)],
    ['"table"', () => mysqlStore(client, { table: '' })],
    ['"table"', () => mysqlStore(client, { table: 'a\0b' })],
    ['"table"', () => mysqlStore(client, { table: 'trailing ' })],
    ['"table"', () => mysqlStore(client, { table: '🎉' })],
    ['"table"', () => mysqlStore(client, { table: 'x'.repeat(65) })],
    ['"table"', () => mysqlSchema('')],
    ['"clock"', () => mysqlStore(client, { clock: 5 as never })],
    ['"table"', () => mysqlStore(client, { tabel: 'x' } as never)],
  ])('%s', (option, construct) => {
    expect(construct).toThrow(TypeError)
    expect(construct).toThrow(option)
  })

  it('the client of mariadb/callback, at the first call', async () => {
    const store = mysqlStore({ execute: () => undefined } as never)
    await expect(store.read('key')).rejects.toThrow('not of "mariadb/callback"')
  })
})
