import fc from 'fast-check'
import { expect } from 'vitest'
import type { PurgeableStore, Version } from '../../src/store.ts'

type Step =
  | { verb: 'create' | 'update'; key: number; lives: number }
  | { verb: 'delete'; key: number }
  | { verb: 'wait'; time: number }
  | { verb: 'purge'; after: number; limit: number }

const KEYS = 4
/** Lives and waits are of the same few sizes, so that what was extended or shortened is met before and after. */
const time = fc
  .tuple(fc.integer({ min: 0, max: 4 }), fc.constantFrom(40_000, 86_400_000), fc.integer({ min: 1, max: 3 }))
  .map(([times, unit, milliseconds]) => times * unit + milliseconds)
const key = fc.integer({ min: 1, max: KEYS })
const limit = fc.integer({ min: 1, max: KEYS })
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ verb: fc.constant('create' as const), key, lives: time }) },
  { weight: 6, arbitrary: fc.record({ verb: fc.constant('update' as const), key, lives: time }) },
  { weight: 1, arbitrary: fc.record({ verb: fc.constant('delete' as const), key }) },
  { weight: 1, arbitrary: fc.record({ verb: fc.constant('wait' as const), time }) },
  { weight: 4, arbitrary: fc.record({ verb: fc.constant('purge' as const), after: time, limit }) },
)

/** A store beside what should be in it, by a clock that both have. */
class Twins {
  now = Date.UTC(2027, 0, 1)
  store!: PurgeableStore
  readonly #held = new Map<string, { version: Version; expiresAt: number }>()

  async run(step: Step): Promise<void> {
    if (step.verb === 'wait') this.now += step.time
    else if (step.verb === 'purge') await this.#purge(step.after, step.limit)
    else if (step.verb === 'delete') await this.#delete(`key ${step.key}`)
    else if (step.verb === 'create') await this.#create(`key ${step.key}`, this.now + step.lives)
    else await this.#update(`key ${step.key}`, this.now + step.lives)
  }

  async empty(): Promise<void> {
    for (const key of this.#held.keys()) await this.#delete(key)
  }

  async #purge(after: number, limit: number): Promise<void> {
    this.now += after
    const expired = [...this.#held].filter(([, { expiresAt }]) => expiresAt <= this.now)
    expect(await this.store.purge(limit)).toBe(Math.min(limit, expired.length))
    // Which of them went, nobody says: what is left goes now.
    expect(await this.store.purge(KEYS)).toBe(Math.max(0, expired.length - limit))
    for (const [key] of expired) this.#held.delete(key)
  }

  async #delete(key: string): Promise<void> {
    await this.store.delete(key)
    this.#held.delete(key)
  }

  async #create(key: string, expiresAt: number): Promise<void> {
    const version = await this.store.create(key, { value: '{}', userId: undefined, expiresAt })
    expect(version === undefined).toBe(this.#lives(key))
    if (version !== undefined) this.#held.set(key, { version, expiresAt })
  }

  async #update(key: string, expiresAt: number): Promise<void> {
    const { version } = this.#held.get(key) ?? { version: 1 }
    const answer = await this.store.update(key, { value: '{}', userId: undefined, expiresAt }, version)
    expect(answer !== undefined && 'version' in answer).toBe(this.#lives(key))
    if (answer && 'version' in answer) this.#held.set(key, { version: answer.version, expiresAt })
  }

  #lives(key: string): boolean {
    const held = this.#held.get(key)
    return held !== undefined && held.expiresAt > this.now
  }
}

/**
 * Whatever is made, extended, shortened and removed in whatever order: a purge removes what has expired by then, all of it up to its
 * limit, and nothing else.
 * @param open opens an empty store, by a clock
 */
export async function expectExactPurges(
  open: (clock: () => number) => Promise<PurgeableStore> | PurgeableStore,
): Promise<void> {
  const twins = new Twins()
  twins.store = await open(() => twins.now)
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 40 }), async (steps) => {
      for (const one of steps) await twins.run(one)
      await twins.empty()
    }),
    { numRuns: 12 },
  )
}
