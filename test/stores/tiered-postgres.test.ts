import { afterAll, beforeAll } from 'vitest'
import { postgresStore } from '../../src/stores/postgres.ts'
import { redisStore } from '../../src/stores/redis.ts'
import { tieredStore } from '../../src/stores/tiered.ts'
import { POSTGRES_PROGRAMS, Postgres } from '../servers/postgres.ts'
import { describeWith } from '../servers/program.ts'
import { REDIS_7, type RedisServers, standaloneRedis } from '../servers/redis.ts'
import { describeStore } from './contract.ts'
import { openClient, type TestClient } from './postgres-clients.ts'
import { CLIENTS, type OpenClient } from './redis-clients.ts'

describeWith([...POSTGRES_PROGRAMS, REDIS_7], 'Redis before PostgreSQL', () => {
  let postgres: Postgres
  let redis: RedisServers
  let database: TestClient
  let cache: OpenClient | undefined
  beforeAll(async () => {
    postgres = await Postgres.start()
    redis = await standaloneRedis()
    database = openClient('pg', postgres.url)
    cache = await CLIENTS['redis']?.(redis.target)
  })
  afterAll(async () => {
    await cache?.close()
    await database?.end()
    await redis?.stop()
    await postgres?.remove()
  })

  let tables = 0
  describeStore<string>('tiered, redis before postgres', {
    expiry: 'given',
    shared: true,
    abilities: { purge: true, ofUser: true, close: false },
    prepare: () => `sessions_${++tables}`,
    open(table, clock) {
      if (!cache) throw new Error('There is no cache')
      return tieredStore({
        cache: redisStore(cache.client, { prefix: `${table}:`, clock }),
        store: postgresStore(database.client, { table, clock }),
        // On a busy machine, too, the cache does what it is told.
        cacheTimeout: '20s',
        clock,
      })
    },
    dispose: (table) => postgres.query(`DROP TABLE IF EXISTS ${table}`),
  })
})
