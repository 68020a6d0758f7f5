import assert from 'node:assert/strict'
import type { Entry } from '../store.ts'
import { type Case, create, HOUR, keeps, keepsNothing, MINUTE, update } from './store-contract-case.ts'

/** What one caller at a time may expect. */
export const verbCases: readonly Case[] = [
  {
    name: 'reads an entry as it was created',
    async run(scene) {
      const store = await scene.open()
      const [key, other] = [scene.key(), scene.key()]
      const mine = await create(store, key, scene.entry({ userId: 'alice' }))
      const its = await create(store, other, scene.entry({ value: 'other' }))
      await keeps(store, key, mine)
      await keeps(store, other, its)
    },
  },
  {
    name: 'answers undefined for a key it does not know',
    async run(scene) {
      const store = await scene.open()
      await keepsNothing(store, scene.key())
      await create(store, scene.key(), scene.entry())
      await keepsNothing(store, scene.key())
    },
  },
  {
    name: 'tells keys apart by case, and takes __proto__ and constructor for keys like any other',
    async run(scene) {
      const store = await scene.open()
      for (const key of ['AbCdEfGhIjKlMnOpQrStUv', 'aBcDeFgHiJkLmNoPqRsTuV', '__proto__', 'constructor']) {
        await keepsNothing(store, key)
        await create(store, key, scene.entry({ value: key }))
      }
      assert.equal((await store.read('AbCdEfGhIjKlMnOpQrStUv'))?.value, 'AbCdEfGhIjKlMnOpQrStUv')
      assert.equal((await store.read('__proto__'))?.value, '__proto__')
    },
  },
  {
    name: 'creates nothing under a key that is taken',
    async run(scene) {
      const store = await scene.open()
      const key = scene.key()
      const first = await create(store, key, scene.entry({ value: 'first', userId: 'alice' }))
      assert.equal(await store.create(key, scene.entry({ value: 'second' })), undefined)
      await keeps(store, key, first)
    },
  },
  {
    name: 'replaces value, expiry and user, with a new version each time, even when nothing else changes',
    async run(scene) {
      const store = await scene.open()
      const key = scene.key()
      let entry = await create(store, key, scene.entry())
      const versions = [entry.version]
      for (const changes of [
        { value: 'new' },
        { expiresAt: scene.now() + 2 * HOUR },
        { userId: 'alice' },
        {},
        {},
      ]) {
        entry = await update(
          store,
          key,
          { value: entry.value, expiresAt: entry.expiresAt, userId: entry.userId, ...changes },
          entry,
        )
        await keeps(store, key, entry)
        versions.push(entry.version)
      }
      assert.equal(new Set(versions).size, versions.length, 'two states of an entry have one version')
    },
  },
  {
    name: 'may shorten a lifetime as well as extend it',
    async run(scene) {
      const store = await scene.open()
      const key = scene.key()
      const entry = await create(store, key, scene.entry({ expiresAt: scene.now() + 24 * HOUR }))
      await keeps(
        store,
        key,
        await update(store, key, scene.entry({ expiresAt: scene.now() + MINUTE }), entry),
      )
    },
  },
  {
    name: 'writes nothing for an old version, and answers the entry as it is now',
    async run(scene) {
      const store = await scene.open()
      const key = scene.key()
      const old = await create(store, key, scene.entry())
      const current = await update(store, key, scene.entry({ value: 'current', userId: 'alice' }), old)
      const result = await store.update(key, scene.entry({ value: 'late' }), old.version)
      assert(result && 'current' in result, 'update() of an old version did not answer the current entry')
      const { value, expiresAt, userId, version } = result.current
      assert.deepEqual({ value, expiresAt, userId, version }, current)
      await keeps(store, key, current)
    },
  },
  {
    name: 'creates nothing by an update',
    async run(scene) {
      const store = await scene.open()
      const known = await create(store, scene.key(), scene.entry())
      const key = scene.key()
      assert.equal(await store.update(key, scene.entry(), known.version), undefined)
      await keepsNothing(store, key)
    },
  },
  {
    name: 'deletes, and deletes nothing without an error',
    async run(scene) {
      const store = await scene.open()
      const [key, other] = [scene.key(), scene.key()]
      const neighbour = await create(store, other, scene.entry())
      assert.equal(await store.delete(key), undefined)
      await create(store, key, scene.entry())
      assert.equal(await store.delete(key), undefined)
      await keepsNothing(store, key)
      assert.equal(await store.delete(key), undefined)
      await keeps(store, other, neighbour)
    },
  },
  {
    name: 'does not bring an entry back by an update that comes after its deletion',
    async run(scene) {
      const store = await scene.open()
      const key = scene.key()
      const entry = await create(store, key, scene.entry())
      await store.delete(key)
      assert.equal(await store.update(key, scene.entry({ value: 'late' }), entry.version), undefined)
      await keepsNothing(store, key)
    },
  },
  {
    name: 'takes no version of a deleted entry for one of its successor',
    async run(scene) {
      const store = await scene.open()
      const key = scene.key()
      const old = await create(store, key, scene.entry({ value: 'old' }))
      await store.delete(key)
      const successor = await create(store, key, scene.entry({ value: 'successor' }))
      const result = await store.update(key, scene.entry({ value: 'late' }), old.version)
      assert(
        result && 'current' in result,
        'an update with the version of a deleted entry changed its successor',
      )
      await keeps(store, key, successor)
    },
  },
  {
    name: 'holds no object of its caller, and hands out none of its own',
    async run(scene) {
      const store = await scene.open()
      const key = scene.key()
      const given = scene.entry({ value: 'as given' })
      const kept = await create(store, key, given)
      const expected = { ...kept }
      given.value = 'changed by the caller'
      const read = (await store.read(key)) as Entry
      read.value = 'changed by a reader'
      read.expiresAt = 0
      await keeps(store, key, expected)
      const next = scene.entry({ value: 'next' })
      const updated = { ...(await update(store, key, next, kept)) }
      next.value = 'changed by the caller'
      await keeps(store, key, updated)
      const conflict = await store.update(key, scene.entry(), kept.version)
      assert(conflict && 'current' in conflict)
      conflict.current.value = 'changed by the loser'
      await keeps(store, key, updated)
    },
  },
  ...textCases(),
  {
    name: 'keeps a value as large as its backend takes, and refuses a larger one, which changes nothing',
    unless: ({ maxBytes }) => (maxBytes === undefined ? 'the backend takes a million bytes' : undefined),
    async run(scene) {
      const { maxBytes = 0 } = scene.harness
      const store = await scene.open()
      const key = scene.key()
      const largest = 'é'.repeat(maxBytes / 2)
      let entry = await create(store, key, scene.entry())
      entry = await update(store, key, scene.entry({ value: largest }), entry)
      await keeps(store, key, entry)
      // Room for what the store keeps beside the value.
      const value = 'é'.repeat(maxBytes)
      const refused = { code: 'ERR_SESSION_TOO_LARGE' }
      await assert.rejects(store.update(key, scene.entry({ value }), entry.version), refused)
      await assert.rejects(store.create(scene.key(), scene.entry({ value })), refused)
      await keeps(store, key, entry)
    },
  },
]

