import { PGlite } from '@electric-sql/pglite'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import type { Store, StoredEntry } from '../../src/store.ts'
import { type PostgresClient, postgresStore } from '../../src/stores/postgres.ts'
import { POSTGRES_PROGRAMS, Postgres } from '../servers/postgres.ts'
import { describeWith } from '../servers/program.ts'
import { CLIENTS, openClient } from './postgres-clients.ts'

const HOUR = 3_600_000
const KEYS = ['plain', 'with "quotes"', 'with \\ and , and {}', 'NULL', ' ', 'nul \0', 'ü', '"']

function entry(value = '{}', userId?: string) {
  return { value, expiresAt: Date.now() + HOUR, userId }
}

/** A client that tells which statements it was given, by their first words. */
function counting(client: PostgresClient): { client: PostgresClient; sent: string[] } {
  const sent: string[] = []
  const note = (text: unknown) => {
    const statement = typeof text === 'string' ? text : (text as { text: string }).text
    sent.push(statement.trim().split(/\s+/).slice(0, 2).join(' '))
  }
  const counted = new Proxy(client, {
    get(target, name) {
      const value = Reflect.get(target, name)
      if (typeof value !== 'function') return value
      return (...args: unknown[]) => {
        if (name === 'query' || name === 'unsafe') note(args[0])
        return Reflect.apply(value, target, args)
      }
    },
  })
  return { client: counted, sent }
}

async function createAll(store: Store, keys: readonly string[]): Promise<StoredEntry[]> {
  await store.create('the table', entry())
  await Promise.all(keys.map((key) => store.create(key, entry(`of ${key}`, key === ' ' ? undefined : key))))
  const found = await Promise.all(keys.map((key) => store.read(key)))
  return found.map((one, i) => {
    expect(one).toMatchObject({ value: `of ${keys[i]}` })
    return one as StoredEntry
  })
}

