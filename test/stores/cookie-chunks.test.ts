import { describe, expect, it } from 'vitest'
import { CookieSite } from './cookie-site.ts'

/** Text that needs so many letters of the cookie, within a few. */
function filling(letters: number): string {
  return 'x'.repeat(Math.floor((letters * 3) / 4))
}

describe('a session in several cookies', () => {
  it('comes back as it was, with the attributes and the prefix on each cookie', async () => {
    const site = new CookieSite()
    const ann = site.browser(site.sessions, { secure: true })
    await ann.visit((session) => session.set('text', filling(6000)))
    expect([...ann.cookies.keys()]).toEqual(['__Host-Http-sid', '__Host-Http-sid.1'])
    for (const setCookie of ann.received) {
      expect(setCookie).toMatch(/^[^;]+; Max-Age=2592000; Path=\/; HttpOnly; SameSite=Lax; Secure$/)
    }
    expect(await ann.contents()).toEqual({ text: filling(6000) })
  })

  it('never exceeds what browsers take, attributes included, at any size', async () => {
    const site = new CookieSite({
      cookie: { name: 'a-long-name', domain: 'shop.example.com', path: '/here' },
    })
    const ann = site.browser(site.sessions, { secure: true })
    let largest = 0
    for (let length = 2600; length < 6200; length += 7) {
      try {
        await ann.visit((session) => session.set('text', 'x'.repeat(length)))
      } catch (error) {
        expect(error).toMatchObject({ code: 'ERR_SESSION_TOO_LARGE' })
        break
      }
      const sizes = ann.received.map((setCookie) => setCookie.length)
      for (const size of sizes) expect(size).toBeLessThanOrEqual(4096)
      largest = Math.max(
        largest,
        sizes.reduce((a, b) => a + b),
      )
      expect(await ann.visit((session) => session.get('text')?.length)).toBe(length)
    }
    expect(largest).toBeLessThanOrEqual(8192)
    expect(largest).toBeGreaterThan(8150)
  })

  it('removes the chunks that are left over, with their own attributes', async () => {
    const site = new CookieSite({ cookie: { domain: 'example.com', path: '/shop', sameSite: 'strict' } })
    const ann = site.browser(site.sessions, { secure: true })
    await ann.visit((session) => session.set('text', filling(6000)))
    await ann.visit((session) => session.set('text', 'short'))
    expect(ann.received).toHaveLength(2)
    expect(ann.received[1]).toBe(
      '__Secure-sid.1=; Max-Age=0; Domain=example.com; Path=/shop; HttpOnly; SameSite=Strict; Secure; ' +
        'Expires=Thu, 01 Jan 1970 00:00:00 GMT',
    )
    expect([...ann.cookies.keys()]).toEqual(['__Secure-sid'])
    await ann.visit((session) => session.set('text', 'shorter'))
    expect(ann.received).toHaveLength(1)
  })

  it('is removed whole by destroy()', async () => {
    const ann = new CookieSite().browser()
    await ann.visit((session) => session.set('text', filling(6000)))
    await ann.visit((session) => session.destroy())
    expect(ann.received).toHaveLength(2)
    expect(ann.cookies.size).toBe(0)
  })

  it('removes left-over chunks when a new session follows destroy() in one answer', async () => {
    const ann = new CookieSite().browser()
    await ann.visit((session) => session.set('text', filling(6000)))
    await ann.visit((session) => {
      session.destroy()
      session.set('n', 1)
    })
    expect([...ann.cookies.keys()]).toEqual(['sid'])
    expect(await ann.contents()).toEqual({ n: 1 })
  })

  it('ignores a chunk that is left over: the first cookie counts them', async () => {
    const ann = new CookieSite().browser()
    await ann.visit((session) => session.set('n', 1))
    ann.cookies.set('sid.1', 'left-over')
    expect(await ann.contents()).toEqual({ n: 1 })
    ann.cookies.set('sid.2', 'foreign')
    await ann.visit((session) => session.set('n', 2))
    expect([...ann.cookies.keys()]).toEqual(['sid', 'sid.2'])
  })

  it('does not open with chunks of two answers', async () => {
    const ann = new CookieSite().browser()
    await ann.visit((session) => session.set('text', filling(6000)))
    const older = ann.copy()
    await ann.visit((session) => session.set('text', `${filling(6000)}!`))
    for (const [first, second] of [
      [ann, older],
      [older, ann],
    ] as const) {
      const mixed = first.copy()
      mixed.cookies.set('sid.1', second.cookies.get('sid.1') ?? '')
      expect(await mixed.contents()).toEqual({})
    }
    expect(Object.keys(await older.contents())).toEqual(['text'])
  })

  it('does not open without one of its chunks, with two swapped, or with another count', async () => {
    const ann = new CookieSite().browser()
    await ann.visit((session) => session.set('text', filling(6000)))
    const [zero = '', one = ''] = [...ann.cookies.values()]
    const forged: [string, string | undefined][] = [
      [zero, undefined],
      [one, zero],
      [`1${zero.slice(1)}`, one],
      [`3${zero.slice(1)}`, one],
      [`0${zero.slice(1)}`, one],
      [`1${zero.slice(1)}${one}`, undefined],
      // Not the last letter: it may have bits that stand for nothing.
      [zero, `${one.slice(0, -2)}${one.at(-2) === 'A' ? 'B' : 'A'}${one.slice(-1)}`],
      [zero, `${one} `.repeat(2)],
    ]
    for (const [first, second] of forged) {
      const thief = ann.copy()
      thief.cookies = new Map([['sid', first], ...(second === undefined ? [] : [['sid.1', second] as const])])
      expect(await thief.contents()).toEqual({})
    }
  })

  it('opens beside old cookies of the same names, in any order', async () => {
    const site = new CookieSite()
    const [ann, bob] = [site.browser(), site.browser()]
    await ann.visit((session) => session.set('text', filling(6000)))
    await bob.visit((session) => session.set('text', filling(6000)))
    const [own0, own1] = [...ann.cookies.values()]
    const dead0 = `${bob.cookies.get('sid')?.slice(0, -4)}AAAA`
    const dead1 = bob.cookies.get('sid.1')
    for (const header of [
      `sid=${dead0}; sid.1=${dead1}; sid=${own0}; sid.1=${own1}`,
      `sid=${own0}; sid=${dead0}; sid.1=${dead1}; sid.1=${own1}`,
    ]) {
      const { session } = await ann.begin(header)
      expect(session.get('text')).toBe(filling(6000))
    }
  })
})
