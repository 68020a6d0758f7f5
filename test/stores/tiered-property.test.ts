import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import { tieredStore } from '../../src/stores/tiered.ts'
import { NAIVE, naive } from './tiered-naive.ts'
import { type Act, type Fate, type Make, World } from './tiered-world.ts'

const tiered: Make = ({ cache, store, maxStale, clock }) =>
  tieredStore({ cache, store, maxStale: `${maxStale}ms`, cacheTimeout: '1h', clock })

/** What the cache may do, by how bad it gets; `hours`: it does well, and much time passes between any two steps. */
const CACHES = {
  well: { fates: [], forgets: false },
  hours: { fates: [], forgets: false },
  failing: { fates: ['well', 'well', 'lost', 'unanswered'], forgets: false },
  erratic: { fates: ['well', 'well', 'well', 'lost', 'unanswered', 'late'], forgets: true },
} satisfies Record<string, { fates: Fate[]; forgets: boolean }>
type Cache = keyof typeof CACHES

function scripts(forgets: boolean, passing: number) {
  const act = fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom<Act>('read', 'update') },
    { weight: 2, arbitrary: fc.constantFrom<Act>('delete', 'create', forgets ? 'evict' : 'read') },
    { weight: passing, arbitrary: fc.integer({ min: 1, max: 90_000 }).map((pass): Act => ({ pass })) },
  )
  const script = fc.record({
    server: fc.nat({ max: 2 }),
    acts: fc.array(act, { minLength: 1, maxLength: 7 }),
  })
  return fc.array(script, { minLength: 2, maxLength: 5 })
}

const now = vi.spyOn(performance, 'now')

function property(make: Make, cache: Cache) {
  const { fates, forgets } = CACHES[cache]
  const fate =
    fates.length === 0 ? fc.constant([]) : fc.array(fc.constantFrom<Fate>(...fates), { maxLength: 40 })
  return fc.asyncProperty(
    fc.scheduler(),
    scripts(forgets, cache === 'hours' ? 8 : 1),
    fate,
    async (scheduler, scripts, fates) => {
      const world = new World(scheduler, fates)
      // So long does a failing cache rest.
      now.mockImplementation(() => world.now())
      await world.run(make, [{ server: 0, acts: ['create', 'read'] }, ...scripts])
      expect(world.broken).toEqual([])
    },
  )
}

const often = { numRuns: Number(process.env['TIERED_RUNS'] ?? 400) }

describe('servers with one tiered store, whatever they do at the same time', () => {
  it('show every read the newest state while the cache does what it is told', async () => {
    await fc.assert(property(tiered, 'well'), often)
    await fc.assert(property(tiered, 'hours'), often)
  })

  it('do not forget what they wrote themselves when the cache fails', async () => {
    await fc.assert(property(tiered, 'failing'), often)
  })

  it('lose no update, fail no call and show nothing older than "maxStale" when the cache fails, forgets and comes late', async () => {
    await fc.assert(property(tiered, 'erratic'), often)
  })
})

describe('the property test finds a tiered store that', () => {
  it.each(NAIVE)('$fault', async ({ make, cache }) => {
    const { failed, counterexample } = await fc.check(property(make, cache), {
      numRuns: 5000,
      endOnFailure: true,
    })
    expect({ failed, isFound: counterexample !== null }).toEqual({ failed: true, isFound: true })
  })

  it('and nothing in the store that these faults are planted in', async () => {
    await fc.assert(property(naive({}), 'well'), often)
  })
})
