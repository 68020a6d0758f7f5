import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest'
import { type RedisStoreOptions, redisStore } from '../../src/stores/redis.ts'
import { describeWith } from '../servers/program.ts'
import { REDIS_7, type RedisServers, type RedisTarget, sentinelRedis, until } from '../servers/redis.ts'
import { Wire } from '../servers/wire.ts'
import { CLIENTS } from './redis-clients.ts'

const entry = (value: string) => ({ value, expiresAt: Date.now() + 3_600_000, userId: 'alice' })

describeWith([REDIS_7], 'the Redis store that waits for replicas', () => {
  let group: RedisServers
  let master = 0
  beforeAll(async () => {
    group = await sentinelRedis()
    master = (await group.masters())[0] ?? 0
  })
  afterAll(() => group?.stop())

  async function open(name: string, target: RedisTarget, options: RedisStoreOptions) {
    const opened = await CLIENTS[name]?.(target)
    if (!opened) throw new Error(`No client is named ${name}`)
    onTestFinished(async () => {
      await opened.close()
    })
    return redisStore(opened.client, options)
  }

  /** The replicas run, and receive nothing, while the work is done. */
  async function withoutReplicas(work: () => Promise<void>): Promise<void> {
    const replicas = [...group.servers].filter(([port]) => port !== master)
    for (const [, server] of replicas) server.pause()
    try {
      await work()
    } finally {
      for (const [, server] of replicas) server.resume()
    }
  }

  it.each([
    ['redis', 'standalone'],
    ['ioredis', 'standalone'],
    ['@valkey/valkey-glide', 'standalone'],
    ['redis', 'sentinel'],
    ['ioredis', 'sentinel'],
  ])('says whether they have the write: %s, %s', async (name, kind) => {
    const target = kind === 'sentinel' ? group.target : ({ kind: 'standalone', port: master } as const)
    const prefix = `${name} ${kind}:`
    const store = await open(name, target, { prefix, waitForReplicas: 2, replicaTimeout: '100s' })
    const hasty = await open(name, target, { prefix, waitForReplicas: 2, replicaTimeout: '500ms' })
    const version = (await store.create('key', entry('0'))) ?? ''
    const result = await store.update('key', entry('1'), version)
    expect(result).toEqual({ version: expect.any(String) })
    expect(await store.update('key', entry('late'), version)).toMatchObject({ current: { value: '1' } })
    for (const port of group.servers.keys())
      expect(await group.ask(port, 'GET', `${prefix}key`)).toContain('alice1')

    await withoutReplicas(async () => {
      // A user is listed before the session is written, and the index must be as safe.
      await expect(hasty.create('other', entry('2'))).rejects.toThrow(
        '0 of 2 replicas confirmed it within 500 ms',
      )
      expect(await store.read('other')).toBeUndefined()
      await expect(hasty.create('other', { ...entry('2'), userId: undefined })).rejects.toThrow(
        'Redis failed to create: the write was done, but 0 of 2 replicas confirmed it within 500 ms',
      )
      // It is there for all that, as the message says.
      expect(await store.read('other')).toMatchObject({ value: '2' })
      await expect(hasty.delete('other')).rejects.toThrow('the write was done')
    })
    await until(() => store.delete('key').then(() => true))
    expect(await store.read('key')).toBeUndefined()
  })

  it('believes no answer that another connection gave', async () => {
    const wire = await Wire.to(master)
    onTestFinished(() => wire.close())
    const target = { kind: 'standalone', port: wire.port } as const
    const store = await open('ioredis', target, {
      prefix: 'wire:',
      waitForReplicas: 2,
      replicaTimeout: '100s',
    })
    const bare = { ...entry('0'), userId: undefined }
    await until(() => store.create('warm', bare))
    await withoutReplicas(async () => {
      const writing = store.create('key', bare).catch((error: unknown) => error)
      await until(async () => (await group.ask(master, 'EXISTS', 'wire:key')) === '1')
      // By now the connection waits. The client sends WAIT again, on one that has written nothing.
      await sleep(50)
      wire.cut()
      expect(String(await writing)).toContain('the connection was lost before a replica confirmed it')
    })
  })
})
