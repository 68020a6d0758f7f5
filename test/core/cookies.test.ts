import { parseSetCookie } from 'cookie'
import { describe, expect, it, vi } from 'vitest'
import type { CookieOptions, SessionTimeouts } from '../../src/index.ts'
import { TestSite } from './test-site.ts'

const DAY = 86_400

/** The `Set-Cookie` value of a new visitor, as another parser reads it. */
async function cookieOf(cookie: CookieOptions, secure: boolean): Promise<ReturnType<typeof parseSetCookie>> {
  const visitor = await new TestSite({ cookie }).visitor({ secure })
  expect(visitor.received).toHaveLength(1)
  return parseSetCookie(visitor.received[0] ?? '')
}

describe('the cookie on the wire', () => {
  it('is as safe as it can be on https, with no configuration', async () => {
    expect(await cookieOf({}, true)).toEqual({
      name: '__Host-Http-sid',
      value: expect.stringMatching(/^[\w-]{22}\.[\w-]{32}$/),
      path: '/',
      maxAge: 30 * DAY,
      httpOnly: true,
      secure: true,
      sameSite: 'lax',
    })
  })

  it('is plain on http in development, or browsers would drop it', async () => {
    expect(await cookieOf({}, false)).toEqual({
      name: 'sid',
      value: expect.any(String),
      path: '/',
      maxAge: 30 * DAY,
      httpOnly: true,
      sameSite: 'lax',
    })
  })

  it('is Secure in production even when a proxy in front hides the https', async () => {
    vi.stubEnv('NODE_ENV', 'production')
    expect(await cookieOf({}, false)).toMatchObject({ name: '__Host-Http-sid', secure: true })
  })

  it.each<[string, CookieOptions, boolean, string, boolean]>([
    ['a domain', { domain: 'example.com' }, true, '__Secure-sid', true],
    ['a path', { path: '/shop' }, true, '__Secure-sid', true],
    ['a domain on http', { domain: 'example.com' }, false, 'sid', false],
    ['a path on http', { path: '/shop' }, false, 'sid', false],
    ['another name', { name: 'visit' }, true, '__Host-Http-visit', true],
    ['another name on http', { name: 'visit' }, false, 'visit', false],
    ['secure asked for, on http', { secure: true }, false, '__Host-Http-sid', true],
    ['secure refused, on https', { secure: false }, true, 'sid', false],
    ['sameSite none, on http', { sameSite: 'none' }, false, '__Host-Http-sid', true],
    ['partitioned, on http', { partitioned: true }, false, '__Host-Http-sid', true],
    ['sameSite strict, on http', { sameSite: 'strict' }, false, 'sid', false],
  ])('has the strongest prefix that can hold: %s', async (_, options, secure, name, isSecure) => {
    const cookie = await cookieOf(options, secure)
    expect(cookie.name).toBe(name)
    expect(cookie.secure ?? false).toBe(isSecure)
    expect(cookie.httpOnly).toBe(true)
  })

  it('stays plain in production for who insists', async () => {
    vi.stubEnv('NODE_ENV', 'production')
    const cookie = await cookieOf({ secure: false }, true)
    expect(cookie.name).toBe('sid')
    expect(cookie.secure).toBeUndefined()
  })

  it('carries each attribute that is asked for', async () => {
    const options = { domain: 'example.com', path: '/shop', sameSite: 'none', partitioned: true } as const
    expect(await cookieOf(options, true)).toMatchObject(options)
    expect(await cookieOf({ sameSite: 'strict' }, true)).toMatchObject({ sameSite: 'strict' })
  })

  it('keeps the rules of the prefixes, which browsers enforce', async () => {
    const variants: CookieOptions[] = [{}, { domain: 'a.example' }, { path: '/a' }, { sameSite: 'none' }]
    for (const cookie of variants) {
      for (const secure of [true, false]) {
        const { name, ...attributes } = await cookieOf(cookie, secure)
        if (name.startsWith('__')) expect(attributes.secure).toBe(true)
        if (!name.startsWith('__Host-')) continue
        expect(attributes.path).toBe('/')
        expect(attributes.domain).toBeUndefined()
      }
    }
  })

  it('needs no quoting nor escaping, and fits any limit', async () => {
    const visitor = await new TestSite().visitor({ secure: true })
    expect(visitor.received[0]).toMatch(/^__Host-Http-sid=[\w.-]+;/)
    expect(visitor.received[0]?.length).toBeLessThan(200)
  })
})

