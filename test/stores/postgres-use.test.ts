import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { createSessions } from '../../src/index.ts'
import type { Store, StoredEntry } from '../../src/store.ts'
import { storeFromUrl } from '../../src/stores/from-url.ts'
import { type PgClient, postgresSchema, postgresStore } from '../../src/stores/postgres.ts'
import { openPostgres, openPostgresUrl, openPostgresWith } from '../../src/stores/postgres-url.ts'
import { Browser } from '../core/browser.ts'
import { POSTGRES_PROGRAMS, Postgres } from '../servers/postgres.ts'
import { describeWith } from '../servers/program.ts'
import { describeLostUpdates } from './lost-updates.ts'
import { CLIENTS, openClient } from './postgres-clients.ts'

const HOUR = 3_600_000
const key = 'AbCdEfGhIjKlMnOpQrStUv'

function entry(value = '{}', expiresAt = Date.now() + HOUR) {
  return { value, expiresAt, userId: undefined }
}

async function readCounter(store: Store): Promise<StoredEntry> {
  const counter = await store.read(key)
  if (!counter) throw new Error('the entry is gone')
  return counter
}

/** Tries to add one: whether that was written, and the counter as it is now. */
async function countOn(store: Store, counter: StoredEntry): Promise<[boolean, StoredEntry]> {
  const next = { ...counter, value: String(Number(counter.value) + 1) }
  const result = await store.update(key, next, counter.version)
  if (!result) throw new Error('the entry is gone')
  return 'version' in result ? [true, { ...next, version: result.version }] : [false, result.current]
}

