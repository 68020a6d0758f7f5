import { describe, expect, it, vi } from 'vitest'
import { createSessions, SessionError } from '../../src/index.ts'
import type { CloseableStore, Entry, Store } from '../../src/store.ts'
import { memoryStore } from '../../src/stores/memory.ts'
import { tieredStore } from '../../src/stores/tiered.ts'
import { countingStore } from '../../src/testing/counting-store.ts'
import { Browser } from '../core/browser.ts'

const MINUTE = 60_000
const KEY = 'key'

/** A tiered store whose clock and cache a test holds in its hand. */
class Scene {
  now = Date.now()
  readonly clock = () => this.now
  readonly store = countingStore(memoryStore({ clock: this.clock }))
  readonly memory = memoryStore({ clock: this.clock })
  /** Stands in front of each call of the cache. */
  fault: (entry: Entry | undefined) => Promise<unknown> | undefined = () => undefined
  /** The calls of the cache, by their verbs. */
  calls: string[] = []
  readonly errors: unknown[] = []
  readonly cache: Store = {
    read: (key) => this.#call('read', undefined, () => this.memory.read(key)),
    create: (key, entry) => this.#call('create', entry, () => this.memory.create(key, entry)),
    update: (key, entry, version) =>
      this.#call('update', entry, () => this.memory.update(key, entry, version)),
    delete: (key) => this.#call('delete', undefined, () => this.memory.delete(key)),
  }

  /** One of the servers of the site. */
  open() {
    const { cache, store, clock, errors } = this
    return tieredStore({
      cache,
      store,
      clock,
      cacheTimeout: '50ms',
      onCacheError: (error) => errors.push(error),
    })
  }

  async #call<T>(verb: string, entry: Entry | undefined, call: () => Promise<T>): Promise<T> {
    this.calls.push(verb)
    await this.fault(entry)
    return call()
  }

  entry(changes: Partial<Entry> = {}): Entry {
    return { value: 'kept', expiresAt: this.now + 60 * MINUTE, userId: undefined, ...changes }
  }
}

const fails = () => Promise.reject(new Error('The cache is broken'))

