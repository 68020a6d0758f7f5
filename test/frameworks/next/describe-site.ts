import { beforeEach, expect, it } from 'vitest'
import type { Followed } from '../../package/follow.ts'
import { textOf, Visitor, visitsOf } from './visitor.ts'

const COOKIE = '__Host-Http-sid'
const HOUR = 3_600_000
const DAY = 24 * HOUR

/** Tests of the page's site and the routes beside it, with sessions that the test controls. */
export function describeSite(site: () => Followed): void {
  let control: Visitor
  let ahead = 0

  const visitor = (cookie = ''): Visitor => {
    const browser = new Visitor(site().origin)
    if (cookie) browser.keep([cookie])
    return browser
  }
  /** Lets so much time pass. */
  const pass = async (ms: number): Promise<void> => {
    ahead += ms
    await control.control({ ahead })
  }

  beforeEach(async () => {
    control = visitor()
    await control.control({ failing: false })
  })

  it('gives no cookie to who stores nothing, and makes no call of the store', async () => {
    for (const path of ['/', '/read', '/shop', '/'])
      expect((await visitor().get(path)).setCookies).toEqual([])
    expect(await control.control()).toMatchObject({ total: 0 })
  })

  it('counts in a Server Action, and shows it in the answer and in the next page', async () => {
    const ann = visitor()
    const first = await ann.submit('visit')
    expect(first.setCookies).toHaveLength(1)
    const [pair, ...attributes] = String(first.setCookies).split('; ')
    expect(pair).toMatch(new RegExp(`^${COOKIE}=[\\w-]{22}\\.[\\w-]{32}$`))
    expect(attributes).toEqual(
      expect.arrayContaining(['Path=/', 'Max-Age=2592000', 'Secure', 'HttpOnly', 'SameSite=lax']),
    )
    expect(visitsOf(first)).toBe(1)
    const second = await ann.submit('visit')
    expect(second.setCookies).toEqual([])
    expect(visitsOf(second)).toBe(2)
    expect(await ann.visits()).toBe(2)
    expect((await ann.get('/shop')).body).toContain('<title>Visits: 2</title>')
  })

  it("counts in a Server Action that Next's client calls", async () => {
    const ann = visitor()
    expect((await ann.call('visit')).setCookies).toHaveLength(1)
    // The page that it stands on comes in the same answer.
    expect(visitsOf(await ann.call('visit'))).toBe(2)
    expect(await ann.read()).toEqual({ num_visits: 2 })
  })

  it('finds what an action changes inside a value', async () => {
    const ann = visitor()
    await ann.submit('add')
    expect(textOf('cart', await ann.submit('add'))).toBe('Emma Emma')
    expect(textOf('cart', await ann.get('/shop'))).toBe('Emma Emma')
  })

  it.each(['submit', 'call'] as const)(
    'signs in by an action (%s) that redirects: new id, same data, old id dead',
    async (how) => {
      const ann = visitor()
      await ann.submit('visit')
      const old = visitor(ann.cookie)
      const answer = await ann[how]('signIn')
      // Next's client gets the page that the action leads to in the same answer, which must show the new id's data.
      if (how === 'call') expect(visitsOf(answer)).toBe(1)
      else expect(answer.status).toBe(303)
      expect(answer.setCookies).toHaveLength(1)
      expect(ann.cookie).not.toBe(old.cookie)
      expect(textOf('user', await ann.get('/shop'))).toBe('ann')
      expect(await ann.read()).toEqual({ user: 'ann', num_visits: 1 })
      expect(await old.read()).toEqual({})
    },
  )

  it('signs out by an action: the cookie is removed, and its id opens nothing', async () => {
    const ann = visitor()
    await ann.submit('visit')
    const thief = visitor(ann.cookie)
    const answer = await ann.submit('signOut')
    expect(String(answer.setCookies)).toMatch(
      new RegExp(`^${COOKIE}=; Path=/; Expires=.*1970.*; Max-Age=0; Secure; HttpOnly; SameSite=lax$`),
    )
    expect(ann.cookie).toBe('')
    expect(await ann.visits()).toBe(0)
    expect(await thief.read()).toEqual({})
  })

  it('keeps what an action has changed that fails then', async () => {
    const ann = visitor()
    const answer = await ann.submit('fail')
    expect(answer.status).toBe(500)
    expect(answer.setCookies).toHaveLength(1)
    expect(await ann.read()).toEqual({ num_visits: 1 })
  })

  it.each([
    ['redirect', 307],
    ['not-found', 404],
    ['throws', 500],
  ])('keeps what a Route Handler has changed that ends in %s', async (path, status) => {
    const ann = visitor()
    const answer = await ann.get(`/out/${path}`)
    expect(answer.status).toBe(status)
    expect(answer.setCookies).toHaveLength(1)
    expect((await ann.get(`/out/${path}`)).status).toBe(status)
    expect(await ann.read()).toEqual({ num_visits: 2 })
  })

  it('reads the store once for each render, and once for the proxy', async () => {
    const ann = visitor()
    await ann.submit('visit')
    await control.control()
    expect(textOf('user', await ann.get('/shop'))).toBe('nobody')
    expect(await control.control()).toMatchObject({ read: 2, total: 2 })
    await ann.get('/shop', { headers: { Purpose: 'prefetch' } })
    expect(await control.control()).toMatchObject({ read: 1, total: 1 })
    expect((await ann.prefetch('/shop')).status).toBe(200)
    expect(await control.control()).toMatchObject({ total: 0 })
  })

  it('says that the pages of a session are to be kept by nobody', async () => {
    const ann = visitor()
    expect((await ann.post('/api/visits')).headers.get('Cache-Control')).toMatch(/private|no-store/)
    expect((await ann.post('/api/visits')).headers.get('Vary')).toMatch(/Cookie/)
    expect((await ann.get('/')).headers.get('Cache-Control')).toMatch(/no-store/)
  })

  it('extends the life of a session in the proxy, once in an interval', async () => {
    const ann = visitor()
    await ann.submit('visit')
    await pass(2 * HOUR)
    await ann.get('/')
    expect(await control.control()).toMatchObject({ update: 1 })
    await ann.get('/')
    expect(await control.control()).toMatchObject({ update: 0 })
    await pass(13 * DAY)
    await ann.get('/')
    await pass(13 * DAY)
    expect(await ann.read()).toEqual({ num_visits: 1 })
  })

  it.each([
    ["Next's router", (ann: Visitor) => ann.prefetch('/')],
    ['a browser of old', (ann: Visitor) => ann.get('/', { headers: { Purpose: 'prefetch' } })],
    ['a browser', (ann: Visitor) => ann.get('/', { headers: { 'Sec-Purpose': 'prefetch;prerender' } })],
  ])('writes nothing for what %s fetches ahead, which extends no life', async (_, prefetch) => {
    const ann = visitor()
    await ann.submit('visit')
    await pass(13 * DAY)
    await control.control()
    expect((await prefetch(ann)).status).toBe(200)
    expect(await control.control()).toMatchObject({ create: 0, update: 0, delete: 0 })
    await pass(2 * DAY)
    expect(await ann.read()).toEqual({})
  })

  it('never adopts an id that it did not give', async () => {
    const forged = ['x', 'AAAAAAAAAAAAAAAAAAAAAA.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA']
    const known = visitor()
    await known.submit('visit')
    const [key] = known.cookie.slice(COOKIE.length + 1).split('.')
    for (const id of [...forged, `${key}.${'A'.repeat(32)}`]) {
      const eve = visitor(`${COOKIE}=${id}`)
      expect(await eve.read()).toEqual({})
      expect((await eve.get('/')).setCookies).toEqual([])
      expect((await eve.post('/api/visits')).body).toBe('{"visits":1}')
      expect(eve.cookie).not.toBe(`${COOKIE}=${id}`)
    }
    expect(await known.read()).toEqual({ num_visits: 1 })
  })

  it('loses nothing of 100 requests at once in a Route Handler', async () => {
    const ann = visitor()
    await ann.submit('visit')
    await Promise.all(Array.from({ length: 100 }, () => ann.post('/api/visits')))
    expect(await ann.visits()).toBe(101)
  })

  it('loses nothing of 20 actions at once', async () => {
    const ann = visitor()
    await ann.submit('visit')
    await Promise.all(Array.from({ length: 20 }, () => ann.call('visit')))
    expect(await ann.read()).toEqual({ num_visits: 21 })
  })

  it('answers with an error and without a cookie while the store fails', async () => {
    const ann = visitor()
    await ann.submit('visit')
    await control.control({ failing: true })
    for (const answer of [
      await ann.get('/shop'),
      await ann.get('/out/redirect'),
      await ann.submit('visit'),
      await visitor().submit('visit'),
      await ann.submit('signIn'),
      await ann.call('visit'),
    ]) {
      expect(answer.status).toBe(500)
      expect(answer.setCookies).toEqual([])
    }
    // What is in <Suspense> comes after the answer has begun.
    expect(await ann.visits()).toBeNaN()
    // The page's handler has an answer of its own.
    for (const browser of [ann, visitor()]) {
      const answer = await browser.post('/api/visits')
      expect([answer.status, answer.setCookies]).toEqual([503, []])
      expect(answer.body).toContain('Please try again in a minute')
    }
    await control.control({ failing: false })
    expect(await ann.read()).toEqual({ num_visits: 1 })
  })

  it.each([
    [
      'a Server Component that asks for what it could not save',
      '/mistakes/getting',
      /wrap the Server Action/,
    ],
    ['a Server Component that changes a value', '/mistakes/changing', /object is not extensible/],
    ['a page that is made once for everybody', '/static/a', /Next shows no request here/],
  ])('refuses %s, and says why', async (_what, path, message) => {
    const ann = visitor()
    await ann.submit('add')
    const before = site().output.length
    expect((await ann.get(path)).status).toBe(500)
    await expect.poll(() => site().output.slice(before)).toMatch(message)
    expect(await ann.read()).toEqual({ cart: ['Emma'] })
  })

  it('refuses an action that nothing would save', async () => {
    const ann = visitor()
    await ann.submit('visit')
    const before = site().output.length
    expect((await ann.submit('unwrapped')).status).toBe(500)
    await expect.poll(() => site().output.slice(before)).toMatch(/wrap the Server Action/)
    expect(await ann.read()).toEqual({ num_visits: 1 })
  })
}