describeWith(POSTGRES_PROGRAMS, 'a PostgreSQL that is used', () => {
  let server: Postgres
  beforeAll(async () => {
    server = await Postgres.start({ log_statement: 'all', log_line_prefix: '', max_connections: '80' })
  })
  afterAll(() => server?.remove())

  function open(name = 'pg', max?: number) {
    const opened = openClient(name, server.url, max)
    onTestFinished(async () => void (await opened.end()))
    return opened.client
  }

  describeLostUpdates('PostgreSQL', () => ({ url: server.url }))

  describe('a conflict', () => {
    /** Eight writers who count to 100 each; how often a lost race was answered by the state that had just lost it. */
    async function stale(store: Store): Promise<number> {
      await store.delete(key)
      await store.create(key, entry('0'))
      let count = 0
      const write = async () => {
        for (let done = 0, current = await readCounter(store); done < 100; ) {
          const [written, next] = await countOn(store, current)
          if (written) done++
          else if (next.version === current.version) count++
          current = next
        }
      }
      await Promise.all(Array.from({ length: 8 }, write))
      expect((await store.read(key))?.value).toBe('800')
      return count
    }

    it.each(CLIENTS)('is never answered by a state of the past, with %s', async (name) => {
      expect(await stale(postgresStore(open(name), { table: `stale ${name}` }))).toBe(0)
    })

    it('would be without the lock', async () => {
      const pool = open('pg') as pg.Pool
      const naive: PgClient = {
        query: (async (config: string | { text: string }) => {
          if (typeof config === 'string') return pool.query(config)
          return pool.query({ ...config, name: '', text: config.text.replace('FOR UPDATE', '') } as never)
        }) as PgClient['query'],
      }
      expect(await stale(postgresStore(naive, { table: 'naive' }))).toBeGreaterThan(0)
    })

    it('is settled where transactions are serializable by default, too', async () => {
      const options = encodeURIComponent('-c default_transaction_isolation=serializable')
      const store = await openPostgresUrl(`${server.url}?options=${options}&table=serializable`)
      onTestFinished(() => store.close())
      await store.create(key, entry('0'))
      const count = async () => {
        for (let done = false; !done; ) [done] = await countOn(store, await readCounter(store))
      }
      await Promise.all(Array.from({ length: 30 }, count))
      expect((await store.read(key))?.value).toBe('30')
    })
  })

  it('connections in three time zones agree to the millisecond', async () => {
    const now = { current: 1_800_000_000_000 }
    const stores = await Promise.all(
      ['UTC', 'Asia/Tokyo', 'America/Los_Angeles'].map((zone) => {
        const options = encodeURIComponent(`-c timezone=${zone}`)
        return openPostgresWith({ clock: () => now.current }, `${server.url}?options=${options}&table=zones`)
      }),
    )
    for (const store of stores) onTestFinished(() => store.close())
    for (const writer of stores) {
      const expiresAt = now.current + HOUR
      await writer.create(key, { ...entry('{}', expiresAt), userId: 'alice' })
      now.current = expiresAt - 1
      for (const reader of stores) {
        expect(await reader.read(key)).toMatchObject({ expiresAt })
        expect(await reader.ofUser('alice')).toHaveLength(1)
        expect(await reader.purge(10)).toBe(0)
      }
      now.current = expiresAt
      for (const reader of stores) {
        expect(await reader.read(key)).toBeUndefined()
        expect(await reader.ofUser('alice')).toEqual([])
      }
    }
    expect(await stores[1]?.purge(10)).toBe(1)
  })

  describe.each(CLIENTS)('the statements of a request, as the server counts them, with %s', (name) => {
    let marks = 0
    /** What the server has been asked to run, by its own log. */
    async function statements(request: () => Promise<unknown>): Promise<number> {
      const [before, after] = [`mark ${name} ${++marks}`, `mark ${name} ${++marks}`]
      await server.query(`SELECT '${before}'`)
      await request()
      await server.query(`SELECT '${after}'`)
      while (!server.server.output.includes(after)) await sleep(10)
      const [, log = ''] = server.server.output.split(before)
      return (log.split(after)[0] ?? '').match(/^LOG: {2}(execute|statement)/gm)?.length ?? 0
    }

    it('are 0 where the session is ignored, 1 to read, 2 to write, 1 for a first visit', async () => {
      const store = postgresStore(open(name), { table: `counted ${name}` })
      await store.create(key, entry())
      const sessions = createSessions<{ n: number }>({ store })
      const browser = new Browser(sessions)
      const count = (handler: Parameters<typeof browser.visit>[0]) => statements(() => browser.visit(handler))
      // The mark itself is the one more.
      expect(await count((session) => session.set('n', 1))).toBe(1 + 1)
      const ignoring = async () =>
        void (await sessions.open({ cookie: browser.cookie, secure: false }).commit())
      expect(await statements(ignoring)).toBe(0 + 1)
      expect(await count((session) => session.get('n'))).toBe(1 + 1)
      expect(await count((session) => session.update('n', (n = 0) => n + 1))).toBe(2 + 1)
      expect(await count((session) => session.login('alice'))).toBeLessThanOrEqual(4 + 1)
      expect(await count((session) => session.destroy())).toBeLessThanOrEqual(2 + 1)
    })
  })

  it('twenty connections make the table at once', async () => {
    const clients = Array.from({ length: 20 }, () => open('pg', 1))
    for (let round = 0; round < 5; round++) {
      const stores = clients.map((client) => postgresStore(client, { table: `made at once ${round}` }))
      // They connect first, so that they are at it together.
      await Promise.all(stores.map((store) => store.read(key)))
      const versions = await Promise.all(stores.map((store, i) => store.create(`${key}${i}`, entry())))
      expect(versions).not.toContain(undefined)
    }
  })

  it('a table in a schema of its own has what it needs, and no other is touched', async () => {
    const client = open()
    const [table, schema] = ['my "sessions"; --', 'a "schema"']
    await server.query('CREATE SCHEMA "a ""schema"""')
    await server.query(postgresSchema(table, schema))
    await server.query(postgresSchema(table, schema))
    const inSchema = postgresStore(client, { table, schema })
    const outside = postgresStore(client, { table })
    await inSchema.create(key, { ...entry('inside'), userId: 'alice' })
    await outside.create(key, entry('outside', 1))
    expect(await inSchema.ofUser('alice')).toHaveLength(1)
    expect(await outside.purge(10)).toBe(1)
    expect(await inSchema.purge(10)).toBe(0)
    expect((await inSchema.read(key))?.value).toBe('inside')
  })

  it('a schema that is missing is a clear error', async () => {
    const store = postgresStore(open(), { schema: 'missing' })
    expect(await store.read(key)).toBeUndefined()
    await expect(store.create(key, entry())).rejects.toThrow(
      'The table of the sessions is missing, and PostgreSQL does not make it: schema "missing" does not exist',
    )
  })

  it.each(CLIENTS)(
    'texts that PostgreSQL or UTF-8 does not know come back as they were, with %s',
    async (name) => {
      const store = postgresStore(open(name), { table: 'unusual' })
      const texts = ['\0', 'a\0b', '\ud800', 'x\udfffy', '"', '"a"', '{"a":"\\u0000"}', '\\x00', "E'\\0'", '']
      for (const text of texts) {
        await store.create(text, { ...entry(text), userId: text })
        expect(await store.read(text)).toMatchObject({ value: text, userId: text })
        expect(await store.ofUser(text)).toMatchObject([{ key: text, value: text, userId: text }])
        await store.delete(text)
        expect(await store.read(text)).toBeUndefined()
      }
    },
  )

  it('names no value in an error', async () => {
    const store = postgresStore(open(), { table: 'errors' })
    await store.create(key, entry())
    const bad = { value: 'secret value', expiresAt: 1.5, userId: 'secret user' }
    const error = await store.create('secret key', bad).catch((error: Error) => error)
    expect(error).toBeInstanceOf(Error)
    expect((error as Error).message).toBe('PostgreSQL failed (create): SQLSTATE 22P02')
    expect((error as Error).cause).toMatchObject({ code: '22P02' })
  })

  it('renames of the columns by the client do no harm', async () => {
    const { default: postgres } = await import('postgres')
    const sql = postgres(server.url, {
      transform: postgres.camel,
      types: { bigint: postgres.BigInt },
      onnotice: () => undefined,
    })
    onTestFinished(() => sql.end())
    const store = postgresStore(sql, { table: 'renamed' })
    const version = await store.create(key, { ...entry('kept'), userId: 'alice' })
    expect(await store.read(key)).toMatchObject({ value: 'kept', userId: 'alice', version })
  })

  it('an update touches no index, and a purge puts what lives on to its new minute', async () => {
    const now = { current: Date.now() }
    const store = postgresStore(open(), { table: 'hot', clock: () => now.current })
    let version = await store.create(key, { ...entry('{}', now.current + HOUR), userId: 'alice' })
    for (let extended = 1; extended <= 20; extended++) {
      const next = { ...entry(`${extended}`, now.current + HOUR + extended * 1000), userId: 'alice' }
      const result = await store.update(key, next, version ?? 0)
      version = result && 'version' in result ? result.version : undefined
    }
    const counts = async () => {
      const sql = "SELECT n_tup_upd, n_tup_hot_upd FROM pg_stat_user_tables WHERE relname = 'hot'"
      return (await server.query(sql))[0]?.map(Number)
    }
    while ((await counts())?.[0] !== 20) await sleep(50)
    expect(await counts()).toEqual([20, 20])
    const minute = async () => (await server.query('SELECT purge_minute FROM hot'))[0]?.[0]
    expect(await minute()).toBe(Math.floor((now.current + HOUR) / 60_000))
    now.current += HOUR + 19_999
    expect(await store.purge(10)).toBe(0)
    expect((await store.read(key))?.value).toBe('20')
    expect(await minute()).toBe(Math.floor((now.current + 1) / 60_000))
    now.current++
    expect(await store.purge(10)).toBe(1)
  })

  describe('a purge', () => {
    async function expired(table: string, count: number) {
      const store = postgresStore(open(), { table })
      const keys = Array.from({ length: count }, (_, i) => `${key}${i}`)
      await store.create(key, entry())
      await Promise.all(keys.map((one) => store.create(one, entry('{}', Date.now() - 1))))
      return store
    }

    it('leaves the work to another instance that is at it', async () => {
      const store = await expired('in turn', 20)
      const other = new pg.Client({ connectionString: server.url })
      await other.connect()
      onTestFinished(() => other.end())
      await other.query('BEGIN')
      expect(await postgresStore(other, { table: 'in turn' }).purge(5)).toBe(5)
      expect(await store.purge(100)).toBe(0)
      await other.query('COMMIT')
      expect(await store.purge(100)).toBe(15)
      expect(await store.read(key)).toBeDefined()
    })

    it('of four instances at once removes each entry once', async () => {
      await expired('four at once', 400)
      const stores = Array.from({ length: 4 }, () => postgresStore(open('pg', 1), { table: 'four at once' }))
      let removed = 0
      const purge = async (store: (typeof stores)[number]) => {
        while (removed < 400) {
          const count = await store.purge(20)
          removed += count
        }
      }
      await Promise.all(stores.map(purge))
      expect(removed).toBe(400)
      expect(await server.query('SELECT count(*)::int FROM "four at once"')).toEqual([[1]])
    })

    it('does not wait for an entry that somebody holds', async () => {
      const store = await expired('held', 3)
      const other = new pg.Client({ connectionString: server.url })
      await other.connect()
      onTestFinished(() => other.end())
      await other.query('BEGIN')
      await other.query(`SELECT FROM held WHERE key = '${key}1' FOR UPDATE`)
      expect(await store.purge(10)).toBe(2)
      await other.query('COMMIT')
      expect(await store.purge(10)).toBe(1)
    })
  })

  describe('a URL', () => {
    it.each(['postgres', 'postgresql'])('may begin with %s:', async (scheme) => {
      const url = `${server.url.replace('postgres:', `${scheme}:`)}?table=by+url`
      const store = (await storeFromUrl(url)) as Awaited<ReturnType<typeof openPostgresUrl>>
      await store.delete(key)
      expect(await store.create(key, entry())).toBeDefined()
      await store.close()
      await expect(store.read(key)).rejects.toThrow('The PostgreSQL store is closed')
      expect(await server.query('SELECT count(*)::int FROM "by url"')).toEqual([[1]])
    })

    it('is opened by postgres where there is no pg, and says what to install where there is neither', async () => {
      const missing = () =>
        Promise.reject(Object.assign(new Error('missing'), { code: 'ERR_MODULE_NOT_FOUND' }))
      const url = `${server.url}?table=fallback&prepare=false`
      const store = await openPostgresWith({ clients: [missing, openPostgres] }, url)
      expect(await store.create(key, entry())).toBeDefined()
      expect(await store.read(key)).toBeDefined()
      await store.close()
      await store.close()
      await expect(openPostgresWith({ clients: [missing, missing] }, url)).rejects.toThrow('npm install pg')
    })

    it.each([
      'postgres://me:hunter2@host:port/db',
      'postgres://me:hunter2@host/db?prepare=no',
      'postgres://me:hunter2@host/db?table=',
    ])('is refused without its password: %s', async (url) => {
      const error = await storeFromUrl(url).catch((error: Error) => error)
      expect(error).toBeInstanceOf(TypeError)
      expect((error as Error).message).not.toContain('hunter2')
    })
  })
})

describe('misuse is refused at once:', () => {
  const pool: PgClient = new pg.Pool()
  // A Client fits as it is.
  postgresStore(new pg.Client())

  it.each([
    ['"client"', () => postgresStore(undefined as never)],
    ['"client"', () => postgresStore('postgres://host' as never)],
    ['"client"', () => postgresStore({ connect: () => undefined } as never)],
    ['"table"', () => postgresStore(pool, { table: '' })],
    ['"table"', () => postgresStore(pool, { table: 'a\0b' })],
    ['"table"', () => postgresStore(pool, { table: 'ä'.repeat(26) })],
    ['"schema"', () => postgresStore(pool, { schema: '' })],
    ['"prepare"', () => postgresStore(pool, { prepare: 1 as never })],
    ['"clock"', () => postgresStore(pool, { clock: 5 as never })],
    ['"prepare"', () => postgresStore(pool, { prepared: true } as never)],
  ])('%s', (option, construct) => {
    expect(construct).toThrow(TypeError)
    expect(construct).toThrow(option)
  })
})
