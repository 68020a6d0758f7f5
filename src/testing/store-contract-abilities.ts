import assert from 'node:assert/strict'
import type { Store, UserIndexedStore } from '../store.ts'
import {
  type Case,
  create,
  HOUR,
  keeps,
  MINUTE,
  type Scene,
  unlessClock,
  unlessShared,
  update,
} from './store-contract-case.ts'
import type { StoreHarness } from './store-harness.ts'

/** What only some stores can do. */
export const abilityCases: readonly Case[] = [
  {
    name: 'has the abilities that it is said to have',
    async run(scene) {
      const store = await scene.open()
      const { purge, ofUser, close } = scene.harness.abilities
      assert.deepEqual(
        { purge: 'purge' in store, ofUser: 'ofUser' in store, close: 'close' in store },
        { purge, ofUser, close },
      )
    },
  },
  {
    name: 'lists the entries of one user, complete, and of nobody else',
    unless: unlessIndexed,
    async run(scene) {
      const store = await scene.openIndexed()
      const names = ['alice', 'Alice', '', 'O\'Brien "*?[x]%_/..\\ 語🎉', 'x'.repeat(2000)]
      for (const userId of names) {
        assert.deepEqual(await store.ofUser(userId), [])
        const [one, two] = [scene.key(), scene.key()]
        const first = await create(store, one, scene.entry({ userId, value: 'one' }))
        const second = await create(store, two, scene.entry({ userId, value: 'two' }))
        await create(store, scene.key(), scene.entry())
        const expected = [
          { key: one, ...first },
          { key: two, ...second },
        ]
        assert.deepEqual(await listed(store, userId), expected)
      }
    },
  },
  {
    name: 'lists an entry under the user it is bound to now',
    unless: unlessIndexed,
    async run(scene) {
      const store = await scene.openIndexed()
      const key = scene.key()
      let entry = await create(store, key, scene.entry())
      let before: string | undefined
      for (const userId of ['alice', 'bob', 'alice', undefined, 'bob', 'bob']) {
        entry = await update(store, key, scene.entry({ userId }), entry)
        if (userId !== undefined) assert.deepEqual(await listed(store, userId), [{ key, ...entry }])
        if (before !== undefined && before !== userId) assert.deepEqual(await store.ofUser(before), [])
        before = userId
      }
      const late = await store.update(key, scene.entry({ userId: 'carol' }), 'no version')
      assert(late && 'current' in late)
      assert.deepEqual(await store.ofUser('carol'), [], 'an update that wrote nothing bound the entry')
    },
  },
  {
    name: 'lists neither what was deleted nor what has expired, nor a successor that has no user',
    unless: (harness) => unlessIndexed(harness) ?? unlessClock(harness),
    async run(scene) {
      const store = await scene.openIndexed()
      const [live, deleted, expired, replaced] = [scene.key(), scene.key(), scene.key(), scene.key()]
      const userId = 'alice'
      const entry = await create(store, live, scene.entry({ userId }))
      await create(store, deleted, scene.entry({ userId }))
      for (const key of [expired, replaced]) {
        await create(store, key, scene.entry({ userId, expiresAt: scene.now() + MINUTE }))
      }
      await store.delete(deleted)
      await scene.pass(MINUTE)
      await create(store, replaced, scene.entry())
      assert.deepEqual(await listed(store, userId), [{ key: live, ...entry }])
    },
  },
  {
    name: 'purges what has expired, all of it and nothing else, no more than it is told at once',
    unless: unlessPurgeable,
    async run(scene) {
      const store = await scene.openPurgeable()
      assert.equal(await store.purge(10), 0)
      const live = await addEntries(scene, store, 3, HOUR)
      const last = scene.key()
      const lastOne = await create(store, last, scene.entry({ expiresAt: scene.now() + MINUTE + 1 }))
      await addEntries(scene, store, 130, MINUTE)
      await scene.pass(MINUTE)
      assert.equal(await store.purge(2), 2)
      assert.equal(await store.purge(100), 100)
      assert.equal(await store.purge(100), 28)
      assert.equal(await store.purge(100), 0)
      await keeps(store, last, lastOne)
      await scene.pass(1)
      assert.equal(await store.purge(100), 1)
      for (const [key, entry] of live) await keeps(store, key, entry)
    },
  },
  {
    name: 'purges by the latest expiry of an entry, be it extended or shortened',
    unless: unlessPurgeable,
    async run(scene) {
      const store = await scene.openPurgeable()
      const [extended, shortened] = [scene.key(), scene.key()]
      const short = await create(store, extended, scene.entry({ expiresAt: scene.now() + MINUTE }))
      const kept = await update(store, extended, scene.entry({ expiresAt: scene.now() + HOUR }), short)
      const long = await create(store, shortened, scene.entry({ expiresAt: scene.now() + HOUR }))
      await update(store, shortened, scene.entry({ expiresAt: scene.now() + MINUTE }), long)
      await scene.pass(MINUTE)
      assert.equal(await store.purge(10), 1)
      await keeps(store, extended, kept)
    },
  },
  {
    name: 'closes, twice without an error',
    unless: unlessCloseable,
    async run(scene) {
      const store = await scene.openCloseable()
      await create(store, scene.key(), scene.entry())
      await store.close()
      await store.close()
    },
  },
  {
    name: 'keeps what was written before it was closed',
    unless: (harness) => unlessCloseable(harness) ?? unlessShared(harness),
    async run(scene) {
      const store = await scene.openCloseable()
      const key = scene.key()
      const writing = store.create(key, scene.entry())
      await store.close()
      const version = await writing
      assert.notEqual(version, undefined)
      await keeps(await scene.open(), key, { ...scene.entry(), version: version as string })
    },
  },
]

async function listed(store: UserIndexedStore, userId: string): Promise<unknown[]> {
  const entries = await store.ofUser(userId)
  return entries
    .map(({ key, value, expiresAt, userId, version }) => ({ key, value, expiresAt, userId, version }))
    .sort((a, b) => (a.key < b.key ? -1 : 1))
}

async function addEntries(scene: Scene, store: Store, count: number, lifetime: number) {
  const entries = Array.from({ length: count }, async () => {
    const key = scene.key()
    return [key, await create(store, key, scene.entry({ expiresAt: scene.now() + lifetime }))] as const
  })
  return new Map(await Promise.all(entries))
}

function unlessIndexed({ abilities }: StoreHarness): string | undefined {
  return abilities.ofUser ? undefined : 'the store is no UserIndexedStore'
}

function unlessPurgeable({ abilities }: StoreHarness): string | undefined {
  return abilities.purge ? undefined : 'the store is no PurgeableStore'
}

function unlessCloseable({ abilities }: StoreHarness): string | undefined {
  return abilities.close ? undefined : 'the store is no CloseableStore'
}
