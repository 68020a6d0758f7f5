import { setImmediate as turn } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { KeyLocks, locksOf } from '../../src/stores/key-locks.ts'

it('readers of a key work together, writers alone and in their order, whoever fails', async () => {
  const locks = new KeyLocks()
  const [log, at]: [number[], Record<'readers' | 'writers' | 'most', number>] = [
    [],
    { readers: 0, writers: 0, most: 0 },
  ]
  const calls = Array.from({ length: 400 }, async (_, i) => {
    await turn()
    const work = async (who: 'readers' | 'writers') => {
      expect(at.writers).toBe(0)
      if (who === 'writers') expect(at.readers).toBe(0)
      at[who]++
      at.most = Math.max(at.most, at.readers)
      for (let turns = (i * 7) % 4; turns > 0; turns--) await turn()
      at[who]--
      if (who === 'writers') log.push(i)
      if (i % 10 === 0) throw new RangeError('of its own')
    }
    const doing =
      i % 3 === 0 ? locks.write('key', () => work('writers')) : locks.read('key', () => work('readers'))
    return doing
  })
  const results = await Promise.allSettled(calls)
  const failures = results.flatMap((result) => (result.status === 'rejected' ? result.reason : []))
  expect(failures.every((error) => error instanceof RangeError)).toBe(true)
  expect(failures).toHaveLength(40)
  expect(log).toEqual(log.toSorted((a, b) => a - b))
  expect(log).toHaveLength(134)
  expect(at.most).toBeGreaterThan(1)
})

it('keys do not wait for each other', async () => {
  const locks = new KeyLocks()
  void locks.write('stuck', () => new Promise(() => undefined))
  expect(await locks.write('key', async () => 'done')).toBe('done')
})

it('belong to the object, not to who asks', () => {
  const backend = {}
  expect(locksOf(backend)).toBe(locksOf(backend))
  expect(locksOf({})).not.toBe(locksOf(backend))
})
