import { afterAll, beforeAll, expect, it } from 'vitest'
import { BACKENDS, type RunningBackend } from '../../../test/servers/backends.ts'
import { describeWith } from '../../../test/servers/program.ts'
import { siteOfTests } from './site-of-tests.ts'
import { visits, visitsAtOnce } from './visitor.ts'

for (const { scheme, programs, start } of BACKENDS) {
  describeWith(programs, `the site, with sessions on ${scheme}://`, () => {
    let backend: RunningBackend
    beforeAll(async () => {
      backend = await start()
    })
    afterAll(() => backend?.stop())
    const site = siteOfTests(() => ({ SESSION_STORE: backend.url }))

    it('counts visits, and goes on counting after a restart', async () => {
      const visitor = site.newVisitor()
      const other = site.newVisitor()
      for (const count of [1, 2, 3]) expect(visits(await visitor.open('/'))).toBe(count)
      expect(visits(await other.open('/'))).toBe(1)
      // Which also shows that nothing keeps the process from ending.
      expect(await site.restart()).toBe(0)
      expect(visits(await visitor.open('/'))).toBe(4)
      expect(visits(await other.open('/'))).toBe(2)
    })

    it('counts 100 parallel visits exactly', async () => {
      const visitor = site.newVisitor()
      await visitor.open('/')
      expect(new Set(await visitsAtOnce(visitor, 100)).size).toBe(100)
      expect(visits(await visitor.open('/'))).toBe(102)
    })

    it("signs in, lists a reader's sessions, and ends them from elsewhere", async () => {
      const ada = site.newVisitor()
      const elsewhere = site.newVisitor()
      await ada.send('/basket/add', { book: 'middlemarch' })
      const before = ada.cookie
      expect(await ada.signIn('ada')).toContain('Welcome, Ada.')
      expect(ada.cookie).not.toBe(before)
      expect(await ada.open('/basket')).toContain('Middlemarch')
      await elsewhere.signIn('ada')

      const list = await ada.open('/sessions')
      expect([...list.matchAll(/name="handle" value=/g)]).toHaveLength(2)
      await ada.send('/sessions/revoke-others')
      expect(await elsewhere.open('/loans')).toContain('<h1>Sign in</h1>')
      expect(await ada.open('/loans')).toContain('<h1>My loans</h1>')
      expect(await ada.send('/sign-out')).toContain('You are signed out.')
    })
  })
}
