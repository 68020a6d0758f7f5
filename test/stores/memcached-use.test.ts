import { Client } from 'memjs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createSessions } from '../../src/index.ts'
import type { CloseableStore, Entry } from '../../src/store.ts'
import { storeFromUrl } from '../../src/stores/from-url.ts'
import { memcachedStore } from '../../src/stores/memcached.ts'
import { Browser } from '../core/browser.ts'
import { ask, keysOf, MEMCACHED, type Memcached, startMemcached } from '../servers/memcached.ts'
import { describeWith } from '../servers/program.ts'
import { Wire } from '../servers/wire.ts'
import { describeLostUpdates } from './lost-updates.ts'
import { CLIENTS, type ClientName, openClient, type TestClient } from './memcached-clients.ts'

const MINUTE = 60_000
const DAY = 24 * 60 * MINUTE
const KEY = 'kJkJkJkJkJkJkJkJkJkJkJ'

function entry(changes: Partial<Entry> = {}): Entry {
  return { value: 'kept', expiresAt: Date.now() + DAY, userId: undefined, ...changes }
}

describe('memcachedStore refuses', () => {
  const client = { hash: { getNodesByKey: () => [] } }

  it.each([
    [{ prefix: 'my sessions:' }, '"prefix" must be'],
    [{ prefix: 'sessions\r\n' }, '"prefix" must be'],
    [{ prefix: 'ü'.repeat(101) }, '"prefix" must be'],
    [{ maxItemSize: 0 }, '"maxItemSize" must be'],
    [{ maxItemSize: 1e6 + 0.5 }, '"maxItemSize" must be'],
    [{ clock: 0 as never }, '"clock" must be'],
    [{ ttl: 60 } as never, '"ttl" is not an option of memcachedStore'],
  ])('%j', (options, message) => {
    expect(() => memcachedStore(client, options)).toThrow(new RegExp(`^${message}`))
  })

  it('a client that cannot compare and set', () => {
    expect(() => memcachedStore(Client.create('127.0.0.1:1') as never)).toThrow(
      'others cannot compare and set',
    )
    expect(() => memcachedStore(undefined as never)).toThrow(TypeError)
  })

  it('keys that memcached would take for something else', async () => {
    const store = memcachedStore(client)
    for (const key of ['a b', 'a\r\nflush_all', 'a\0', 'x'.repeat(250)]) {
      await expect(store.read(key)).rejects.toThrow('A key must be')
      await expect(store.delete(key)).rejects.toThrow('A key must be')
    }
  })
})

describe('a memcached URL', () => {
  it.each([
    'memcached://',
    'memcached://host:port',
    'memcached://a,,b',
    'memcached://host/path',
    'memcached://host?table=a',
    'memcached://user:s3cret@host',
  ])('%s is refused, and not repeated', async (url) => {
    const opened = storeFromUrl(url)
    await expect(opened).rejects.toThrow(TypeError)
    await expect(opened).rejects.not.toThrow('s3cret')
  })
})

