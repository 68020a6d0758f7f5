import { inspect } from 'node:util'
import { Redis } from 'ioredis'
import { createClient } from 'redis'
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { createSessions } from '../../src/index.ts'
import type { UpdateResult } from '../../src/store.ts'
import { type RedisStore, redisStore } from '../../src/stores/redis.ts'
import { Browser } from '../core/browser.ts'
import { describeWith } from '../servers/program.ts'
import { ofTest, REDIS_7, type RedisServers, standaloneRedis, until } from '../servers/redis.ts'
import { Wire } from '../servers/wire.ts'
import { CLIENTS, type OpenClient } from './redis-clients.ts'

const HOUR = 3_600_000
const DAY = 24 * HOUR
const entry = (value = '{}', userId?: string) => ({ value, expiresAt: Date.now() + HOUR, userId })

describeWith([REDIS_7], 'the Redis store in use', () => {
  let server: RedisServers
  let admin: Redis
  let port = 0
  beforeAll(async () => {
    server = await standaloneRedis()
    port = server.servers.keys().next().value ?? 0
    admin = new Redis(port)
  })
  afterAll(async () => {
    admin?.disconnect()
    await server?.stop()
  })
  beforeEach(async () => {
    await admin.flushall()
  })

  async function open(name: string, target = server.target): Promise<OpenClient> {
    const opened = await CLIENTS[name]?.(target)
    if (!opened) throw new Error(`No client is named ${name}`)
    onTestFinished(async () => {
      await opened.close()
    })
    return opened
  }

  async function openStore(name = 'ioredis', options = {}): Promise<RedisStore> {
    return redisStore((await open(name)).client, options)
  }

  /** What clients send, but for what they send to connect. The last one is seen when the promise resolves. */
  async function sent(work: () => Promise<unknown>): Promise<string[][]> {
    const monitor = await admin.monitor()
    const commands: string[][] = []
    const end = `end ${Math.random()}`
    const ended = new Promise<void>((resolve) => {
      monitor.on('monitor', (_time: string, args: string[], source: string) => {
        if (args.includes(end)) resolve()
        // What scripts do costs no way of its own.
        else if (source !== 'lua') commands.push(args)
      })
    })
    await work()
    await admin.echo(end)
    await ended
    monitor.disconnect()
    return commands
  }

  describe.each(Object.keys(CLIENTS))('sends with %s', (name) => {
    it('as little as a request needs, and one key with each command', async () => {
      const store = await openStore(name)
      // The first writes find out what the server can, and bring it the scripts.
      const first = (await store.create('first', entry('{}', 'alice'))) ?? ''
      await store.update('first', entry('{}', 'alice'), first)

      const sessions = createSessions<{ n: number }>({ store })
      const browser = new Browser(sessions)
      const count = () => browser.visit((session) => session.update('n', (n = 0) => n + 1))
      const all: string[][] = []
      const costs: Record<string, number> = {}
      const cost = async (what: string, work: () => Promise<unknown>) => {
        const commands = await sent(work)
        costs[what] = commands.length
        all.push(...commands)
      }
      await cost('a request that ignores the session', async () =>
        sessions.open({ cookie: browser.cookie, secure: false }).commit(),
      )
      await cost('the first visit', count)
      await cost('a visit that reads', () => browser.visit((session) => session.get('n')))
      await cost('a visit that writes', count)
      await cost('the login', () => browser.visit((session) => session.login('alice')))
      await cost('a visit of a user that writes', count)
      await cost('the logout', () => browser.visit((session) => session.destroy()))
      expect(costs).toEqual({
        'a request that ignores the session': 0,
        'the first visit': 1,
        'a visit that reads': 1,
        'a visit that writes': 2,
        'the login': 3,
        'a visit of a user that writes': 2,
        'the logout': 2,
      })
      for (const command of all) expect(await admin.call('COMMAND', 'GETKEYS', ...command)).toHaveLength(1)
    })
  })

  describe('a command that the client sends again by itself', () => {
    /** A store whose client lost the answer to what `work` does, while `meanwhile` happened. */
    async function afterLostAnswer<T>(
      work: (store: RedisStore) => Promise<T>,
      meanwhile: () => Promise<unknown>,
    ): Promise<T> {
      const wire = await Wire.to(port)
      const { client } = await open('ioredis', { kind: 'standalone', port: wire.port })
      onTestFinished(() => wire.close())
      const store = redisStore(client)
      // Finds out what the server can, which the first write does.
      await store.update('any', entry(), (await store.create('any', entry())) ?? '')
      wire.loseAnswers()
      const working = work(store)
      await meanwhile()
      wire.heal()
      return working
    }

    it('creates once', async () => {
      const other = await openStore()
      const version = await afterLostAnswer(
        (store) => store.create('key', entry('mine')),
        () => until(() => other.read('key')),
      )
      expect(await other.read('key')).toMatchObject({ value: 'mine', version })
    })

    it.each([0, 1, 3])('updates once, though %i others have written since', async (writers) => {
      const others = [await openStore(), await openStore(), await openStore()]
      const [other] = others as [RedisStore]
      const version = (await other.create('key', entry('0'))) ?? ''
      const result = await afterLostAnswer(
        (store) => store.update('key', entry('1'), version),
        async () => {
          await until(async () => (await other.read('key'))?.value === '1')
          for (const [i, store] of others.slice(0, writers).entries()) {
            // Each of them more than once: only the last write of a store is remembered.
            for (const value of [`${i}`, `others ${i}`]) {
              const { version = '' } = (await store.read('key')) ?? {}
              await store.update('key', entry(value), version)
            }
          }
        },
      )
      expect(result).toEqual({ version: expect.any(String) })
      const value = writers === 0 ? '1' : `others ${writers - 1}`
      expect(await other.read('key')).toMatchObject({ value })
      // It is no licence to overwrite the others.
      const next = await other.update('key', entry('late'), (result as { version: string }).version)
      expect(next).toMatchObject(writers === 0 ? { version: expect.any(String) } : { current: { value } })
    })

    it('does not bring back what was deleted since', async () => {
      const other = await openStore()
      const version = (await other.create('key', entry('0'))) ?? ''
      const result = await afterLostAnswer(
        (store): Promise<UpdateResult | undefined> => store.update('key', entry('1'), version),
        async () => {
          await until(async () => (await other.read('key'))?.value === '1')
          await other.delete('key')
        },
      )
      expect(result).toBeUndefined()
      expect(await other.read('key')).toBeUndefined()
    })
  })

  it('runs its scripts after the server has forgotten them', async () => {
    const store = await openStore()
    let version = (await store.create('key', entry('0', 'alice'))) ?? ''
    for (let i = 1; i < 4; i++) {
      await admin.script('FLUSH')
      const result = await store.update('key', entry(`${i}`, `user ${i}`), version)
      version = (result as { version: string }).version
    }
    expect(await store.ofUser('user 3')).toHaveLength(1)
  })

  describe('keys', () => {
    it.each(['*', 'a?c', '[a-z]:', '{tag}:', '"quoted" \' \\', 'ü 🎉:', ''])(
      'begin with the prefix, whatever it holds, and nobody else is touched: %s',
      async (prefix) => {
        await admin.mset('aXc', 'theirs', 'q:key', 'theirs', 'sojourn:key', 'theirs', 'user', 'theirs')
        const store = await openStore('ioredis', { prefix })
        const version = (await store.create('mine', entry('1', 'alice'))) ?? ''
        await store.update('mine', entry('2', 'bob'), version)
        expect((await store.ofUser('bob')).map(({ key }) => key)).toEqual(['mine'])
        const theirs = ['aXc', 'q:key', 'sojourn:key', 'user']
        const mine = (await admin.keys('*')).filter((key) => !theirs.includes(key))
        expect(mine.sort()).toEqual([`${prefix}mine`, `${prefix}user:alice`, `${prefix}user:bob`].sort())
        await store.delete('mine')
        expect(await admin.mget(theirs)).toEqual(Array(4).fill('theirs'))
      },
    )

    it('all expire by themselves: a session a minute late, and never before its own end', async () => {
      const store = await openStore()
      const version = (await store.create('key', entry('{}', 'alice'))) ?? ''
      expect(await admin.pttl('sojourn:key')).toBeGreaterThan(HOUR)
      expect(await admin.pttl('sojourn:key')).toBeLessThanOrEqual(HOUR + 60_000)
      await store.update('key', { ...entry('{}', 'alice'), expiresAt: Date.now() + 500 }, version)
      expect(await admin.pttl('sojourn:key')).toBeLessThanOrEqual(60_500)
      expect(await admin.pttl('sojourn:user:alice')).toBeGreaterThan(HOUR)
      expect(await admin.pttl('sojourn:user:alice')).toBeLessThan(3 * DAY)
    })

    it('that hold something else are neither served nor lost in an endless loop', async () => {
      const store = await openStore()
      await admin.set('sojourn:key', Buffer.from([0xff, 0x00]))
      expect(await store.read('key')).toBeUndefined()
      expect(await store.update('key', entry(), 'any')).toBeUndefined()
      await expect(store.create('key', entry())).rejects.toThrow('no session')
      await admin.del('sojourn:key')
      await admin.lpush('sojourn:key', 'a list')
      await expect(store.read('key')).rejects.toThrow('Redis failed to read: WRONGTYPE')
    })
  })

  describe('the sessions of a user', () => {
    const index = 'sojourn:user:alice'
    /** The score of a member that was written so long ago, and whose session expires on the day of an instant. */
    const score = (expiresAt: number, ago: number) =>
      String((Math.floor(expiresAt / DAY) + 1) * 86_400 + (Math.floor((Date.now() - ago) / 1000) % 86_400))

    it('are listed when the process died between index and session, or before the index was needed', async () => {
      const store = await openStore()
      // Not there, but written just now: it may be on the way.
      await admin.zadd(index, score(Date.now(), 1000), 'on-the-way')
      // Not there any more.
      await admin.zadd(index, score(Date.now(), 2 * HOUR), 'gone', score(Date.now(), 20 * HOUR), 'gone-too')
      await store.create('live', entry('{}', 'alice'))
      expect((await store.ofUser('alice')).map(({ key }) => key)).toEqual(['live'])
      expect((await admin.zrange(index, '0', '-1')).sort()).toEqual(['live', 'on-the-way'])
    })

    it('grant nothing: a member proves nothing', async () => {
      const store = await openStore()
      await store.create('of-bob', entry('{}', 'bob'))
      await admin.zadd(index, score(Date.now(), 2 * HOUR), 'of-bob', score(Date.now(), 2 * HOUR), 'forged')
      expect(await store.ofUser('alice')).toEqual([])
      expect(await admin.exists(index)).toBe(0)
      expect(await store.ofUser('bob')).toHaveLength(1)
    })

    it('are in the index as long as they live, which is written once a day, and written anew when it is lost', async () => {
      let now = Date.now()
      const store = await openStore('ioredis', { clock: () => now })
      let version =
        (await store.create('key', { value: '', expiresAt: now + 14 * DAY, userId: 'alice' })) ?? ''
      const written: number[] = []
      for (let hours = 0; hours < 72; hours++) {
        now += HOUR
        const next = { value: '', expiresAt: now + 14 * DAY, userId: 'alice' }
        const commands = await sent(async () => {
          version = ((await store.update('key', next, version)) as { version: string }).version
        })
        if (commands.some((command) => command.includes(index))) written.push(hours)
        // Lost in the middle of it.
        if (hours === 30) await admin.del(index)
      }
      expect(written).toHaveLength(3)
      expect(await store.ofUser('alice')).toHaveLength(1)
      const [, last] = await admin.zrange(index, '0', '-1', 'WITHSCORES')
      expect(Number(last) * 1000).toBeGreaterThan(now + 14 * DAY)
    })

    it('stay in the index for as long as any write needs them, the late and the shortened ones, too', async () => {
      const store = await openStore()
      const long = { value: '', expiresAt: Date.now() + 20 * DAY, userId: 'alice' }
      const version = (await store.create('key', long)) ?? ''
      const before = Number(await admin.zscore(index, 'key'))
      const other = (await store.create('other', entry('{}', 'bob'))) ?? ''
      await store.update('other', entry('{}', 'alice'), other)
      // One that came too late is not written, but was announced.
      await store.update('key', entry('{}', 'bob'), version)
      await store.update('key', entry('{}', 'alice'), version)
      expect(Number(await admin.zscore(index, 'key'))).toBeGreaterThanOrEqual(before)
      expect(await admin.pttl(index)).toBeGreaterThan(20 * DAY)
    })

    it('that ended are removed by the next login', async () => {
      const store = await openStore()
      await admin.zadd(index, score(Date.now() - 3 * DAY, 2 * HOUR), 'ended')
      await store.create('key', entry('{}', 'alice'))
      expect(await admin.zrange(index, '0', '-1')).toEqual(['key'])
    })

    it('may be many', async () => {
      const store = await openStore()
      const keys = Array.from({ length: 600 }, (_, i) => `key-${i}`)
      await Promise.all(keys.map((key) => store.create(key, entry('{}', 'alice'))))
      const listed = await store.ofUser('alice')
      expect(listed.map(({ key }) => key).sort()).toEqual(keys.sort())
    })
  })

  describe.each(Object.keys(CLIENTS))('a failure, with %s,', (name) => {
    const KEY = 'a-key-for-nobody'
    const shown = async (call: Promise<unknown>): Promise<string> => {
      const error = await call.then(
        () => 'no error',
        (error: unknown) => error,
      )
      expect(inspect(error, { depth: 20 })).not.toMatch(/a-key-for-nobody|a secret value/)
      return String(error)
    }

    it('of memory is a clear error that quotes nothing, and passes', async () => {
      const store = await openStore(name)
      const version = (await store.create(KEY, entry('a secret value'))) ?? ''
      await admin.config('SET', 'maxmemory', '1')
      expect(await shown(store.update(KEY, entry('a secret value'), version))).toContain(
        'Redis failed to update',
      )
      expect(await shown(store.create('other', entry('a secret value')))).toMatch(
        /Redis failed to create: .*used memory/,
      )
      expect(await store.read(KEY)).toMatchObject({ version })
      await admin.config('SET', 'maxmemory', '0')
      expect(await store.update(KEY, entry(), version)).toHaveProperty('version')
    })

    it('of a replica to write is a clear error', async () => {
      const store = await openStore(name)
      await store.create(KEY, entry())
      await admin.call('REPLICAOF', '127.0.0.1', '1')
      const error = await shown(store.create('other', entry('a secret value')))
      await admin.call('REPLICAOF', 'NO', 'ONE')
      expect(error).toMatch(/Redis failed to create: .*read only replica/i)
    })

    it('of a server that stands still ends with its time limit, and with the standstill', async () => {
      const { client } = await open(name)
      const sessions = createSessions<{ n: number }>({ store: redisStore(client), storeTimeout: '300ms' })
      const browser = new Browser(sessions)
      const count = () => browser.visit((session) => session.update('n', (n = 0) => n + 1))
      await until(count)
      server.servers.get(port)?.pause()
      await expect(count()).rejects.toMatchObject({ code: 'ERR_SESSION_STORE' })
      server.servers.get(port)?.resume()
      await until(count)
    })
  })

  // node-redis goes on trying for ever, unless it is told otherwise, as by the URL of a store.
  it.each(['ioredis', '@valkey/valkey-glide'])('repeats no wrong password: %s', async (name) => {
    const strict = await ofTest(standaloneRedis(REDIS_7, '--requirepass', 'right'))
    const [port = 0] = strict.servers.keys()
    const error = await open(name, { kind: 'standalone', port, password: 'a password' })
      .then(({ client }) => redisStore(client).read('key'))
      .catch((error: unknown) => error)
    expect(error).toBeInstanceOf(Error)
    expect(inspect(error, { depth: 20 })).not.toContain('a password')
  })

  it.each(Object.keys(CLIENTS))('works again by itself when the server is back: %s', async (name) => {
    const own = await ofTest(standaloneRedis())
    const { client } = await open(name, own.target)
    const store = redisStore(client)
    await store.create('key', entry())
    for (const server of own.servers.values()) {
      await server.kill()
      await server.start()
    }
    await until(async () => (await store.create('other', entry())) !== undefined)
  })

  it('leaves to node-redis the commands that cannot be sent, and spares it a timer for those that can', async () => {
    const own = await ofTest(standaloneRedis())
    const [port = 0] = own.servers.keys()
    const client = createClient({ socket: { port }, commandOptions: { timeout: 200 } })
    client.on('error', () => undefined)
    await client.connect()
    onTestFinished(() => client.destroy())
    const send = vi.spyOn(client, 'sendCommand')
    const store = redisStore(client)
    const ownTimers = () => send.mock.calls.filter(([, options]) => options === undefined).length
    await Promise.all(Array.from({ length: 1500 }, () => store.read('key')))
    // All above a thousand may be a server that hangs.
    expect(ownTimers()).toBe(500)
    for (const server of own.servers.values()) await server.kill()
    await expect.poll(() => client.isReady).toBe(false)
    await expect(store.read('key')).rejects.toThrow(/Redis failed to read/)
  })

  describe('misuse is refused at once:', () => {
    const client = { sendCommand: async () => null, multi: () => ({}) } as never
    it.each([
      ['"client"', () => redisStore(undefined as never)],
      ['"client"', () => redisStore({} as never)],
      ['"prefix"', () => redisStore(client, { prefix: 5 as never })],
      ['"waitForReplicas"', () => redisStore(client, { waitForReplicas: -1 })],
      ['"waitForReplicas"', () => redisStore(client, { waitForReplicas: 0.5 })],
      ['"replicaTimeout"', () => redisStore(client, { replicaTimeout: '5' as never })],
      ['"clock"', () => redisStore(client, { clock: 5 as never })],
      ['did you mean "prefix"', () => redisStore(client, { prefx: 'a' } as never)],
    ])('%s', (option, construct) => {
      expect(construct).toThrow(TypeError)
      expect(construct).toThrow(option)
    })
  })
})
