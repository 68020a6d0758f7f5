import { join } from 'node:path'
import type { Duration } from '../../src/index.ts'
import type { Store } from '../../src/store.ts'
import { redisStore } from '../../src/stores/redis.ts'
import { sqliteStore } from '../../src/stores/sqlite.ts'
import { tieredStore } from '../../src/stores/tiered.ts'
import type { OpenedStore } from '../faults/source.ts'
import { openClient } from './memcached-clients.ts'
import { CLIENTS } from './redis-clients.ts'

/**
 * A tiered store of a cache on this machine, by its kind and port, and a SQLite database in a folder.
 * @param options the cache may take its time, so that it does what it is told on a busy machine, too
 */
export async function openTiered(
  kind: string,
  port: number,
  folder: string,
  { clock = Date.now, cacheTimeout = '20s' }: { clock?: () => number; cacheTimeout?: Duration } = {},
): Promise<OpenedStore> {
  const { store: cache, close } = await (kind === 'redis' ? redis : memcached)(port, `${folder}:`, clock)
  const durable = sqliteStore(join(folder, 'sessions.db'), { clock })
  const store = tieredStore({ cache, store: durable, cacheTimeout, clock })
  return { store, close: async () => Promise.all([store.close(), close()]) }
}

type Opened = { store: Store; close(): unknown }

async function redis(port: number, prefix: string, clock: () => number): Promise<Opened> {
  const { client, close } = (await CLIENTS['ioredis']?.({ kind: 'standalone', port })) ?? failed()
  return { store: redisStore(client, { prefix, clock }), close }
}

async function memcached(port: number, prefix: string, clock: () => number): Promise<Opened> {
  const client = openClient('memcache', [`127.0.0.1:${port}`])
  return { store: client.store({ prefix, clock }), close: () => client.close() }
}

function failed(): never {
  throw new Error('There is no such client')
}