describeWith([MEMCACHED], 'memcached in use', () => {
  let memcached: Memcached
  const open: TestClient[] = []
  beforeAll(async () => {
    memcached = await startMemcached()
  })
  afterAll(async () => {
    for (const client of open) await client.close()
    await memcached.server.stop()
  })

  let prefixes = 0
  function opened(name: ClientName = 'memcache', options = {}) {
    const client = openClient(name, [memcached.address])
    open.push(client)
    const prefix = `use${prefixes++}:`
    return { store: client.store({ prefix, ...options }), prefix }
  }

  /** The seconds that the server still keeps an item; -1 for ever. */
  async function secondsLeft(name: string): Promise<number> {
    return Number(/ t(-?\d+)/.exec(await ask(memcached.port, `mg ${name} t`))?.[1])
  }

  describe.each(CLIENTS)('%s: the server is told of a life of', (name) => {
    it.each([
      ['500 ms', 500, 1, 2],
      ['an hour', 60 * MINUTE, 3599, 3602],
      ['30 days', 30 * DAY, 30 * 86_400 - 2, 31 * 86_400 + 5],
      ['31 days', 31 * DAY, 31 * 86_400 - 2, 32 * 86_400 + 5],
      ['400 days', 400 * DAY, 400 * 86_400 - 2, 401 * 86_400 + 5],
      ['eight thousand years, as long as it can count', 8000 * 365 * DAY, 86_400, 2 ** 31],
    ])('%s, be the clock right or five minutes off', async (_, life, least, most) => {
      for (const off of [0, 5 * MINUTE, -5 * MINUTE]) {
        const clock = () => Date.now() + off
        const { store, prefix } = opened(name, { clock })
        for (let isLate = true; isLate; ) {
          await store.delete(KEY)
          const start = performance.now()
          const version = await store.create(KEY, entry({ expiresAt: clock() + life }))
          const left = await secondsLeft(prefix + KEY)
          // What was asked after a machine had stood still tells nothing.
          isLate = performance.now() - start > 500
          if (isLate) continue
          expect(left).toBeGreaterThanOrEqual(least)
          expect(left).toBeLessThanOrEqual(most)
          await store.update(KEY, entry({ expiresAt: clock() + life }), version ?? '')
          expect(await secondsLeft(prefix + KEY)).toBeLessThanOrEqual(most)
        }
      }
    })

    it('none, and never keeps anything for ever', async () => {
      const { store, prefix } = opened(name)
      await store.create(KEY, entry({ expiresAt: Date.now() - DAY, userId: 'alice' }))
      for (const key of await keysOf(memcached.port)) {
        if (key.startsWith(prefix)) expect(await secondsLeft(key)).not.toBe(-1)
      }
      expect(await store.read(KEY)).toBeUndefined()
    })
  })

  describe.each(CLIENTS)('%s: an item', (name) => {
    it('is as large as the server takes; a larger one is refused before it is sent, and changes nothing', async () => {
      const { store, prefix } = opened(name)
      const room = 1024 * 1024 - 100 - 40 - Buffer.byteLength(prefix + KEY)
      const largest = entry({ value: 'x'.repeat(room) })
      const version = (await store.create(KEY, largest)) ?? ''
      expect((await store.read(KEY))?.value).toHaveLength(room)
      const larger = entry({ value: 'x'.repeat(room + 60) })
      await expect(store.update(KEY, larger, version)).rejects.toMatchObject({
        code: 'ERR_SESSION_TOO_LARGE',
      })
      await expect(store.create(`${KEY}2`, larger)).rejects.toMatchObject({ code: 'ERR_SESSION_TOO_LARGE' })
      expect(await store.read(KEY)).toEqual({ ...largest, version })
    })

    it('that is larger than the server takes, against what "maxItemSize" says, is a clear error', async () => {
      const { store } = opened(name, { maxItemSize: 8 * 1024 * 1024 })
      const value = 'x'.repeat(2 * 1024 * 1024)
      await expect(store.create(KEY, entry({ value }))).rejects.toThrow(/^memcached failed to create: /)
      expect(await store.read(KEY)).toBeUndefined()
    })
  })

  it.each(CLIENTS)(
    '%s: no version fits after a restart, although the server counts from one again',
    async (name) => {
      const own = await startMemcached()
      const client = openClient(name, [own.address])
      const store = client.store({ prefix: '' })
      const version = (await store.create(KEY, entry({ value: 'before' }))) ?? ''
      const before = await ask(own.port, `gets ${KEY}`)
      await own.server.kill()
      await own.server.start()
      const successor = await until(() => store.create(KEY, entry({ value: 'after' })))
      const after = await ask(own.port, `gets ${KEY}`)
      expect(casOf(after)).toBe(casOf(before))
      expect(await store.update(KEY, entry({ value: 'late' }), version)).toMatchObject({
        current: { value: 'after', version: successor },
      })
      await client.close()
      await own.server.stop()
    },
  )

  it('makes one connection, however many requests come first', async () => {
    const connections = async () =>
      Number(/curr_connections (\d+)/.exec(await ask(memcached.port, 'stats'))?.[1])
    const before = await connections()
    const { store } = opened()
    await Promise.all(Array.from({ length: 100 }, (_, i) => store.read(`${KEY}${i}`)))
    expect((await connections()) - before).toBeLessThanOrEqual(1)
  })

  it('touches nothing of anybody else', async () => {
    const foreign = ['use:mine', 'sojourn', KEY, `.${KEY}`]
    for (const key of foreign) await ask(memcached.port, `set ${key} 7 0 5\r\nhello`)
    const { store } = opened('memcache', { prefix: 'sojourn:' })
    const sessions = createSessions<{ n: number }>({ store })
    const browser = new Browser(sessions)
    await browser.visit((session) => session.login('alice'))
    await browser.visit((session) => session.set('n', 1))
    await sessions.revokeUser('alice')
    for (const key of foreign) expect(await ask(memcached.port, `get ${key}`)).toContain('hello')
    for (const key of foreign) await ask(memcached.port, `delete ${key}`)
  })

  describe('the sessions of a user', () => {
    const listOf = async (prefix: string) =>
      (await keysOf(memcached.port)).filter((key) => key.startsWith(`${prefix}.`))

    it('end when the server drops their list, so that none is left that nobody can end', async () => {
      const { store, prefix } = opened()
      const sessions = createSessions<{ n: number }>({ store })
      const [old, young] = [new Browser(sessions), new Browser(sessions)]
      await old.visit((session) => session.login('alice'))
      const late = await old.begin()
      for (const list of await listOf(prefix)) await ask(memcached.port, `delete ${list}`)
      expect(await old.visit((session) => session.userId)).toBeUndefined()
      // One that was loaded before, and would live longer, comes too late.
      late.session.set('n', 1)
      late.session.setTimeouts({ idle: '400d', absolute: '400d' })
      await late.finish()
      await young.visit((session) => session.login('alice'))
      expect(await sessions.ofUser('alice')).toHaveLength(1)
      await sessions.revokeUser('alice')
      for (const browser of [old, young]) {
        expect(await browser.visit((session) => session.userId)).toBeUndefined()
      }
    })

    it('are in a list that forgets those that have ended, and keeps no more than a thousand', async () => {
      let now = Date.now()
      const { store, prefix } = opened('memcache', { clock: () => now })
      const alive = () => entry({ expiresAt: now + 30 * DAY, userId: 'alice' })
      const keys = Array.from({ length: 60 }, (_, i) => `${KEY}${i}`)
      for (const key of keys) await store.create(key, alive())
      for (const key of keys.slice(10)) await store.delete(key)
      now += DAY
      await store.create(KEY, alive())
      expect(await store.ofUser('alice')).toHaveLength(11)
      const [list = ''] = await listOf(prefix)
      const text = await ask(memcached.port, `get ${list}`)
      expect(text.match(/kJkJ/g)?.length).toBeLessThan(11 * 11 * 2)
      expect(keys.filter((key) => text.includes(`"${key}"`))).toEqual(keys.slice(0, 10))
    })

    it('stay listed as long as they are extended', async () => {
      let now = Date.now()
      const { store } = opened('memcache', { clock: () => now })
      let version = await store.create(KEY, entry({ expiresAt: now + DAY, userId: 'alice' }))
      for (let day = 0; day < 20; day++) {
        now += DAY / 2
        const result = await store.update(
          KEY,
          entry({ expiresAt: now + DAY, userId: 'alice' }),
          version ?? '',
        )
        if (!result || !('version' in result)) throw new Error('It has ended')
        version = result.version
        expect(await store.ofUser('alice')).toHaveLength(1)
        expect(await store.read(KEY)).toBeDefined()
      }
    })
  })

  it('asks the server no more than it must', async () => {
    const wire = await Wire.to(memcached.port)
    const client = openClient('memcache', [`127.0.0.1:${wire.port}`])
    let asked: string[] = []
    wire.onRequest = (chunk) => {
      asked.push(...[...chunk.toString().matchAll(/^(mg|get|ms|delete) \S+/gm)].map(([, verb = '']) => verb))
    }
    const sessions = createSessions<{ n: number }>({ store: client.store({ prefix: 'wire:' }) })
    const browser = new Browser(sessions)
    const trips = async (act: () => Promise<unknown>) => {
      asked = []
      await act()
      // What is asked of one item comes in one flight.
      return asked.join(' ').replaceAll('mg get', 'read').split(' ').filter(Boolean)
    }
    expect(
      await trips(async () => sessions.open({ cookie: browser.cookie, secure: false }).commit()),
    ).toEqual([])
    expect(await trips(() => browser.visit((session) => session.set('n', 1)))).toEqual(['ms'])
    expect(await trips(() => browser.visit((session) => session.get('n')))).toEqual(['read'])
    expect(await trips(() => browser.visit((session) => session.set('n', 2)))).toEqual(['read', 'ms'])
    // The list of the user is read and written, then the session.
    const login = await trips(() => browser.visit((session) => session.login('alice')))
    expect(login).toEqual(['read', 'read', 'ms', 'ms'])
    // With the session comes the list of the user, in the same flight where the process knows whose it is.
    const read = await trips(() => browser.visit((session) => session.get('n')))
    expect(read.toSorted()).toEqual(['get', 'read'])
    expect((await trips(() => browser.visit((session) => session.set('n', 3)))).toSorted()).toEqual([
      'get',
      'ms',
      'read',
    ])
    const logout = await trips(() => browser.visit((session) => session.destroy()))
    expect(logout.toSorted()).toEqual(['delete', 'get', 'read'])
    await client.close()
    await wire.close()
  })

  it('opens by a URL, with a prefix, and closes when nothing is under way', async () => {
    const url = `memcached://${memcached.address}/?prefix=url:`
    const store = (await storeFromUrl(url)) as CloseableStore
    const writing = store.create(KEY, entry())
    await store.close()
    await store.close()
    const version = await writing
    await expect(store.read(KEY)).rejects.toThrow('closed')
    const again = (await storeFromUrl(url)) as CloseableStore
    expect(await again.read(KEY)).toMatchObject({ version })
    await again.close()
    expect(await keysOf(memcached.port)).toContain(`url:${KEY}`)
  })

  describeLostUpdates('memcached', () => ({ url: `memcached://${memcached.address}` }))
  for (const name of CLIENTS) {
    const module = new URL('../faults/workers/memcached.ts', import.meta.url).pathname
    describeLostUpdates(`memcached by ${name}`, () => ({ module, args: [name, memcached.address] }))
  }
})

function casOf(answer: string): string | undefined {
  return /^VALUE \S+ \d+ \d+ (\d+)/.exec(answer)?.[1]
}

/** The first answer that is no error: a client needs a moment to notice that the server is back. */
async function until<T>(call: () => Promise<T>): Promise<T> {
  const end = performance.now() + 200_000
  for (;;) {
    try {
      return await call()
    } catch (error) {
      if (performance.now() > end) throw error
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }
}
