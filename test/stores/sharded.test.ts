import { readFileSync } from 'node:fs'
import { stripTypeScriptTypes } from 'node:module'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { blocksOf } from '../../scripts/page-blocks.ts'
import { type PostgresStore, postgresStore } from '../../src/stores/postgres.ts'
import { POSTGRES_PROGRAMS, Postgres } from '../servers/postgres.ts'
import { describeWith } from '../servers/program.ts'
import { describeStore } from './contract.ts'
import { openClient, type TestClient } from './postgres-clients.ts'

/** The store of the page, as it stands there. */
async function ofPage(): Promise<(stores: readonly PostgresStore[]) => PostgresStore> {
  const page = readFileSync(new URL('../../docs/scale.md', import.meta.url), 'utf8')
  const block = blocksOf(page).find(({ name }) => name === 'sharded.ts')
  const source = block?.code ?? ''
  const { sharded } = await import(`data:text/javascript,${encodeURIComponent(stripTypeScriptTypes(source))}`)
  return sharded
}

describeWith(POSTGRES_PROGRAMS, 'sessions on two servers, as docs/scale.md has it', () => {
  let sharded: (stores: readonly PostgresStore[]) => PostgresStore
  const servers: Postgres[] = []
  const clients: TestClient[] = []
  let tables = 0
  beforeAll(async () => {
    sharded = await ofPage()
    for (let i = 0; i < 2; i++) {
      const server = await Postgres.start()
      servers.push(server)
      clients.push(openClient('pg', server.url))
    }
  })
  afterAll(async () => {
    for (const { end } of clients) await end()
    for (const server of servers) await server.remove()
  })

  const onBoth = async (sql: string) => {
    for (const server of servers) await server.query(sql)
  }
  const newTable = () => `sessions_${++tables}`
  const open = (table: string, clock = Date.now) =>
    sharded(clients.map(({ client }) => postgresStore(client, { table, clock })))

  describeStore('postgres, two servers', {
    expiry: 'given',
    shared: true,
    abilities: { purge: true, ofUser: true, close: false },
    prepare: newTable,
    open,
    breakEntry: (table, key) => onBoth(`UPDATE ${table} SET value = '"not JSON' WHERE key = '${key}'`),
    removeSchema: (table) => onBoth(`DROP TABLE IF EXISTS ${table}`),
    dispose: (table) => onBoth(`DROP TABLE IF EXISTS ${table}`),
  })

  describe('of many sessions', () => {
    it('keeps about half on each', async () => {
      const table = newTable()
      const store = open(table)
      const entry = { value: '{}', expiresAt: Date.now() + 3_600_000, userId: undefined }
      await Promise.all(Array.from({ length: 400 }, (_, i) => store.create(`key number ${i}`, entry)))
      const counts = await Promise.all(servers.map((server) => server.query(`SELECT count(*) FROM ${table}`)))
      const [first, second] = counts.map((rows) => Number(rows[0]?.[0])) as [number, number]
      expect(first + second).toBe(400)
      // The keys are the same each time, and so is where they are.
      expect(Math.abs(first - second)).toBeLessThan(60)
    })
  })
})