describe('tieredStore', () => {
  it.each([
    [{ cache: undefined }, '"cache" must be a Store'],
    [{ store: {} }, '"store" must be a Store'],
    [{ maxStale: 60 }, '"maxStale" must be a duration'],
    [{ cacheTimeout: '0s' }, '"cacheTimeout" must be a duration'],
    [{ onCacheError: 'warn' }, '"onCacheError" must be a function'],
    [{ clock: 1 }, '"clock" must be a function'],
    [{ ttl: '1m' }, '"ttl" is not an option of tieredStore'],
  ])('refuses %j', (options, message) => {
    const both = { cache: memoryStore(), store: memoryStore() }
    expect(() => tieredStore({ ...both, ...options } as never)).toThrow(TypeError)
    expect(() => tieredStore({ ...both, ...options } as never)).toThrow(message)
  })

  it('refuses one store for both', () => {
    const store = memoryStore()
    expect(() => tieredStore({ cache: store, store })).toThrow('must be two stores')
  })

  it('can do what its durable store can, and close what can be closed', async () => {
    const bare = (store: Store & Partial<CloseableStore>): Store => ({
      read: (key) => store.read(key),
      create: (key, entry) => store.create(key, entry),
      update: (key, entry, version) => store.update(key, entry, version),
      delete: (key) => store.delete(key),
    })
    const able = (store: Store) => ['ofUser', 'purge', 'close'].filter((name) => name in store)
    expect(able(tieredStore({ cache: memoryStore(), store: memoryStore() }))).toEqual([
      'ofUser',
      'purge',
      'close',
    ])
    expect(able(tieredStore({ cache: bare(memoryStore()), store: memoryStore() }))).toHaveLength(3)
    expect(able(tieredStore({ cache: memoryStore(), store: bare(memoryStore()) }))).toEqual(['close'])
    expect(able(tieredStore({ cache: bare(memoryStore()), store: bare(memoryStore()) }))).toEqual([])
  })

  it('closes both, also when one of them fails to', async () => {
    const [cache, store] = [memoryStore(), memoryStore()]
    vi.spyOn(cache, 'close').mockRejectedValue(new Error('It does not close'))
    const close = vi.spyOn(store, 'close')
    await expect(tieredStore({ cache, store }).close()).rejects.toThrow('It does not close')
    expect(close).toHaveBeenCalledOnce()
  })

  it('reads from the cache, and asks the durable store once in "maxStale"', async () => {
    const scene = new Scene()
    const [writer, reader] = [scene.open(), scene.open()]
    const version = await writer.create(KEY, scene.entry({ userId: 'alice' }))
    scene.store.reset()
    for (let i = 0; i < 59; i++) {
      expect(await reader.read(KEY)).toEqual({
        ...scene.entry({ userId: 'alice' }),
        expiresAt: expect.any(Number),
        version,
      })
      scene.now += 1000
    }
    expect(scene.store.total).toBe(0)
    scene.now += 1000
    expect(await reader.read(KEY)).toMatchObject({ version })
    expect(await reader.read(KEY)).toMatchObject({ version })
    expect(scene.store.total).toBe(1)
  })

  it('writes through with one call of each, and reads what it wrote from the cache', async () => {
    const scene = new Scene()
    const sessions = createSessions<{ n: number }>({ store: scene.open(), clock: scene.clock })
    const browser = new Browser(sessions)
    await browser.visit((session) => session.set('n', 1))
    scene.store.reset()
    scene.calls = []
    await browser.visit((session) => session.update('n', (n = 0) => n + 1))
    expect(await browser.visit((session) => session.get('n'))).toBe(2)
    expect(scene.store.calls).toEqual({ read: 0, create: 0, update: 1, delete: 0 })
    expect(scene.calls).toEqual(['read', 'update', 'read'])
  })

  it('pays for an old copy with a second try, and loses nothing', async () => {
    const scene = new Scene()
    const site = () => createSessions<{ n: number }>({ store: scene.open(), clock: scene.clock })
    const [one, other] = [site(), site()]
    const browser = new Browser(one)
    await browser.visit((session) => session.set('n', 1))
    scene.fault = fails
    await browser.visit((session) => session.update('n', (n = 0) => n + 1))
    scene.fault = () => undefined
    expect(await browser.at(other).visit((session) => session.get('n'))).toBe(1)
    await browser.at(other).visit((session) => session.update('n', (n = 0) => n + 1))
    for (const sessions of [one, other]) {
      expect(await browser.at(sessions).visit((session) => session.get('n'))).toBe(3)
    }
  })

  it('serves a session that was ended while the cache failed for no longer than "maxStale", and not where it was ended', async () => {
    const scene = new Scene()
    const [one, other] = [scene.open(), scene.open()]
    await one.create(KEY, scene.entry())
    scene.now += 10_000
    scene.fault = fails
    await one.delete(KEY)
    scene.fault = () => undefined
    expect(await other.read(KEY)).toBeDefined()
    expect(await one.read(KEY)).toBeUndefined()
    // Who ended it has mended the cache with its next read.
    expect(await other.read(KEY)).toBeUndefined()

    await one.create(KEY, scene.entry())
    await other.read(KEY)
    scene.fault = fails
    await one.delete(KEY)
    scene.fault = () => undefined
    scene.now += MINUTE - 1
    expect(await other.read(KEY)).toBeDefined()
    scene.now += 1
    expect(await other.read(KEY)).toBeUndefined()
  })

  it('tells the cache of all that it missed as soon as it answers again', async () => {
    const scene = new Scene()
    const [one, other] = [scene.open(), scene.open()]
    const keys = ['a', 'b', 'c', 'd']
    for (const key of keys) await one.create(key, scene.entry())
    scene.fault = fails
    for (const key of keys) await one.delete(key)
    scene.fault = () => undefined
    expect(await other.read('d')).toBeDefined()
    await one.read('another')
    for (const key of keys) {
      await expect.poll(() => other.read(key)).toBeUndefined()
    }
  })

  it('replaces by a gap what an update finds gone', async () => {
    const scene = new Scene()
    const [one, other] = [scene.open(), scene.open()]
    const version = (await one.create(KEY, scene.entry())) ?? 0
    await scene.store.delete(KEY)
    expect(await one.read(KEY)).toBeDefined()
    expect(await one.update(KEY, scene.entry(), version)).toBeUndefined()
    expect(await other.read(KEY)).toBeUndefined()
  })

  it('serves a copy no longer than the session lives, and what was extended meanwhile', async () => {
    const scene = new Scene()
    const [one, other] = [scene.open(), scene.open()]
    const version = (await one.create(KEY, scene.entry({ expiresAt: scene.now + 1000 }))) ?? 0
    scene.now += 999
    expect(await other.read(KEY)).toBeDefined()
    scene.fault = fails
    await one.update(KEY, scene.entry({ value: 'extended' }), version)
    scene.fault = () => undefined
    scene.now += 1
    expect(await other.read(KEY)).toMatchObject({ value: 'extended' })
    scene.now += 61 * MINUTE
    expect(await other.read(KEY)).toBeUndefined()
  })

  it('serves a session that is too large for the cache from the durable store, never an old copy', async () => {
    const scene = new Scene()
    const store = scene.open()
    const other = scene.open()
    const version = (await store.create(KEY, scene.entry())) ?? 0
    scene.fault = (entry) => {
      if (entry && entry.value.length > 500)
        throw new SessionError('ERR_SESSION_TOO_LARGE', 'It is too large')
      return undefined
    }
    const value = 'x'.repeat(1000)
    await store.update(KEY, scene.entry({ value }), version)
    for (const reader of [store, other, store, other]) {
      expect(await reader.read(KEY)).toMatchObject({ value })
    }
    expect(scene.errors).toEqual([])
  })

  describe('does without the cache', () => {
    it.each<[string, () => Promise<unknown> | undefined]>([
      ['that fails', fails],
      ['that hangs', () => new Promise(() => undefined)],
      [
        'that throws',
        () => {
          throw new Error('The cache throws')
        },
      ],
    ])('%s', async (_, fault) => {
      const scene = new Scene()
      const store = scene.open()
      scene.fault = fault
      const version = (await store.create(KEY, scene.entry())) ?? 0
      expect(await store.read(KEY)).toMatchObject({ version })
      const result = await store.update(KEY, scene.entry({ value: 'new' }), version)
      expect(await store.read(KEY)).toMatchObject({ value: 'new', ...result })
      await store.delete(KEY)
      expect(await store.read(KEY)).toBeUndefined()
      expect(scene.errors.length).toBeGreaterThanOrEqual(5)
    })

    it('that holds something else', async () => {
      const scene = new Scene()
      const store = scene.open()
      const version = (await store.create(KEY, scene.entry())) ?? 0
      for (const value of ['', 'x', '\n', '{}\n', 'null\n', '[]\n', '[1]\n', '["a","b","c",4]\nx']) {
        await scene.memory.delete(KEY)
        await scene.memory.create(KEY, scene.entry({ value }))
        expect(await scene.open().read(KEY)).toMatchObject({ value: 'kept', version })
      }
    })

    it('and without whom it tells, when that one throws', async () => {
      const { cache, store } = new Scene()
      cache.read = fails
      const onCacheError = () => {
        throw new Error('The log is full')
      }
      expect(await tieredStore({ cache, store, onCacheError }).read(KEY)).toBeUndefined()
    })

    it('after five failures in a row for a second, then tries again', async () => {
      const scene = new Scene()
      const elapsed = vi.spyOn(performance, 'now').mockReturnValue(0)
      const store = scene.open()
      await store.create(KEY, scene.entry())
      scene.fault = fails
      scene.calls = []
      for (let i = 0; i < 20; i++) await store.read(KEY)
      expect(scene.calls).toHaveLength(5)
      elapsed.mockReturnValue(1000)
      for (let i = 0; i < 20; i++) await store.read(KEY)
      expect(scene.calls).toHaveLength(6)
      scene.fault = () => undefined
      elapsed.mockReturnValue(2000)
      scene.store.reset()
      for (let i = 0; i < 20; i++) await store.read(KEY)
      expect(scene.store.total).toBeLessThanOrEqual(1)
      elapsed.mockRestore()
    })
  })
})
