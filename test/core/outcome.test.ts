import { describe, expect, it } from 'vitest'
import { cachingHeaders, type Outcome } from '../../src/index.ts'
import { TestSite } from './test-site.ts'

const untouched: Outcome = { read: false, setCookies: [] }
const read: Outcome = { read: true, setCookies: [] }
const sets: Outcome = { read: true, setCookies: ['sid=x'] }

const cacheControl = (outcome: Outcome, current?: string) =>
  cachingHeaders(outcome, { cacheControl: current, vary: undefined }).cacheControl
const vary = (outcome: Outcome, current?: string) =>
  cachingHeaders(outcome, { cacheControl: undefined, vary: current }).vary

describe('a page that never asked for its session', () => {
  it.each([undefined, '', 'public, max-age=3600', 'no-store'])('is cached as it says: %s', (current) => {
    expect(cachingHeaders(untouched, { cacheControl: current, vary: current })).toEqual({
      cacheControl: undefined,
      vary: undefined,
    })
  })
})

describe('a page that only read its session', () => {
  it('leaves the time in caches to the application', () => {
    expect(cacheControl(read)).toBeUndefined()
    expect(cacheControl(read, 'public, max-age=3600')).toBeUndefined()
  })

  it.each([
    [undefined, 'Cookie'],
    ['', 'Cookie'],
    ['Accept-Encoding', 'Accept-Encoding, Cookie'],
    ['Accept, Accept-Encoding', 'Accept, Accept-Encoding, Cookie'],
    [' Accept ,, ', 'Accept, Cookie'],
    ['X-Cookie', 'X-Cookie, Cookie'],
  ])('says that it depends on the cookie, beside what it has: %s', (current, expected) => {
    expect(vary(read, current)).toBe(expected)
  })

  it.each(['Cookie', 'cookie', 'Accept, COOKIE', '*', 'Accept, *'])('says so once: %s', (current) => {
    expect(vary(read, current)).toBeUndefined()
  })
})

describe('a page that sets the cookie', () => {
  it.each([
    [undefined, 'private'],
    ['', 'private'],
    ['public', 'private'],
    ['Public, Max-Age=60', 'private, Max-Age=60'],
    ['max-age=60', 'private, max-age=60'],
    ['s-maxage=60', 'private'],
    ['public, S-MaxAge=60, max-age=5', 'private, max-age=5'],
    ['max-age=60, proxy-revalidate', 'private, max-age=60'],
    ['no-cache', 'private, no-cache'],
    ['must-revalidate, immutable', 'private, must-revalidate, immutable'],
    [' public ,, max-age=60 ,', 'private, max-age=60'],
    ['public-ish', 'private, public-ish'],
  ])('is kept from shared caches: %s', (current, expected) => {
    expect(cacheControl(sets, current)).toBe(expected)
  })

  it.each(['private', 'PRIVATE', 'private, max-age=60', 'no-store', 'No-Store, max-age=0'])(
    'is left alone where that is said already: %s',
    (current) => {
      expect(cacheControl(sets, current)).toBeUndefined()
    },
  )

  it.each([
    ['private, public', 'private'],
    ['Public, no-store', 'no-store'],
  ])('is not called public in the same breath: %s', (current, expected) => {
    expect(cacheControl(sets, current)).toBe(expected)
  })

  it.each([
    ['private="Set-Cookie"', 'private, private="Set-Cookie"'],
    ['private="X-A, X-B", max-age=60', 'private, private="X-A, X-B", max-age=60'],
    ['no-cache="Set-Cookie", public', 'private, no-cache="Set-Cookie"'],
  ])('is private as a whole, not in single headers: %s', (current, expected) => {
    expect(cacheControl(sets, current)).toBe(expected)
  })

  it('depends on the cookie even when nobody read it', () => {
    expect(vary({ read: false, setCookies: ['sid=x'] })).toBe('Cookie')
  })

  it('needs no second change', () => {
    const once = cachingHeaders(sets, { cacheControl: 'public, s-maxage=9, max-age=60', vary: 'Accept' })
    expect(cachingHeaders(sets, once)).toEqual({ cacheControl: undefined, vary: undefined })
  })
})

describe('the outcome of a visit', () => {
  it('tells a page that reads from one that sets the cookie and from one that does neither', async () => {
    const { sessions } = new TestSite()
    const visit = sessions.open({ cookie: undefined, secure: false })
    expect(visit.outcome).toEqual(untouched)
    const session = await visit.session()
    expect(visit.outcome).toEqual(read)
    session.set('mine', true)
    await visit.commit()
    expect(visit.outcome).toEqual({ read: true, setCookies: [expect.stringContaining('sid=')] })
  })
})
