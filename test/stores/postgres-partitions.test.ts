import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type PostgresStore, postgresStore } from '../../src/stores/postgres.ts'
import { POSTGRES_PROGRAMS, Postgres } from '../servers/postgres.ts'
import { describeWith } from '../servers/program.ts'
import { describeStore } from './contract.ts'
import { CLIENTS, openClient, type TestClient } from './postgres-clients.ts'

const file = new URL('./workers/postgres.ts', import.meta.url).pathname
const page = readFileSync(new URL('../../docs/stores/postgres.md', import.meta.url), 'utf8')
const [, script = ''] = /## A table in partitions[\s\S]*?```sql\n([\s\S]*?)```/.exec(page) ?? []
const PARTITIONS = 16

describeWith(POSTGRES_PROGRAMS, 'a PostgreSQL table in partitions', () => {
  let server: Postgres
  let opened: TestClient
  let tables = 0
  beforeAll(async () => {
    server = await Postgres.start()
    opened = openClient('pg', server.url)
  })
  afterAll(async () => {
    await opened?.end()
    await server?.remove()
  })

  /** Makes the table as the page says, by another name. */
  async function newTable(): Promise<string> {
    const table = `sessions_${++tables}_`
    await server.query(script.replaceAll('sessions', table))
    return table
  }
  const number = async (sql: string) => Number((await server.query(sql))[0]?.[0])

  for (const name of CLIENTS) {
    let client: TestClient
    beforeAll(() => {
      client = openClient(name, server.url)
    })
    afterAll(() => client?.end())
    describeStore(`postgres, ${name}, in partitions`, {
      expiry: 'given',
      shared: true,
      abilities: { purge: true, ofUser: true, close: false },
      prepare: newTable,
      open: (table, clock) => postgresStore(client.client, { table, clock }),
      breakEntry: (table, key) =>
        server.query(`UPDATE ${table} SET value = '"not JSON' WHERE key = '${key}'`),
      removeSchema: (table) => server.query(`DROP TABLE IF EXISTS ${table}`),
      dispose: (table) => server.query(`DROP TABLE IF EXISTS ${table}`),
      worker: (table) => ({ file, args: [name, server.url, table] }),
    })
  }

  describe('as the page makes it', () => {
    const now = 1_800_000_000_000
    const entry = (expiresAt = now + 3_600_000) => ({ value: 'v'.repeat(280), expiresAt, userId: 'ada' })
    const keys = Array.from({ length: 400 }, (_, i) => `key number ${i}`)
    let table: string
    let store: PostgresStore
    beforeAll(async () => {
      table = await newTable()
      store = postgresStore(opened.client, { table, clock: () => now })
      await Promise.all(keys.map((key) => store.create(key, entry())))
    })

    it('spreads sessions over all of its partitions', async () => {
      expect(await number(`SELECT count(*) FROM ONLY ${table}`)).toBe(0)
      expect(await number(`SELECT count(DISTINCT tableoid) FROM ${table}`)).toBe(PARTITIONS)
    })

    it('reads and updates sessions of several partitions at once, and lists those of a user', async () => {
      const read = await Promise.all(keys.map((key) => store.read(key)))
      const results = await Promise.all(
        keys.map((key, i) => store.update(key, { ...entry(), value: key }, read[i]?.version ?? '')),
      )
      expect(results.every((result) => result && 'version' in result)).toBe(true)
      const values = (await Promise.all(keys.map((key) => store.read(key)))).map((found) => found?.value)
      expect(values).toEqual(keys)
      expect((await store.ofUser('ada')).map(({ key }) => key).toSorted()).toEqual(keys.toSorted())
    })

    it('purges what has expired in each of them, and nothing else', async () => {
      const dead = Array.from({ length: 1200 }, (_, i) => `dead ${i}`)
      await Promise.all(dead.map((key) => store.create(key, entry(now - 1))))
      expect(await store.purge(700)).toBe(700)
      expect(await store.purge(10_000)).toBe(500)
      expect(await store.purge(10_000)).toBe(0)
      expect(await number(`SELECT count(*) FROM ${table}`)).toBe(keys.length)
    })
  })

  it('cannot be divided by time: its key alone must be unique', async () => {
    const columns = /\(([\s\S]*?)\n\) PARTITION/.exec(script)?.[1] ?? ''
    const byTime = `CREATE TABLE by_time (${columns}) PARTITION BY RANGE (expires_at)`
    await expect(server.query(byTime)).rejects.toThrow(/must include all partitioning columns/)
  })
})
