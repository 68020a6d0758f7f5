import { afterAll, beforeAll, expect, it } from 'vitest'
import { createSessions } from '../../src/index.ts'
import type { CloseableStore, Store } from '../../src/store.ts'
import { openStoreUrl } from '../../src/stores/from-url.ts'
import { Browser } from '../core/browser.ts'
import { BACKENDS, type RunningBackend } from '../servers/backends.ts'
import { describeWith } from '../servers/program.ts'
import { sojourn } from './sojourn.ts'

/** What a URL may hold and nobody may see. */
const PASSWORD = 'hunter2'

for (const { scheme, programs, start } of BACKENDS) {
  describeWith(programs, `the command line on ${scheme}://`, () => {
    let backend: RunningBackend
    beforeAll(async () => {
      backend = await start()
    })
    afterAll(() => backend?.stop())

    it('shows a session that a site has left there, without its secret', async () => {
      const { id, handle } = await withStore(backend.url, visit)
      const { code, stdout, stderr } = await sojourn(['inspect', backend.url, handle, '--data'])
      expect(stderr).toBe('')
      expect(code).toBe(0)
      expect(stdout).toMatch(/user +ada\n/)
      expect(stdout).toMatch(/data num_visits +3/)
      const [, secret = ''] = id.split('.')
      expect(secret).not.toBe('')
      expect(stdout).not.toContain(secret)
    })

    it('finds nothing where nothing is', async () => {
      const { code, stderr } = await sojourn(['inspect', backend.url, 'A'.repeat(22)])
      expect(stderr).toBe('sojourn: There is no session of that handle: it has ended, or never was\n')
      expect(code).toBe(1)
    })

    it('purges what has expired and leaves the rest, or says that the store does so by itself', async () => {
      const isPurgeable = await withStore(backend.url, async (store) => {
        const entry = { value: 'x', userId: undefined }
        for (let i = 0; i < 3; i++) await store.create(`old-${i}`, { ...entry, expiresAt: Date.now() + 1 })
        await store.create('new', { ...entry, expiresAt: Date.now() + 3_600_000 })
        return 'purge' in store
      })
      const { code, stdout, stderr } = await sojourn(['purge', backend.url])
      if (isPurgeable) {
        expect({ code, stdout, stderr }).toEqual({
          code: 0,
          stdout: '3 expired sessions removed\n',
          // On a busy machine it may take so long that it tells how far it is.
          stderr: expect.stringMatching(/^(3 expired sessions removed so far\n)?$/),
        })
      } else {
        expect(stderr).toBe('sojourn: This store forgets expired sessions by itself\n')
        expect(code).toBe(1)
      }
      expect(await withStore(backend.url, (store) => store.read('new'))).toMatchObject({ value: 'x' })
    })

    it('says that there is no table, and makes none', async ({ skip }) => {
      const { missing } = backend
      if (!missing) return skip('there are no tables')
      for (const command of [
        ['purge', missing],
        ['inspect', missing, 'A'.repeat(22)],
        ['purge', missing],
      ]) {
        const { code, stdout, stderr } = await sojourn(command)
        expect(stderr).toMatch(/^sojourn: There is no .*"nowhere".*\n$/)
        expect(stdout).toBe('')
        expect(code).toBe(1)
      }
    })

    it('refuses what is no address after the scheme, or finds nobody there', async () => {
      const wrong = ['', '//', '//me:hunter2@', '//me:hunter2@:x/y']
      const ended = wrong.map((rest) => sojourn(['purge', `${scheme}:${rest}`]))
      for (const { code, stdout, stderr } of await Promise.all(ended)) {
        expect(stderr).toMatch(/^sojourn: ./)
        expect(stderr).not.toContain(PASSWORD)
        expect(stdout).toBe('')
        expect(code).toBeGreaterThan(0)
      }
    })

    // The last one, since the server stays away.
    it('says so when the server is not there, and ends', async () => {
      await backend.kill()
      const url = withPassword(backend.url)
      for (const command of [
        ['purge', url],
        ['inspect', url, 'A'.repeat(22)],
      ]) {
        const { code, stdout, stderr } = await sojourn(command)
        expect(stderr).toMatch(/^sojourn: ./)
        expect(stderr).not.toMatch(/at \w+ \(|^Try/m)
        expect(stderr).not.toContain(PASSWORD)
        expect(stdout).toBe('')
        expect(code).toBe(1)
      }
    })
  })
}

async function visit(store: Store): Promise<{ id: string; handle: string }> {
  const browser = new Browser(createSessions({ store }))
  const handle = await browser.visit((session) => {
    session.login('ada')
    session.set('num_visits', 3)
    return session.handle
  })
  return { id: browser.id, handle }
}

async function withStore<T>(url: string, work: (store: Store) => Promise<T>): Promise<T> {
  const store = await openStoreUrl(url)
  try {
    return await work(store)
  } finally {
    await (store as CloseableStore).close()
  }
}

const WITH_PASSWORDS = ['redis:', 'postgres:', 'mysql:', 'mariadb:']

function withPassword(url: string): string {
  const parsed = new URL(url)
  if (!WITH_PASSWORDS.includes(parsed.protocol)) return url
  parsed.username ||= 'me'
  parsed.password = PASSWORD
  return parsed.href
}
