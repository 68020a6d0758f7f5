import assert from 'node:assert/strict'
import {
  type Case,
  create,
  DAY,
  HOUR,
  keeps,
  keepsNothing,
  MINUTE,
  unlessClock,
  update,
  within,
} from './store-contract-case.ts'

/** What ends by itself, and when. */
export const expiryCases: readonly Case[] = [
  {
    name: 'ends an entry at its millisecond: there one before, gone with it',
    unless: unlessClock,
    async run(scene) {
      const store = await scene.open()
      const key = scene.key()
      const entry = await create(store, key, scene.entry({ expiresAt: scene.now() + HOUR }))
      await scene.pass(HOUR - 1)
      await keeps(store, key, entry)
      assert.equal(
        await store.create(key, scene.entry()),
        undefined,
        'create() replaced an entry that is alive',
      )
      await within(1000, async () => {
        const other = scene.key()
        const long = await create(store, other, scene.entry())
        const short = await update(store, other, scene.entry({ expiresAt: scene.now() + 10 }), long)
        await scene.pass(9)
        await keeps(store, other, short)
        await scene.pass(1)
        await keepsNothing(store, other)
      })
    },
  },
  {
    name: 'updates nothing that has expired',
    unless: unlessClock,
    async run(scene) {
      const store = await scene.open()
      const key = scene.key()
      const entry = await create(store, key, scene.entry({ expiresAt: scene.now() + MINUTE }))
      await scene.pass(MINUTE)
      const late = scene.entry({ expiresAt: scene.now() + HOUR })
      assert.equal(
        await store.update(key, late, entry.version),
        undefined,
        'update() revived what had expired',
      )
      assert.equal(await store.update(key, late, 'no version'), undefined, 'update() showed what had expired')
      await keepsNothing(store, key)
    },
  },
  {
    name: 'creates in the place of an entry that has expired, and refuses the versions of that one',
    unless: unlessClock,
    async run(scene) {
      const store = await scene.open()
      const key = scene.key()
      const old = await create(store, key, scene.entry({ expiresAt: scene.now() + MINUTE, userId: 'alice' }))
      await scene.pass(MINUTE)
      const successor = await create(store, key, scene.entry({ value: 'successor' }))
      await keeps(store, key, successor)
      const result = await store.update(key, scene.entry({ value: 'late' }), old.version)
      assert(result && 'current' in result, 'the version of an expired entry fits its successor')
      await keeps(store, key, successor)
    },
  },
  {
    name: 'deletes what has expired without an error',
    async run(scene) {
      const store = await scene.open()
      const key = scene.key()
      await create(store, key, scene.entry({ expiresAt: scene.now() + 500 }))
      await scene.pass(500)
      assert.equal(await store.delete(key), undefined)
      await keepsNothing(store, key)
    },
  },
  {
    name: 'keeps an entry for 500 ms',
    async run(scene) {
      const store = await scene.open()
      await within(500, async () => {
        const [key, other] = [scene.key(), scene.key()]
        const long = await create(store, other, scene.entry())
        const entry = await create(store, key, scene.entry({ expiresAt: scene.now() + 500 }))
        await update(store, other, scene.entry({ expiresAt: scene.now() + 500 }), long)
        await scene.pass(200)
        await keeps(store, key, entry)
        // A backend may count in whole seconds, but not forever.
        await scene.pass(scene.harness.expiry === 'given' ? 300 : 2300)
        await keepsNothing(store, key)
        await keepsNothing(store, other)
      })
    },
  },
  {
    name: 'keeps an entry for 31 days, which some backends take for a date in 1970',
    async run(scene) {
      const store = await scene.open()
      const [key, other] = [scene.key(), scene.key()]
      const entry = await create(store, key, scene.entry({ expiresAt: scene.now() + 31 * DAY }))
      const short = await create(store, other, scene.entry())
      const extended = await update(store, other, scene.entry({ expiresAt: scene.now() + 31 * DAY }), short)
      await keeps(store, key, entry)
      await keeps(store, other, extended)
      if (scene.harness.expiry === 'backend') return
      await scene.pass(31 * DAY - 1)
      await keeps(store, key, entry)
      await keeps(store, other, extended)
      await scene.pass(1)
      await keepsNothing(store, key)
      await keepsNothing(store, other)
    },
  },
  ...[5, -5].map(
    (minutes): Case => ({
      name: `goes by the clock of the application when that is five minutes ${minutes > 0 ? 'fast' : 'slow'}`,
      async run(scene) {
        const clock = () => scene.now() + minutes * MINUTE
        const store = await scene.open(clock)
        const [key, other] = [scene.key(), scene.key()]
        const entry = await create(store, key, scene.entry({ expiresAt: clock() + MINUTE }))
        await keeps(store, key, entry)
        const again = await update(store, key, scene.entry({ expiresAt: clock() + MINUTE }), entry)
        await keeps(store, key, again)
        await create(store, other, scene.entry({ expiresAt: clock() + 500 }))
        await scene.pass(scene.harness.expiry === 'given' ? 500 : 2500)
        await keepsNothing(store, other)
        await keeps(store, key, again)
      },
    }),
  ),
]