describe('impossible options are refused when the sessions are made', () => {
  const impossible: [string, string, unknown][] = [
    ['cookie.partitioned', 'needs a Secure cookie', { secure: false, partitioned: true }],
    ['cookie.sameSite', 'needs a Secure cookie', { secure: false, sameSite: 'none' }],
    ['cookie.sameSite', 'must be one of', { sameSite: 'Lax' }],
    ['cookie.name', 'without a prefix', { name: '__Host-sid' }],
    ['cookie.name', 'without a prefix', { name: '__secure-sid' }],
    ['cookie.name', 'must be a name', { name: '' }],
    ['cookie.name', 'must be a name', { name: 'my sid' }],
    ['cookie.name', 'must be a name', { name: 'sid=1; Domain' }],
    ['cookie.name', 'must be a name', { name: 'sid\r\nX' }],
    ['cookie.path', 'must begin with "/"', { path: 'shop' }],
    ['cookie.path', 'must begin with "/"', { path: '' }],
    ['cookie.path', 'must begin with "/"', { path: '/; Domain=evil.example' }],
    ['cookie.path', 'must begin with "/"', { path: '/\r\nSet-Cookie: a=b' }],
    ['cookie.domain', 'must be a host name', { domain: '.example.com' }],
    ['cookie.domain', 'must be a host name', { domain: 'example.com:8080' }],
    ['cookie.domain', 'must be a host name', { domain: 'https://example.com' }],
    ['cookie.domain', 'must be a host name', { domain: '' }],
    ['cookie.secure', 'must be one of', { secure: 'auto' }],
    ['cookie.persistent', 'must be one of', { persistent: 1 }],
    ['maxAge', 'is not an option of cookie', { maxAge: 3600 }],
    ['httpOnly', 'is not an option of cookie', { httpOnly: false }],
    ['samesite', 'did you mean "sameSite"?', { samesite: 'lax' }],
  ]

  it.each(impossible)('"%s" %s', (option, reason, cookie) => {
    const attempt = () => new TestSite({ cookie: cookie as CookieOptions })
    expect(attempt).toThrow(TypeError)
    expect(attempt).toThrow(`"${option}"`)
    expect(attempt).toThrow(reason)
  })
})

describe("the cookie's life", () => {
  const maxAge = (header: string | undefined) => parseSetCookie(header ?? '').maxAge

  it.each<[string, SessionTimeouts, number | undefined]>([
    ['up to the absolute end', {}, 30 * DAY],
    ['up to the absolute end of its own', { absolute: '90d' }, 90 * DAY],
    ['whatever its idle timeout', { idle: '5m' }, 30 * DAY],
    ['as long as the browser', { persistent: false }, undefined],
    ['as long as the browser, whatever its absolute end', { persistent: false, absolute: '1d' }, undefined],
    ['no longer than browsers allow', { absolute: '1000d' }, 400 * DAY],
    ['at least to the end: rounded up', { absolute: '1500ms' }, 2],
  ])('is %s', async (_, timeouts, expected) => {
    const visitor = await new TestSite().visitor()
    await visitor.visit((session) => session.setTimeouts(timeouts))
    expect(maxAge(visitor.received.at(-1))).toBe(expected)
  })

  it('ends with the browser on a site that wants so, but for a session that asks to stay', async () => {
    const visitor = await new TestSite({ cookie: { persistent: false } }).visitor()
    expect(maxAge(visitor.received.at(-1))).toBeUndefined()
    await visitor.visit((session) => session.setTimeouts({ persistent: true }))
    expect(maxAge(visitor.received.at(-1))).toBe(30 * DAY)
  })

  it('counts from the start of the session, whenever the cookie is sent', async () => {
    const site = new TestSite({ idleTimeout: '30d' })
    const visitor = await site.visitor()
    site.now += 10 * DAY * 1000
    await visitor.visit((session) => session.regenerateId())
    expect(maxAge(visitor.received.at(-1))).toBe(20 * DAY)
  })

  it('counts anew from a sign-in', async () => {
    const site = new TestSite({ idleTimeout: '30d' })
    const visitor = await site.visitor()
    site.now += 10 * DAY * 1000
    await visitor.visit((session) => session.login('ada'))
    expect(maxAge(visitor.received.at(-1))).toBe(30 * DAY)
  })

  it('keeps the wish of the session when its id changes', async () => {
    const visitor = await new TestSite().visitor()
    await visitor.visit((session) => session.setTimeouts({ persistent: false }))
    await visitor.visit((session) => session.login('ada'))
    expect(visitor.received).toHaveLength(3)
    expect(maxAge(visitor.received.at(-1))).toBeUndefined()
  })

  it('is not trusted: a cookie kept beyond the end opens nothing', async () => {
    const site = new TestSite({ absoluteTimeout: '1h' })
    const visitor = await site.visitor()
    site.now += 3_600_000
    expect(await visitor.visit((session) => session.isNew)).toBe(true)
  })
})

