import { readFileSync } from 'node:fs'
import type pg from 'pg'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
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

  it('looks up each key once, in the partition that may have it', async () => {
    const table = await newTable()
    const expiry = 1_800_000_000_000
    const minute = expiry / 60_000
    // Large enough for an index to be worth it: a partition of a few pages is read as a whole.
    await server.query(
      `INSERT INTO ${table} SELECT 1, ${expiry}, ${minute}, 'key ' || i, repeat('v', 1800) FROM generate_series(1, 16000) AS i`,
    )
    await server.query(`UPDATE ${table} SET expires_at = 1, purge_minute = 0 WHERE key LIKE '%77'`)
    await server.query(`VACUUM ANALYZE ${table}`)
    const { client, end } = openClient('pg', server.url, 1)
    onTestFinished(async () => void (await end()))
    const ask = async (sql: string) =>
      Number(Object.values((await (client as pg.Pool).query(sql)).rows[0])[0])
    /** How often the keys of all partitions have been looked for so far. */
    const scans = async () => {
      // What the connection has counted is told to all when it is asked for, or when the connection has nothing to do.
      await ask('SELECT pg_stat_force_next_flush()')
      return ask(
        `SELECT sum(idx_scan) FROM pg_stat_user_indexes WHERE relname LIKE '${table}%' AND indexrelname LIKE '%pkey'`,
      )
    }
    const store = postgresStore(client, { table, clock: () => 1_000_000 })
    const entry = { value: 'w', expiresAt: expiry, userId: undefined }
    const keys = Array.from({ length: 60 }, (_, i) => `key ${i + 1}`)
    const took: number[][] = []
    // So often that the server has tried a plan for any values, too.
    for (let round = 0; round < 12; round++) {
      const before = await scans()
      const found = await Promise.all(keys.map((key) => store.read(key)))
      const read = await scans()
      await Promise.all(keys.map((key, i) => store.update(key, entry, found[i]?.version ?? '')))
      took.push([read - before, (await scans()) - read])
    }
    // An update locks the row first, and finds it again.
    expect(took).toEqual(took.map(() => [keys.length, 2 * keys.length]))
    const before = await scans()
    expect(await store.purge(1000)).toBe(160)
    expect((await scans()) - before).toBe(160)
  })

  it('cannot be divided by time: its key alone must be unique', async () => {
    const columns = /\(([\s\S]*?)\n\) PARTITION/.exec(script)?.[1] ?? ''
    const byTime = `CREATE TABLE by_time (${columns}) PARTITION BY RANGE (expires_at)`
    await expect(server.query(byTime)).rejects.toThrow(/must include all partitioning columns/)
  })
})
