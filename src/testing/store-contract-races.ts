import assert from 'node:assert/strict'
import type { Entry, Store, StoredEntry } from '../store.ts'
import {
  type Case,
  create,
  keeps,
  keepsNothing,
  type Scene,
  unlessShared,
  update,
} from './store-contract-case.ts'
import { increment } from './store-contract-worker.ts'

/** Often enough that a check and a write in two steps are caught between them. */
const ROUNDS = 20

/** What several callers at once may expect: in one store, and in two on one backend. */
export const raceCases: readonly Case[] = [
  ...both('lets one of two creators win', async (scene, stores) => {
    const key = scene.key()
    const entries = stores.map((_, index) => scene.entry({ value: `creator ${index}` }))
    const versions = await Promise.all(
      stores.map((store, index) => store.create(key, entries[index] as Entry)),
    )
    const winners = entries.flatMap((entry, index) => {
      const version = versions[index]
      return version === undefined ? [] : { ...entry, version }
    })
    assert.equal(winners.length, 1, `${winners.length} of two creators won`)
    for (const store of stores) await keeps(store, key, winners[0] as StoredEntry)
  }),
  ...both(
    'lets one of two updaters of a version win, and tells the other what there is now',
    async (scene, stores) => {
      const key = scene.key()
      const [first] = stores as [Store]
      const { version } = await create(first, key, scene.entry())
      const results = await Promise.all(
        stores.map((store, index) => store.update(key, scene.entry({ value: `updater ${index}` }), version)),
      )
      const winners = results.flatMap((result, index) => (result && 'version' in result ? index : []))
      assert.equal(winners.length, 1, `${winners.length} of two updaters won`)
      const [winner = 0] = winners
      const loser = results[1 - winner]
      assert(loser && 'current' in loser, 'the loser did not get the current entry')
      assert.equal(loser.current.value, `updater ${winner}`)
      assert.deepEqual((await first.read(key))?.value, `updater ${winner}`)
    },
  ),
  ...both('leaves nothing when an update and a deletion meet', async (scene, stores) => {
    const key = scene.key()
    const [first, second] = stores as [Store, Store]
    const entry = await create(first, key, scene.entry())
    await Promise.all([first.update(key, scene.entry({ value: 'late' }), entry.version), second.delete(key)])
    await keepsNothing(first, key)
    await keepsNothing(second, key)
  }),
  {
    name: 'counts exactly when ten count at once',
    async run(scene) {
      const store = await scene.open()
      const key = scene.key()
      await create(store, key, scene.entry({ value: '0' }))
      await Promise.all(Array.from({ length: 10 }, () => increment(store, key, 10)))
      assert.equal((await store.read(key))?.value, '100')
    },
  },
  {
    name: 'shows what one store has written to another on the same backend at once',
    unless: unlessShared,
    async run(scene) {
      const [one, other] = [await scene.open(), await scene.open()]
      const key = scene.key()
      const entry = await create(one, key, scene.entry())
      await keeps(other, key, entry)
      await keeps(one, key, await update(other, key, scene.entry({ value: 'of the other' }), entry))
      await one.delete(key)
      await keepsNothing(other, key)
    },
  },
]

function both(name: string, round: (scene: Scene, stores: Store[]) => Promise<void>): Case[] {
  return [
    {
      name,
      async run(scene) {
        const store = await scene.open()
        for (let i = 0; i < ROUNDS; i++) await round(scene, [store, store])
      },
    },
    {
      name: `${name}, also when they use two stores on one backend`,
      unless: unlessShared,
      async run(scene) {
        const stores = [await scene.open(), await scene.open()]
        for (let i = 0; i < ROUNDS; i++) await round(scene, stores)
      },
    },
  ]
}