/** Values are text: all of it, as it came. */
function textCases(): Case[] {
  const values: Record<string, string> = {
    'an empty value': '',
    'a value with letters of all kinds': 'äß€語🎉\u{10ffff}\ufeff\u2028 \r\n\t"\'\\%_$1 </script>',
    'a value with NUL in it': 'before\0after\0',
    'a value of a million bytes': 'é{"0123456789":[]}'.repeat(50_000),
  }
  return Object.entries(values).map(([what, value]) => ({
    name: `keeps ${what}`,
    unless: ({ maxBytes = Number.POSITIVE_INFINITY }) =>
      Buffer.byteLength(value) > maxBytes ? `the backend takes ${maxBytes} bytes` : undefined,
    async run(scene) {
      const store = await scene.open()
      const key = scene.key()
      let entry = await create(store, key, scene.entry({ value: 'short' }))
      entry = await update(store, key, scene.entry({ value }), entry)
      assert((await store.read(key))?.value === value, 'the value came back changed')
      const conflict = await store.update(key, scene.entry(), 'no version')
      assert(
        conflict && 'current' in conflict && conflict.current.value === value,
        'the current value is changed',
      )
      const other = scene.key()
      await create(store, other, scene.entry({ value }))
      assert((await store.read(other))?.value === value, 'the value came back changed')
    },
  }))
}
