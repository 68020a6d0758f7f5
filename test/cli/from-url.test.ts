import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { storeFromUrl } from '../../src/stores/from-url.ts'
import { sqliteStore } from '../../src/stores/sqlite.ts'
import { temporaryFolder } from './sojourn.ts'

const folder = temporaryFolder()

describe('storeFromUrl', () => {
  it.each(['memory', 'memory:', `sqlite:${join(folder, 'a.db')}`, `file:${join(folder, 'files')}`])(
    'opens %s',
    async (url) => {
      const store = await storeFromUrl(url)
      await store.create('key', { value: 'kept', expiresAt: Date.now() + 60_000, userId: undefined })
      expect(await store.read('key')).toMatchObject({ value: 'kept' })
      if ('close' in store && typeof store.close === 'function') await store.close()
    },
  )

  it('opens the table that the URL names', async () => {
    const path = join(folder, 'what?.db')
    const store = await storeFromUrl(`sqlite:${path}?table=visits`)
    await store.create('key', { value: 'kept', expiresAt: Date.now() + 60_000, userId: undefined })
    expect(existsSync(path)).toBe(true)
    expect(await sqliteStore(path, { table: 'visits' }).read('key')).toMatchObject({ value: 'kept' })
    expect(await sqliteStore(path).read('key')).toBeUndefined()
  })

  it.each([
    '',
    'data.db',
    '/data.db',
    'sqlite',
    'sqlite:',
    'sqlite:?table=a',
    'file:',
    'file:a\0b',
    'memory:x',
  ])('refuses %j', async (url) => {
    await expect(storeFromUrl(url)).rejects.toThrow(TypeError)
  })

  it('repeats no password', async () => {
    await expect(storeFromUrl('mongodb://me:hunter2@host/db')).rejects.toThrow(
      /^No store is named "mongodb:"; there are: (?!.*hunter2)/,
    )
  })
})
