import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { upTo } from '../core/site.ts'
import { type PageProgram, startPage } from './page-program.ts'
import { Visitor } from './visitor.ts'

// The program of docs/frameworks/recipes.md that signs in with Passport and passport-local.

const ADA = { username: 'ada', password: 'engine' }
const GRACE = { username: 'grace', password: 'compiler' }

describe('Passport', () => {
  let site: PageProgram
  beforeAll(async () => {
    site = await startPage('docs/frameworks/recipes.md', 'passport.ts')
  })
  afterAll(() => site.stop())

  async function signIn(visitor: Visitor, user = ADA): Promise<void> {
    const response = await visitor.post('/login', user)
    expect([response.status, response.headers.get('Location')]).toEqual([303, '/'])
  }

  it('knows on the next page who has signed in', async () => {
    const visitor = new Visitor(site.origin)
    expect(await visitor.text('/')).toBe('Hello, stranger')
    expect(visitor.cookie).toBe('')
    await signIn(visitor)
    expect(await visitor.text('/')).toBe('Hello, ada')
    expect(await new Visitor(site.origin).text('/')).toBe('Hello, stranger')
  })

  it('lets nobody in with a wrong password, and leaves the session as it was', async () => {
    const visitor = new Visitor(site.origin)
    await visitor.post('/cart/Emma')
    const { cookie } = visitor
    expect((await visitor.post('/login', { ...ADA, password: 'motor' })).status).toBe(401)
    expect(visitor.cookie).toBe(cookie)
    expect([await visitor.text('/'), await visitor.text('/cart')]).toEqual(['Hello, stranger', '["Emma"]'])
  })

  it('changes the id at each sign-in, keeps the basket, and the ids from before are dead', async () => {
    const visitor = new Visitor(site.origin)
    await visitor.post('/cart/Emma')
    const planted = visitor.clone()
    await signIn(visitor)
    const first = visitor.clone()
    await signIn(visitor)
    expect(new Set([planted, first, visitor].map(({ cookie }) => cookie)).size).toBe(3)
    expect([await visitor.text('/'), await visitor.text('/cart')]).toEqual(['Hello, ada', '["Emma"]'])
    for (const dead of [planted, first]) {
      expect([await dead.text('/'), await dead.text('/cart')]).toEqual(['Hello, stranger', '[]'])
    }
  })

  it('shows nothing of one user to the next', async () => {
    const visitor = new Visitor(site.origin)
    await signIn(visitor)
    await visitor.post('/cart/Emma')
    await signIn(visitor, GRACE)
    expect([await visitor.text('/'), await visitor.text('/cart')]).toEqual(['Hello, grace', '[]'])
  })

  it('ends the session at the sign-out, for every copy of its cookie', async () => {
    const visitor = new Visitor(site.origin)
    await signIn(visitor)
    await visitor.post('/cart/Emma')
    const copy = visitor.clone()
    expect((await visitor.post('/logout')).status).toBe(303)
    expect(visitor.cookie).toBe('')
    for (const browser of [visitor, copy]) {
      expect([await browser.text('/'), await browser.text('/cart')]).toEqual(['Hello, stranger', '[]'])
    }
  })

  it('loses nothing of 100 requests at once', async () => {
    const visitor = new Visitor(site.origin)
    await signIn(visitor)
    await Promise.all(upTo(100).map((i) => visitor.clone().post(`/cart/${i}`)))
    expect(JSON.parse(await visitor.text('/cart'))).toHaveLength(100)
    expect(await visitor.text('/')).toBe('Hello, ada')
  })

  it('keeps a browser that submits the form five times at once signed in', async () => {
    const visitor = new Visitor(site.origin)
    await visitor.post('/cart/Emma')
    const twins = upTo(5).map(() => visitor.clone())
    await Promise.all(twins.map((twin) => signIn(twin)))
    expect(await Promise.all(twins.map((twin) => twin.text('/')))).toEqual(upTo(5).map(() => 'Hello, ada'))
  })
})