describe('the cookie is sent', () => {
  it('when the session starts, rotates or ends, and with no other answer', async () => {
    const visitor = await new TestSite().visitor()
    const count = () => visitor.received.length
    expect(count()).toBe(1)
    await visitor.visit((session) => session.get('mine'))
    await visitor.visit((session) => session.set('other', 1))
    await visitor.visit((session) => session.flash('note', 'hello'))
    await visitor.visit((session) => session.clear())
    expect(count()).toBe(1)
    await visitor.visit((session) => session.login('ada'))
    expect(count()).toBe(2)
    await visitor.visit((session) => session.regenerateId())
    expect(count()).toBe(3)
    await visitor.visit((session) => session.destroy())
    expect(count()).toBe(4)
  })

  it('not when the life of the session is extended', async () => {
    const site = new TestSite()
    const visitor = await site.visitor()
    site.now += DAY * 1000
    await visitor.visit((session) => session.get('mine'))
    expect(site.store.calls.update).toBe(1)
    expect(visitor.received).toHaveLength(1)
  })

  it('never to a visitor for whom nothing is stored', async () => {
    const site = new TestSite()
    const visitor = site.browser()
    await visitor.visit((session) => session.get('mine'))
    await visitor.visit((session) => session.set('mine', true).delete('mine'))
    await visitor.visit((session) => session.regenerateId())
    await visitor.visit((session) => session.clear())
    await visitor.visit((session) => session.destroy())
    await visitor.visit((session) => session.setTimeouts({ idle: '1h', persistent: false }))
    await visitor.visit((session) => session.set('mine', true).destroy())
    expect(visitor.received).toEqual([])
    expect(site.store.calls).toEqual({ read: 0, create: 0, update: 0, delete: 0 })
  })

  it('never to a visitor whose cookies only look alike, not even by destroy()', async () => {
    const site = new TestSite()
    const visitor = site.browser({ cookie: 'residence=here; my-sid=x; theme=sid' })
    await visitor.visit((session) => session.destroy())
    expect(visitor.received).toEqual([])
  })

  it('once, however much happens in one request', async () => {
    const visitor = await new TestSite().visitor()
    await visitor.visit(async (session) => {
      session.login('ada')
      await session.save()
      session.regenerateId()
      session.setTimeouts({ absolute: '1d' })
      await session.save()
      session.destroy()
      session.set('mine', 'again')
    })
    expect(visitor.received).toHaveLength(2)
    expect(await visitor.visit((session) => [session.get('mine'), session.userId])).toEqual([
      'again',
      undefined,
    ])
  })

  it('with the new id where the session was destroyed and another one begun', async () => {
    const visitor = await new TestSite().visitor()
    const old = visitor.id
    await visitor.visit((session) => {
      session.destroy()
      session.flash('goodbye', true)
    })
    expect(visitor.id).toMatch(/^[\w-]{22}\.[\w-]{32}$/)
    expect(visitor.id.slice(0, 22)).not.toBe(old.slice(0, 22))
    expect(await visitor.visit((session) => session.takeFlashes())).toEqual([{ key: 'goodbye', value: true }])
  })
})

describe('the end of a session', () => {
  it.each<[string, CookieOptions, boolean]>([
    ['http', {}, false],
    ['https', {}, true],
    ['a domain and a path', { domain: 'example.com', path: '/shop' }, true],
    ['an embedded site', { sameSite: 'none', partitioned: true }, true],
    ['no Secure', { secure: false }, true],
  ])('removes the cookie with the attributes it was set with: %s', async (_, cookie, secure) => {
    const visitor = await new TestSite({ cookie }).visitor({ secure })
    await visitor.visit((session) => session.destroy())
    const [set, cleared] = visitor.received.map((header) => parseSetCookie(header))
    expect(cleared).toEqual({ ...set, value: '', maxAge: 0, expires: new Date(0) })
    expect(visitor.cookie).toBeUndefined()
  })
})

describe('the cookie that is read', () => {
  it('is the prefixed one alone over https, since a script or a sibling domain can set the other', async () => {
    const site = new TestSite()
    const attacker = await site.visitor()
    const victim = site.browser({ cookie: `sid=${attacker.id}`, secure: true })
    expect(await victim.visit((session) => session.isNew)).toBe(true)
    expect(site.store.calls.read).toBe(0)
  })

  it('is the prefixed one alone in production, whatever the proxy says', async () => {
    vi.stubEnv('NODE_ENV', 'production')
    const site = new TestSite()
    const visitor = await site.visitor()
    expect(visitor.cookie).toBe(`__Host-Http-sid=${visitor.id}`)
    for (const secure of [true, false]) {
      const planted = site.browser({ cookie: `sid=${visitor.id}; __Host-sid=${visitor.id}`, secure })
      expect(await planted.visit((session) => session.isNew)).toBe(true)
      const own = site.browser({ cookie: `sid=planted; __Host-Http-sid=${visitor.id}`, secure })
      expect(await own.visit((session) => session.get('mine'))).toBe(true)
    }
  })

  it('is that of this site alone where two sites share a host', async () => {
    const [shop, forum] = [
      new TestSite({ cookie: { name: 'shop' } }),
      new TestSite({ cookie: { name: 'forum' } }),
    ]
    const visitor = await shop.visitor()
    const cookie = `forum-shop=x; shop2=x; ${visitor.cookie}; forum=x`
    expect(await shop.browser({ cookie }).visit((session) => session.get('mine'))).toBe(true)
    expect(await forum.browser({ cookie }).visit((session) => session.isNew)).toBe(true)
  })
})