describeWith(POSTGRES_PROGRAMS, 'calls of one turn on PostgreSQL', () => {
  let server: Postgres
  let pglite: PGlite | undefined
  beforeAll(async () => {
    server = await Postgres.start()
  })
  afterAll(async () => {
    await pglite?.close()
    await server?.remove()
  })

  describe.each([...CLIENTS, 'PGlite'])('with %s', (name) => {
    function open(table: string): { store: Store; sent: string[] } {
      if (name === 'PGlite') {
        pglite ??= new PGlite()
        const { client, sent } = counting(pglite)
        return { store: postgresStore(client, { table }), sent }
      }
      const opened = openClient(name, server.url)
      onTestFinished(async () => void (await opened.end()))
      const { client, sent } = counting(opened.client)
      return { store: postgresStore(client, { table: `${table} ${name}` }), sent }
    }

    it('travel in one statement to read and one to write, and are answered each for itself', async () => {
      const { store, sent } = open('together')
      const found = await createAll(store, KEYS)
      sent.length = 0
      const [missing, ...again] = await Promise.all(['missing', ...KEYS].map((key) => store.read(key)))
      expect(sent).toHaveLength(1)
      expect(missing).toBeUndefined()
      expect(again).toEqual(found)
      sent.length = 0
      const [late] = found as [StoredEntry]
      await store.update(KEYS[0] as string, entry('newer', 'somebody'), late.version)
      sent.length = 0
      const updates = KEYS.map((key, i) =>
        store.update(key, entry(`next ${key}`, undefined), found[i]?.version ?? 0),
      )
      const [conflict, ...written] = await Promise.all(updates)
      expect(sent).toHaveLength(1)
      expect(conflict).toMatchObject({ current: { value: 'newer', userId: 'somebody' } })
      expect(written).toEqual(KEYS.slice(1).map(() => ({ version: expect.any(Number) })))
      for (const [i, key] of KEYS.entries()) {
        const now = await store.read(key)
        if (i > 0) expect(now).toMatchObject({ ...written[i - 1], value: `next ${key}`, userId: undefined })
      }
    })

    it('make sessions in one statement, and the table first where it is missing', async () => {
      const { store, sent } = open('made')
      const versions = await Promise.all(KEYS.map((key) => store.create(key, entry(`of ${key}`, key))))
      expect(versions).toEqual(KEYS.map(() => expect.any(Number)))
      expect(sent.filter((words) => words.startsWith('INSERT'))).toHaveLength(2)
      for (const key of KEYS) expect(await store.read(key)).toMatchObject({ value: `of ${key}`, userId: key })
    })

    it('make those alone whose key is there, which may have expired', async () => {
      const { store, sent } = open('there')
      await store.create('taken', entry('old'))
      await store.create('over', { ...entry('old'), expiresAt: Date.now() - 1 })
      sent.length = 0
      const keys = ['taken', 'one', 'over', 'two']
      const [taken, ...made] = await Promise.all(keys.map((key) => store.create(key, entry('new'))))
      expect(sent).toHaveLength(3)
      expect(taken).toBeUndefined()
      expect(made).toEqual(made.map(() => expect.any(Number)))
      expect(await store.read('taken')).toMatchObject({ value: 'old' })
      for (const key of keys.slice(1)) expect(await store.read(key)).toMatchObject({ value: 'new' })
      const twice = await Promise.all(['three', 'four', 'three'].map((key) => store.create(key, entry())))
      expect(twice[1]).toEqual(expect.any(Number))
      // One of the two is first.
      expect([twice[0], twice[2]].filter((version) => version !== undefined)).toHaveLength(1)
    })

    it('ask once for a row that several want to read', async () => {
      const { store, sent } = open('shared')
      const [one, two] = (await createAll(store, ['one', 'two'])) as [StoredEntry, StoredEntry]
      for (const keys of [
        ['one', 'one'],
        ['one', 'two', 'one', 'missing', 'one', 'missing'],
      ]) {
        sent.length = 0
        const expected = keys.map((key) => ({ one, two })[key])
        expect(await Promise.all(keys.map((key) => store.read(key)))).toEqual(expected)
        expect(sent).toHaveLength(1)
      }
      await store.update('one', entry('newer'), one.version)
      expect(await store.read('one')).toMatchObject({ value: 'newer' })
    })

    it('go alone where a row is gone, or changed twice', async () => {
      const { store } = open('apart')
      const [first, second] = (await createAll(store, ['one', 'two'])) as [StoredEntry, StoredEntry]
      await store.delete('two')
      const [one, again, gone] = await Promise.all([
        store.update('one', entry('a'), first.version),
        store.update('one', entry('b'), first.version),
        store.update('two', entry('c'), second.version),
      ])
      expect(gone).toBeUndefined()
      expect([one, again].filter((result) => result && 'version' in result)).toHaveLength(1)
      expect([one, again].filter((result) => result && 'current' in result)).toHaveLength(1)
      expect(await store.read('two')).toBeUndefined()
    })

    it('fail alone', async () => {
      const { store } = open('failing')
      const [first, second] = (await createAll(store, ['one', 'two'])) as [StoredEntry, StoredEntry]
      const impossible = { ...entry('a'), expiresAt: 2 ** 70 }
      const [bad, good] = await Promise.allSettled([
        store.update('one', impossible, first.version),
        store.update('two', entry('b'), second.version),
      ])
      expect(bad).toMatchObject({ status: 'rejected' })
      expect(String((bad as PromiseRejectedResult).reason)).toContain(
        'PostgreSQL failed (update): SQLSTATE 22',
      )
      expect(good).toMatchObject({ status: 'fulfilled', value: { version: expect.any(Number) } })
      expect(await store.read('one')).toMatchObject({ value: 'of one' })
      const made = await Promise.allSettled([
        store.create('three', impossible),
        store.create('four', entry()),
      ])
      expect(made.map(({ status }) => status)).toEqual(['rejected', 'fulfilled'])
    })
  })

  it('do not wait for a row that somebody else holds', async () => {
    const opened = openClient('pg', server.url)
    onTestFinished(async () => void (await opened.end()))
    const store = postgresStore(opened.client, { table: 'held' })
    const [first, second] = (await createAll(store, ['one', 'two'])) as [StoredEntry, StoredEntry]
    await server.query("BEGIN; SELECT FROM held WHERE key = 'one' FOR UPDATE")
    const held = store.update('one', entry('a'), first.version)
    const free = store.update('two', entry('b'), second.version)
    expect(await free).toMatchObject({ version: expect.any(Number) })
    await server.query('COMMIT')
    expect(await held).toMatchObject({ version: expect.any(Number) })
  })

  it('of four stores count exactly, in any order', async () => {
    const stores = Array.from({ length: 4 }, () => {
      const opened = openClient('pg', server.url, 4)
      onTestFinished(async () => void (await opened.end()))
      return postgresStore(opened.client, { table: 'counted' })
    })
    const keys = Array.from({ length: 10 }, (_, i) => `key ${i}`)
    await createAll(stores[0] as Store, keys)
    const count = async (store: Store, key: string) => {
      for (let done = 0; done < 10; ) {
        const current = await store.read(key)
        if (!current) throw new Error('It is gone')
        const value = String((Number(current.value) || 0) + 1)
        const result = await store.update(key, { ...entry(), value }, current.version)
        if (result && 'version' in result) done++
      }
    }
    await Promise.all(
      stores.flatMap((store) => keys.toSorted(() => Math.random() - 0.5).map((key) => count(store, key))),
    )
    for (const key of keys) expect((await stores[0]?.read(key))?.value).toBe('40')
  })
})
