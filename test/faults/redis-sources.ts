import type { RedisStoreOptions } from '../../src/stores/redis.ts'
import type { RedisTarget } from '../servers/redis.ts'
import type { StoreSource } from './source.ts'

const module = new URL('./workers/redis.ts', import.meta.url).pathname

export const source = (
  client: string,
  target: RedisTarget,
  options: RedisStoreOptions = {},
): StoreSource => ({
  module,
  args: [client, JSON.stringify(target), JSON.stringify(options)],
})

/** Half of the processes with one client, half with another one. */
export const mixed = (target: RedisTarget, options?: RedisStoreOptions): StoreSource[] => [
  source('redis', target, options),
  source('ioredis', target, options),
]
