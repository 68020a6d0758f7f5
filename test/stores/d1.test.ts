import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { type D1Client, type D1Statement, d1Schema, d1Store } from '../../src/stores/d1.ts'

// The store contract runs inside Cloudflare's runtime, and what D1 bills is asked of it: test/runtimes.

function database(ask: () => Promise<never>): D1Client {
  const statement: D1Statement = { bind: () => statement, all: ask }
  return { prepare: () => statement, batch: ask }
}

const unused = database(() => expect.unreachable())
const entry = { value: '{}', expiresAt: 1, userId: undefined }

it.each([undefined, null, 'DB', {}, { prepare: () => undefined }])('%o is no database', (wrong) => {
  expect(() => d1Store(wrong as never)).toThrow(
    new TypeError('"database" must be a binding of Cloudflare D1, such as env.DB'),
  )
})

it('refuses a session of D1, whose reads may be old', () => {
  const session = { ...unused, getBookmark: () => null }
  expect(() => d1Store(session)).toThrow(/^"database" must be the binding itself/)
})

it('refuses options by their name', () => {
  expect(() => d1Store(unused, { table: '' })).toThrow('"table"')
  expect(() => d1Store(unused, { clock: 5 as never })).toThrow('"clock"')
  expect(() => d1Store(unused, { tabel: 'x' } as never)).toThrow('tabel')
})

it('refuses what no row of D1 holds, before it is sent', async () => {
  const value = 'é'.repeat(1_000_000)
  const tooLarge = { code: 'ERR_SESSION_TOO_LARGE' }
  await expect(d1Store(unused).create('key', { ...entry, value })).rejects.toMatchObject(tooLarge)
  await expect(d1Store(unused).update('key', { ...entry, value }, 1)).rejects.toMatchObject(tooLarge)
})

it('says that D1 failed, and how', async () => {
  const store = d1Store(database(() => Promise.reject(new Error('D1_ERROR: overloaded'))))
  await expect(store.read('key')).rejects.toThrow('D1 failed: D1_ERROR: overloaded')
  await expect(store.update('key', entry, 1)).rejects.toThrow('D1 failed: D1_ERROR: overloaded')
})

it('says that the table could not be made', async () => {
  const store = d1Store({
    ...database(() => Promise.reject(new Error('D1_ERROR: no such table: sessions'))),
    batch: () => Promise.reject(new Error('D1_ERROR: not authorized')),
  })
  await expect(store.create('key', entry)).rejects.toThrow(
    'The table of the sessions is missing, and D1 does not make it: D1_ERROR: not authorized',
  )
})

it('its page shows the table as it is', () => {
  const page = readFileSync(new URL('../../docs/stores/d1.md', import.meta.url), 'utf8')
  expect(page).toContain(
    d1Schema()
      .map((statement) => `${statement};\n`)
      .join(''),
  )
})
