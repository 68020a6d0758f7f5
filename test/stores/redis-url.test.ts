import { inspect } from 'node:util'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { CloseableStore, UserIndexedStore } from '../../src/store.ts'
import { storeFromUrl } from '../../src/stores/from-url.ts'
import { redisStore } from '../../src/stores/redis.ts'
import { parseRedisUrl } from '../../src/stores/redis-address.ts'
import { openRedisUrl } from '../../src/stores/redis-url.ts'
import { describeWith } from '../servers/program.ts'
import { clusterRedis, ofTest, REDIS_7, sentinelRedis, standaloneRedis } from '../servers/redis.ts'
import { freePort, type Server } from '../servers/server.ts'
import { CLIENTS } from './redis-clients.ts'

const entry = { value: 'kept', expiresAt: Date.now() + 3_600_000, userId: 'alice' }

describe('the URL of a Redis', () => {
  const plain = {
    kind: 'standalone',
    tls: false,
    hosts: [{ host: 'h', port: 6379 }],
    username: undefined,
    password: undefined,
    database: 0,
    name: 'mymaster',
    prefix: undefined,
  }
  it.each([
    ['redis://h', {}],
    ['valkey://h:7000/', { hosts: [{ host: 'h', port: 7000 }] }],
    ['rediss://h/3', { tls: true, database: 3 }],
    ['valkeys://:p%40ss@h', { tls: true, password: 'p@ss' }],
    ['redis://me:a:b@[::1]:7000', { username: 'me', password: 'a:b', hosts: [{ host: '::1', port: 7000 }] }],
    ['redis://h?prefix=a%20%7Bb%7D:', { prefix: 'a {b}:' }],
    ['redis://h/?prefix=', { prefix: '' }],
    [
      'redis+cluster://h,i:7001',
      {
        kind: 'cluster',
        hosts: [
          { host: 'h', port: 6379 },
          { host: 'i', port: 7001 },
        ],
      },
    ],
    [
      'redis+sentinel://h:26380,i',
      {
        kind: 'sentinel',
        hosts: [
          { host: 'h', port: 26_380 },
          { host: 'i', port: 26_379 },
        ],
      },
    ],
    [
      'rediss+sentinel://h/shop/2?prefix=s',
      {
        kind: 'sentinel',
        tls: true,
        hosts: [{ host: 'h', port: 26_379 }],
        name: 'shop',
        database: 2,
        prefix: 's',
      },
    ],
  ])('%s', (url, parts) => {
    expect(parseRedisUrl(url)).toEqual({ ...plain, ...parts })
  })

  it.each([
    'redis://',
    'redis://:secret@',
    'redis://:secret@h/one',
    'redis+cluster://:secret@h/1',
    'redis://:secret@h:port',
    'redis://:secret@h?prefx=a',
    'redis://:sec%ret@h',
    'redis+pool://:secret@h',
  ])('is refused, and not repeated: %s', async (url) => {
    const error = await storeFromUrl(url).catch((error: unknown) => error)
    expect(error).toBeInstanceOf(TypeError)
    expect((error as Error).message).not.toMatch(/secret|sec%ret/)
  })
})

describeWith([REDIS_7], 'a store by its URL', () => {
  it('is opened with a password, a database and a prefix, and closed', async () => {
    const { ask, servers } = await ofTest(standaloneRedis(REDIS_7, '--requirepass', 'p:@/ss'))
    const [port = 0] = servers.keys()
    const url = `redis://:p%3A%40%2Fss@127.0.0.1:${port}/2?prefix=a%20b:`
    const store = (await storeFromUrl(url)) as UserIndexedStore & CloseableStore
    await store.create('key', entry)
    expect(await store.ofUser('alice')).toHaveLength(1)
    expect(await ask(port, 'INFO', 'keyspace')).toContain('db2:keys=2')
    await store.close()
    await store.close()
    expect(await ask(port, 'CLIENT', 'LIST')).not.toContain('db=2')
  })

  it('is closed, too, while the server answers nothing any more', async () => {
    const { servers } = await ofTest(standaloneRedis(REDIS_7))
    const [[port, server]] = [...servers] as [[number, Server]]
    const store = (await storeFromUrl(`redis://127.0.0.1:${port}`)) as UserIndexedStore & CloseableStore
    server.pause()
    const reading = store.read('key').catch(() => 'failed')
    await store.close()
    expect(await reading).toBe('failed')
    server.resume()
  })

  it('says what is wrong, and repeats no password', async () => {
    const { servers } = await ofTest(standaloneRedis(REDIS_7, '--requirepass', 'right'))
    const [port = 0] = servers.keys()
    for (const [url, reason] of [
      [`redis://:a-password@127.0.0.1:${port}`, 'WRONGPASS'],
      [`redis://127.0.0.1:${port}`, 'NOAUTH'],
      [`redis://:a-password@127.0.0.1:${await freePort()}`, 'ECONNREFUSED'],
    ] as const) {
      const error = await storeFromUrl(url).then(
        () => 'no error',
        (error: unknown) => error,
      )
      expect(String(error)).toMatch(new RegExp(`Redis at 127.0.0.1:\\d+ cannot be opened: .*${reason}`))
      expect(inspect(error, { depth: 20 })).not.toContain('a-password')
    }
  })

  it.each([
    ['redis+sentinel', sentinelRedis],
    ['redis+cluster', clusterRedis],
  ])('finds its servers: %s', async (scheme, start) => {
    const { target } = await ofTest(start())
    const ports = 'sentinels' in target ? target.sentinels : 'ports' in target && target.ports
    if (!ports) throw new Error('There is one server only')
    const hosts = ports.map((port) => `127.0.0.1:${port}`).join(',')
    const path = target.kind === 'sentinel' ? `/${target.name}` : ''
    const store = await openRedisUrl(`${scheme}://${hosts}${path}?prefix=mine:`)
    await store.create('key', entry)
    await store.close()
    const opened = await CLIENTS['ioredis']?.(target)
    if (!opened) throw new Error('There is no ioredis')
    onTestFinished(async () => {
      await opened.close()
    })
    expect(await redisStore(opened.client, { prefix: 'mine:' }).read('key')).toMatchObject(entry)
  })
})
