import { Redis } from 'ioredis'
import { createStorage, type Storage } from 'unstorage'
import redisDriver from 'unstorage/drivers/redis'
import { afterAll, expect, it } from 'vitest'
import { unstorageStore } from '../../src/stores/unstorage.ts'
import { describeWith } from '../servers/program.ts'
import { REDIS_7, standaloneRedis } from '../servers/redis.ts'
import { describeStore } from './contract.ts'
import { tested } from './tested.ts'

describeWith([REDIS_7], 'unstorage on Redis', () => {
  let starting: ReturnType<typeof standaloneRedis> | undefined
  const storages: Storage[] = []
  afterAll(async () => {
    for (const storage of storages) await storage.dispose()
    await (await starting)?.stop()
  })

  async function open(base: string): Promise<{ port: number; storage: Storage }> {
    starting ??= standaloneRedis()
    const { servers, version } = await starting
    tested('unstorageStore', 'unstorage', version)
    const [port = 0] = servers.keys()
    const storage = createStorage({ driver: redisDriver({ host: '127.0.0.1', port, base }) })
    storages.push(storage)
    return { port, storage }
  }

  let count = 0
  describeStore('unstorage, redis', {
    prepare: () => open(`case-${++count}`),
    open: ({ storage }, clock) => unstorageStore(storage, { driverExpires: true, clock }),
    expiry: 'given',
    shared: true,
    atomic: 'process',
    abilities: { purge: false, ofUser: false, close: false },
    breakEntry: ({ storage }, key) => storage.setItem(`sessions:${key}`, '{"value":'),
  })

  it('leaves it to the server to remove what has expired, a minute late', async () => {
    const { port, storage } = await open('lifetimes')
    await unstorageStore(storage, { driverExpires: true }).create('key', {
      value: '{}',
      expiresAt: Date.now() + 600_000,
      userId: undefined,
    })
    const client = new Redis(port, '127.0.0.1')
    const ttl = await client.pttl('lifetimes:sessions:key')
    client.disconnect()
    expect(ttl).toBeGreaterThan(600_000)
    expect(ttl).toBeLessThanOrEqual(660_000)
  })
})
