import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it, vi } from 'vitest'
import type { Entry } from '../../src/store.ts'
import { type MemoryStore, type MemoryStoreOptions, memoryStore } from '../../src/stores/memory.ts'
import { describeStore } from './contract.ts'

describeStore('memory', {
  prepare: () => undefined,
  open: (_, clock) => memoryStore({ clock }),
  expiry: 'given',
  shared: false,
  abilities: { purge: true, ofUser: true, close: true },
  worker: () => ({ file: new URL('./workers/contract.ts', import.meta.url).pathname, args: ['memory'] }),
})

function entry(changes: Partial<Entry> = {}): Entry {
  return { value: '{}', expiresAt: Date.now() + 60_000, userId: undefined, ...changes }
}

async function filled(options: MemoryStoreOptions, keys: string[]): Promise<MemoryStore> {
  const store = memoryStore(options)
  for (const key of keys) await store.create(key, entry({ userId: 'alice' }))
  return store
}

async function keysOf(store: MemoryStore): Promise<string[]> {
  return (await store.ofUser('alice')).map(({ key }) => key).sort()
}

describe('the bounds of the memory store', () => {
  it('makes room by dropping the entry that was not used for the longest time', async () => {
    const store = await filled({ maxEntries: 3 }, ['a', 'b', 'c'])
    await store.read('a')
    await store.create('d', entry({ userId: 'alice' }))
    expect(await keysOf(store)).toEqual(['a', 'c', 'd'])
    const c = await store.read('c')
    await store.update('c', entry({ userId: 'alice' }), c?.version ?? 0)
    await store.create('e', entry({ userId: 'alice' }))
    await store.create('f', entry({ userId: 'alice' }))
    expect(await keysOf(store)).toEqual(['c', 'e', 'f'])
  })

  it('counts bytes, also those that an update adds', async () => {
    const store = await filled({ maxBytes: 4000 }, ['a', 'b', 'c'])
    const c = await store.read('c')
    await store.update('c', entry({ value: 'x'.repeat(1400), userId: 'alice' }), c?.version ?? 0)
    expect(await keysOf(store)).toEqual(['b', 'c'])
  })

  it('refuses an entry that can never fit, and drops nothing for it', async () => {
    const store = await filled({ maxBytes: 4000 }, ['a', 'b'])
    const huge = entry({ value: 'x'.repeat(2000) })
    await expect(store.create('c', huge)).rejects.toMatchObject({ code: 'ERR_SESSION_TOO_LARGE' })
    const a = await store.read('a')
    await expect(store.update('a', huge, a?.version ?? 0)).rejects.toThrow('"maxBytes"')
    expect(await store.read('a')).toEqual(a)
    expect(await keysOf(store)).toEqual(['a', 'b'])
  })

  it('stays within them for ever', async () => {
    const store = memoryStore({ maxEntries: 100 })
    for (let i = 0; i < 10_000; i++) {
      await store.create(`key ${i}`, entry({ userId: 'alice' }))
      if (i % 3 === 0) await store.delete(`key ${i}`)
    }
    expect((await keysOf(store)).length).toBeOneOf([99, 100])
  })

  it.each([
    [{ maxEntries: 0 }, '"maxEntries"'],
    [{ maxBytes: Number.NaN }, '"maxBytes"'],
    [{ clock: 5 as never }, '"clock"'],
    [{ maxEntrys: 5 } as never, '"maxEntries"'],
  ])('refuses %o', (options, name) => {
    expect(() => memoryStore(options)).toThrow(TypeError)
    expect(() => memoryStore(options)).toThrow(name)
  })
})

describe('the memory that the memory store frees', () => {
  it('removes what has expired though nobody asks for it, and has a timer only while it keeps something', async () => {
    vi.useFakeTimers()
    try {
      const store = memoryStore()
      expect(vi.getTimerCount()).toBe(0)
      for (let i = 0; i < 1200; i++) await store.create(`${i}`, entry({ expiresAt: Date.now() + 1000 }))
      expect(vi.getTimerCount()).toBe(1)
      await vi.advanceTimersByTimeAsync(31_000)
      expect(vi.getTimerCount()).toBe(0)
      expect(await store.purge(10)).toBe(0)
      await store.create('again', entry())
      expect(vi.getTimerCount()).toBe(1)
      await store.close()
      expect(vi.getTimerCount()).toBe(0)
    } finally {
      vi.useRealTimers()
    }
  })

  it('is given back to the engine', async () => {
    let store: MemoryStore | undefined = memoryStore()
    const dropped = new WeakRef(store)
    await store.create('a', entry())
    await store.close()
    store = undefined
    await collected(dropped)
    expect(dropped.deref()).toBeUndefined()
  })

  it('answers an error when it is used after it was closed', async () => {
    const store = memoryStore()
    await store.close()
    await expect(store.read('a')).rejects.toThrow('closed')
    await expect(store.create('a', entry())).rejects.toThrow('closed')
    await expect(store.delete('a')).rejects.toThrow('closed')
  })
})

/** Waits until the engine has collected an object, or gives up. */
async function collected(reference: WeakRef<object>): Promise<void> {
  const { setFlagsFromString } = await import('node:v8')
  const { runInNewContext } = await import('node:vm')
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  for (let i = 0; i < 20 && reference.deref(); i++) {
    await sleep(5)
    collect()
  }
}
