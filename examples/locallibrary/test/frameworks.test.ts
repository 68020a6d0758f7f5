import { describe, expect, it } from 'vitest'
import { runUntilExit } from './running-site.ts'
import { siteOfTests } from './site-of-tests.ts'
import { visitsAtOnce } from './visitor.ts'

describe.each(['express', 'fastify', 'koa', 'hono', 'fetch'])('the site on %s', (framework) => {
  const site = siteOfTests(() => ({ FRAMEWORK: framework }))

  it('counts 100 parallel visits of one visitor exactly', async () => {
    const visitor = site.newVisitor()
    await visitor.open('/')
    expect(await visitsAtOnce(visitor, 100)).toEqual(Array.from({ length: 100 }, (_, index) => index + 2))
  })

  it('gives a new id at sign-in, and forgets all at sign-out', async () => {
    const visitor = site.newVisitor()
    await visitor.send('/basket/add', { book: 'middlemarch' })
    const before = visitor.cookie
    expect(await visitor.signIn('ada')).toContain('Welcome, Ada.')
    expect(visitor.cookie).not.toBe(before)
    expect(await visitor.open('/basket')).toContain('Middlemarch')
    expect(await visitor.send('/sign-out')).toContain('You are signed out.')
    expect(await visitor.open('/basket')).toContain('Your basket is empty')
  })

  it('sends files without a look at the session, and error pages without a cookie', async () => {
    const visitor = site.newVisitor()
    const file = await fetch(new URL('/style.css', site.url))
    expect(file.headers.get('Content-Type')).toContain('text/css')
    expect(file.headers.get('Vary') ?? '').not.toContain('Cookie')
    const missing = await fetch(new URL('/no/such/page', site.url))
    expect([missing.status, missing.headers.getSetCookie()]).toEqual([404, []])
    const crossSite = await fetch(new URL('/basket/add', site.url), {
      method: 'POST',
      headers: { Origin: 'https://elsewhere.example' },
      body: new URLSearchParams({ book: 'middlemarch' }),
    })
    expect([crossSite.status, crossSite.headers.getSetCookie()]).toEqual([403, []])
    const long = await visitor.post('/basket/add', { book: 'x'.repeat(20_000) })
    expect([long.status, await long.text()]).toEqual([413, expect.stringContaining('more than this form')])
  })
})

it('says which frameworks there are', async () => {
  const { code, output } = await runUntilExit({ FRAMEWORK: 'rails' })
  expect([code, output]).toEqual([
    1,
    'FRAMEWORK must be one of express, fastify, koa, hono, fetch, not "rails".\n',
  ])
})
