/*
 * What the types of the stores promise: each is a store with the abilities that its page names, and takes no other options.
 * Compiled, never run: see `sessions.ts`.
 */
import {
  type CloseableStore,
  createSessions,
  type PurgeableStore,
  type Store,
  type UserIndexedStore,
} from '../../src/index.ts'
import { type DynamoDocument, dynamoStore } from '../../src/stores/dynamo.ts'
import { etcdStore } from '../../src/stores/etcd.ts'
import { type ExpressSessionStore, expressStore } from '../../src/stores/express-store.ts'
import { fileStore } from '../../src/stores/file.ts'
import { storeFromUrl } from '../../src/stores/from-url.ts'
import { type MemcacheClient, memcachedStore } from '../../src/stores/memcached.ts'
import { memoryStore } from '../../src/stores/memory.ts'
import { type MysqlClient, mysqlStore } from '../../src/stores/mysql.ts'
import { type NatsKv, natsStore } from '../../src/stores/nats.ts'
import { type PostgresClient, postgresStore } from '../../src/stores/postgres.ts'
import { type RedisClient, redisStore } from '../../src/stores/redis.ts'
import { type SqliteDatabase, sqliteStore } from '../../src/stores/sqlite.ts'
import { type Unstorage, unstorageStore } from '../../src/stores/unstorage.ts'
import { adapterContract, storeContract } from '../../src/testing/index.ts'

declare const database: SqliteDatabase
declare const clients: {
  dynamo: DynamoDocument
  express: ExpressSessionStore
  memcache: MemcacheClient
  mysql: MysqlClient
  nats: NatsKv
  postgres: PostgresClient
  redis: RedisClient
  unstorage: Unstorage
}

type Whole = PurgeableStore & UserIndexedStore

export const embedded: (Whole & CloseableStore)[] = [
  memoryStore(),
  memoryStore({ maxEntries: 10, maxBytes: 1000, clock: () => 0 }),
  sqliteStore('sessions.db', { table: 'visits', busyTimeout: '1s', synchronous: 'full' }),
  sqliteStore(database),
]
export const whole: Whole[] = [
  fileStore('sessions', { synchronous: 'full' }),
  mysqlStore(clients.mysql, { table: 'visits' }),
  postgresStore(clients.postgres, { schema: 'shop', prepare: false }),
]
export const indexed: UserIndexedStore[] = [
  dynamoStore(clients.dynamo, { table: 'visits' }),
  etcdStore('http://127.0.0.1:2379'),
  memcachedStore(clients.memcache, { maxItemSize: 2048 }),
  natsStore(clients.nats),
  redisStore(clients.redis, { waitForReplicas: 1, replicaTimeout: '1s' }),
]
export const bare: Store[] = [expressStore(clients.express), unstorageStore(clients.unstorage)]

export async function used(): Promise<void> {
  createSessions<{ num_visits: number }>({ store: await storeFromUrl('memory:') })
  for (const store of [...embedded, ...whole, ...indexed, ...bare]) createSessions({ store })
  await unstorageStore(clients.unstorage).purge(10)
}

export function wrong(): void {
  // @ts-expect-error: removed by the server itself
  void redisStore(clients.redis).purge(10)
  // @ts-expect-error: it has no index of users
  void expressStore(clients.express).ofUser('ada')
  // @ts-expect-error: the driver removes what has expired
  void unstorageStore(clients.unstorage, { driverExpires: true }).purge(10)
  // @ts-expect-error: a path, or a database that is open
  sqliteStore()
  // @ts-expect-error: of another kind
  sqliteStore('sessions.db', { synchronous: true })
  // @ts-expect-error: of which unit?
  sqliteStore('sessions.db', { busyTimeout: 5000 })
  // @ts-expect-error: misspelt
  memoryStore({ maxEntrys: 10 })
  // @ts-expect-error: no such option
  fileStore('sessions', { table: 'visits' })
  // @ts-expect-error: no client
  postgresStore('postgres://127.0.0.1')
  // @ts-expect-error: no such option
  postgresStore(clients.postgres, { tables: 'visits' })
  // @ts-expect-error: no client
  mysqlStore({})
  // @ts-expect-error: no such option
  mysqlStore(clients.mysql, { schema: 'shop' })
  // @ts-expect-error: no client
  redisStore(clients.nats)
  // @ts-expect-error: of which unit?
  redisStore(clients.redis, { replicaTimeout: 1000 })
  // @ts-expect-error: no client
  memcachedStore(new Map())
  // @ts-expect-error: a number of bytes
  memcachedStore(clients.memcache, { maxItemSize: '1mb' })
  // @ts-expect-error: no bucket
  natsStore('nats://127.0.0.1')
  // @ts-expect-error: addresses, as texts
  etcdStore(2379)
  // @ts-expect-error: no document client
  dynamoStore('sessions')
  // @ts-expect-error: no store of express-session
  expressStore(new Map())
  // @ts-expect-error: no storage
  unstorageStore('redis')
  // @ts-expect-error: a URL is a text
  void storeFromUrl(new URL('memory:'))
  // @ts-expect-error: it needs to know which store
  storeContract()
  // @ts-expect-error: it needs to know which site
  adapterContract()
}
