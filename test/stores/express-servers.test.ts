import { createRequire } from 'node:module'
import connectPgSimple from 'connect-pg-simple'
import { RedisStore } from 'connect-redis'
import session from 'express-session'
import Memcached from 'memcached'
import { createPool, type Pool } from 'mysql2/promise'
import pg from 'pg'
import { createClient } from 'redis'
import { afterAll, it } from 'vitest'
import { createSessions } from '../../src/index.ts'
import { type ExpressSessionStore, expressStore } from '../../src/stores/express-store.ts'
import type { Data } from '../core/site.ts'
import { MEMCACHED, startMemcached, versionOf } from '../servers/memcached.ts'
import { MARIADB, NO_SYNC, SCHEMA, startDatabase } from '../servers/mysql.ts'
import { POSTGRES_PROGRAMS, Postgres } from '../servers/postgres.ts'
import { describeWith, type Program } from '../servers/program.ts'
import { REDIS_7, standaloneRedis } from '../servers/redis.ts'
import { describeStore } from './contract.ts'
import { expectNothingLost } from './parallel.ts'
import { tested } from './tested.ts'

/** A server, and how to open a store of express-session on it that shares nothing with others. */
interface Opened {
  server: string
  store(name: string): ExpressSessionStore | Promise<ExpressSessionStore>
  close(): Promise<unknown>
}

interface OnServer {
  client: string
  programs: readonly Program[]
  open(): Promise<Opened>
}

/** These bring no types. */
const require = createRequire(import.meta.url)
const MemcachedStore: new (options: object) => session.Store = require('connect-memcached')(session)
const MySqlStore: new (options: object, pool: Pool) => session.Store & { onReady(): Promise<void> } =
  require('express-mysql-session')(session)

const STORES: readonly OnServer[] = [
  { client: 'connect-redis', programs: [REDIS_7], open: openRedis },
  { client: 'connect-memcached', programs: [MEMCACHED], open: openMemcached },
  { client: 'connect-pg-simple', programs: POSTGRES_PROGRAMS, open: openPostgres },
  { client: 'express-mysql-session', programs: [MARIADB], open: openMariadb },
]

async function openRedis(): Promise<Opened> {
  const redis = await standaloneRedis()
  const [port = 0] = redis.servers.keys()
  const client = createClient({ url: `redis://127.0.0.1:${port}` })
  await client.connect()
  return {
    server: redis.version,
    store: (name) => new RedisStore({ client, prefix: `${name}:` }),
    async close() {
      await client.close()
      await redis.stop()
    },
  }
}

async function openMemcached(): Promise<Opened> {
  // A million bytes are above the limits that both have by default.
  const { server, port, address } = await startMemcached(['-I', '8m'])
  const client = new Memcached(address, { maxValue: 8 * 1024 * 1024 })
  return {
    server: await versionOf(port),
    // Without a "ttl" it takes a lifetime above 30 days for a date in 1970.
    store: (name) => new MemcachedStore({ client, prefix: `${name}:`, ttl: 30 * 24 * 60 * 60 }),
    async close() {
      client.end()
      await server.kill()
    },
  }
}

async function openPostgres(): Promise<Opened> {
  const postgres = await Postgres.start()
  const pool = new pg.Pool({ connectionString: postgres.url })
  const PgStore = connectPgSimple(session)
  return {
    server: await postgres.version(),
    async store(name) {
      // Its own table has an index of a fixed name, so that there can be one in a schema.
      await pool.query(
        `CREATE TABLE ${name} (sid varchar PRIMARY KEY, sess json NOT NULL, expire timestamp(6) NOT NULL)`,
      )
      return new PgStore({ pool, tableName: name, pruneSessionInterval: false })
    },
    async close() {
      await pool.end()
      await postgres.remove()
    },
  }
}

async function openMariadb(): Promise<Opened> {
  const mariadb = await startDatabase(MARIADB, { args: NO_SYNC })
  const pool = createPool({ host: '127.0.0.1', port: mariadb.port, user: 'root', database: SCHEMA })
  return {
    server: mariadb.version,
    async store(name) {
      const store = new MySqlStore({ clearExpired: false, schema: { tableName: name } }, pool)
      await store.onReady()
      return store
    },
    async close() {
      await pool.end()
      await mariadb.remove()
    },
  }
}

for (const { client, programs, open } of STORES) {
  describeWith(programs, `express-session, ${client}`, () => {
    let opening: Promise<Opened> | undefined
    const opened = () => {
      opening ??= open()
      return opening
    }
    afterAll(async () => (await opening)?.close())
    let count = 0

    describeStore(`express-session, ${client}`, {
      async prepare() {
        const { server, store } = await opened()
        tested('expressStore', client, server)
        return store(`sessions_${++count}`)
      },
      open: (store, clock) => expressStore(store, { clock }),
      expiry: 'given',
      shared: true,
      atomic: 'process',
      abilities: { purge: false, ofUser: false, close: false },
    })

    it('loses neither keys nor updates of 100 parallel requests through the core', async () => {
      const store = await (await opened()).store(`sessions_${++count}`)
      await expectNothingLost([createSessions<Data>({ store: expressStore(store) })])
    })
  })
}
