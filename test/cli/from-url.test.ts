import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, vi } from 'vitest'
import { createSessions, type Session, type Sessions, type Store } from '../../src/index.ts'
import { storeFromUrl } from '../../src/stores/from-url.ts'
import { sqliteStore } from '../../src/stores/sqlite.ts'
import { newKey } from '../stores/cookie-site.ts'
import { temporaryFolder } from './sojourn.ts'

const folder = temporaryFolder()

function keyed(store: Awaited<ReturnType<typeof storeFromUrl>>): Store {
  if ('carry' in store) throw new Error('It keeps nothing under a key')
  return store
}

describe('storeFromUrl', () => {
  it.each(['memory', 'memory:', `sqlite:${join(folder, 'a.db')}`, `file:${join(folder, 'files')}`])(
    'opens %s',
    async (url) => {
      const store = keyed(await storeFromUrl(url))
      await store.create('key', { value: 'kept', expiresAt: Date.now() + 60_000, userId: undefined })
      expect(await store.read('key')).toMatchObject({ value: 'kept' })
      if ('close' in store && typeof store.close === 'function') await store.close()
    },
  )

  it('opens the table that the URL names', async () => {
    const path = join(folder, 'what?.db')
    const store = keyed(await storeFromUrl(`sqlite:${path}?table=visits`))
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

  describe('cookie:', () => {
    const visit = async (
      sessions: Sessions,
      cookie: string | undefined,
      change: (session: Session) => void,
    ) => {
      const request = sessions.open({ cookie, secure: false })
      change(await request.session())
      await request.commit()
      return request.outcome.setCookies.map((setCookie) => setCookie.split(';')[0]).join('; ')
    }

    it.each(['cookie', 'cookie:'])('%s seals with the first of the keys in SESSION_KEYS', async (url) => {
      const [first, second] = [newKey(), newKey()]
      vi.stubEnv('SESSION_KEYS', second)
      const before = createSessions({ store: await storeFromUrl(url) })
      const cookie = await visit(before, undefined, (session) => session.set('n', 1))
      vi.stubEnv('SESSION_KEYS', `${first}, ${second}`)
      const after = createSessions({ store: await storeFromUrl(url) })
      await visit(after, cookie, (session) => expect(session.get('n')).toBe(1))
      expect(after.supports.revoke).toBe(false)
    })

    it('remembers in the store that "?revocation=" names', async () => {
      vi.stubEnv('SESSION_KEYS', newKey())
      const path = join(folder, 'revoked.db')
      const sessions = createSessions({
        store: await storeFromUrl(`cookie:?revocation=sqlite:${path}?table=ended`),
      })
      const cookie = await visit(sessions, undefined, (session) => session.set('n', 1))
      await visit(sessions, cookie, (session) => session.destroy())
      await visit(sessions, cookie, (session) => expect(session.size).toBe(0))
      await sessions.close()
      expect(existsSync(path)).toBe(true)
    })

    it.each([
      ['cookie:', undefined],
      ['cookie:', ''],
      ['cookie:', 'correct horse battery staple'],
      ['cookie:?revocation=', newKey()],
      ['cookie:?revocation=cookie:', newKey()],
      ['cookie:?revocation=x', newKey()],
      ['cookie:x', newKey()],
      ['cookie://x', newKey()],
    ])('refuses %s with the keys %j, and shows none', async (url, keys) => {
      if (keys === undefined) vi.stubEnv('SESSION_KEYS', undefined)
      else vi.stubEnv('SESSION_KEYS', keys)
      const error = await storeFromUrl(url).catch((caught: unknown) => caught)
      expect(error).toBeInstanceOf(TypeError)
      if (keys) expect(String(error)).not.toContain(keys)
    })
  })
})
