import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest'
import { redisStore } from '../../src/stores/redis.ts'
import { describeWith } from '../servers/program.ts'
import { clusterRedis, REDIS_7, type RedisServers } from '../servers/redis.ts'
import { CLIENTS } from './redis-clients.ts'

describeWith([REDIS_7], 'the Redis store and the slots of a cluster', () => {
  let servers: RedisServers
  beforeAll(async () => {
    servers = await clusterRedis()
  })
  afterAll(() => servers?.stop())

  /** How often any server has answered that a command was none for it, or none for one server alone. */
  async function astray(): Promise<number> {
    const infos = [...servers.servers.keys()].map((port) => servers.ask(port, 'INFO', 'errorstats'))
    const all = (await Promise.all(infos)).join('\n')
    const counts = [...all.matchAll(/^errorstat_(?:MOVED|ASK|CROSSSLOT|TRYAGAIN):count=(\d+)/gm)]
    return counts.reduce((sum, [, count]) => sum + Number(count), 0)
  }

  it('would notice a command that goes astray', async () => {
    const before = await astray()
    const [master = 0] = await servers.masters()
    await expect(servers.ask(master, 'MGET', 'one', 'other')).rejects.toThrow(/CROSSSLOT/)
    expect(await astray()).toBe(before + 1)
  })

  it.each(Object.entries(CLIENTS))('sends each command where its key is, with %s', async (name, open) => {
    const opened = await open(servers.target)
    onTestFinished(async () => void (await opened.close()))
    const prefix = `${name}:`
    const store = redisStore(opened.client, { prefix })
    const before = await astray()
    const entry = { value: '{}', expiresAt: Date.now() + 3_600_000 }
    const keys = Array.from({ length: 150 }, (_, i) => `key-${i}`)
    await Promise.all(
      keys.map(async (key, i) => {
        const userId = `user ${i % 10}`
        const version = await store.create(key, { ...entry, userId })
        expect((await store.read(key))?.version).toBe(version)
        // A stale version is a conflict, which is answered by a script.
        await store.update(key, { ...entry, userId: 'ada' }, version ?? '')
        await store.update(key, { ...entry, userId }, version ?? '')
      }),
    )
    expect(await store.ofUser('ada')).toHaveLength(keys.length)
    expect(await astray()).toBe(before)
    // Not because all of them are in one place.
    const masters = await servers.masters()
    const sizes = await Promise.all(masters.map((port) => servers.ask(port, 'DBSIZE')))
    expect(sizes.map(Number).every((size) => size > 20)).toBe(true)
    await Promise.all(keys.map((key) => store.delete(key)))
    expect(await store.ofUser('ada')).toEqual([])
    expect(await astray()).toBe(before)
  })
})
