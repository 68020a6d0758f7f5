import { describe, expect, it } from 'vitest'
import { TestSite } from './test-site.ts'

const A_KEY = 'A'.repeat(22)
const A_SECRET = 'B'.repeat(32)

/** The id with another character in that place, of the same alphabet. */
function tampered(id: string, place: number): string {
  const other = id[place] === 'A' ? 'B' : 'A'
  return id.slice(0, place) + other + id.slice(place + 1)
}

describe('a cookie that the server did not issue', () => {
  const junk: Record<string, string> = {
    'no cookie of ours': 'theme=dark; lang=en',
    'an empty header': '',
    'an empty value': 'sid=',
    'a name alone': 'sid',
    'an equals sign alone': '=',
    'many separators': `${';'.repeat(4000)}=;=;;`,
    'a quote alone': 'sid="',
    'two quotes': 'sid=""',
    '8 kB of letters': `sid=${'a'.repeat(8192)}`,
    '64 kB of dots': `sid=${'.'.repeat(65_536)}`,
    'a broken percent sign': 'sid=%E0%A4%A',
    'a NUL': `sid=${A_KEY}.${A_SECRET}\0`,
    'letters beyond ASCII': `sid=${'é'.repeat(22)}.${'é'.repeat(32)}`,
    'standard base64': `sid=${'+'.repeat(22)}.${'/'.repeat(32)}`,
    'a key alone': `sid=${A_KEY}`,
    'a key and a dot': `sid=${A_KEY}.`,
    'a secret alone': `sid=.${A_SECRET}`,
    'no dot': `sid=${A_KEY}${A_SECRET}`,
    'two dots': `sid=${A_KEY}..${A_SECRET}`,
    'a third part': `sid=${A_KEY}.${A_SECRET}.${A_SECRET}`,
    'a short key': `sid=${A_KEY.slice(1)}.${A_SECRET}`,
    'a long key': `sid=${A_KEY}A.${A_SECRET}`,
    'a short secret': `sid=${A_KEY}.${A_SECRET.slice(1)}`,
    'a long secret': `sid=${A_KEY}.${A_SECRET}B`,
    'a path': 'sid=../../etc/passwd',
    'a name of every object': 'sid=__proto__',
    'an id of express-session': 's%3Aj0kFzMNLa9zv7.bYcJ4Qm',
    'another name that ends like ours': `my-sid=${A_KEY}.${A_SECRET}`,
    'our name in another case': `SID=${A_KEY}.${A_SECRET}`,
  }

  it.each(Object.entries(junk))('costs nothing and breaks nothing: %s', async (_, cookie) => {
    const site = new TestSite()
    const browser = site.browser({ cookie })
    expect(await browser.visit((session) => [session.isNew, session.isEmpty])).toEqual([true, true])
    expect(site.store.calls).toEqual({ read: 0, create: 0, update: 0, delete: 0 })
    expect(browser.received).toEqual([])
  })

  it('costs one read when it has the form of ours, and is never adopted', async () => {
    const site = new TestSite()
    const browser = site.browser({ cookie: `sid=${A_KEY}.${A_SECRET}` })
    await browser.visit((session) => session.set('mine', true))
    expect(site.store.calls).toEqual({ read: 1, create: 1, update: 0, delete: 0 })
    expect(browser.id).toMatch(/^[\w-]{22}\.[\w-]{32}$/)
    expect(browser.id).not.toContain(A_KEY)
    expect(browser.id).not.toContain(A_SECRET)
    expect([...site.store.entries.keys()]).not.toContain(A_KEY)
  })

  it('cannot make a request cost more than a few reads, however many it names', async () => {
    const site = new TestSite()
    const numbers = Array.from({ length: 500 }, (_, i) => String(i).padStart(22, '0'))
    const cookie = numbers.map((key) => `sid=${key}.${A_SECRET}`).join('; ')
    expect(await site.browser({ cookie }).visit((session) => session.isNew)).toBe(true)
    expect(site.store.calls.read).toBeLessThanOrEqual(6)
  })

  it('costs one read when it is sent many times', async () => {
    const site = new TestSite()
    const cookie = Array.from({ length: 50 }, () => `sid=${A_KEY}.${A_SECRET}`).join(';')
    await site.browser({ cookie }).visit((session) => session.isNew)
    expect(site.store.calls.read).toBe(1)
  })

  it('does not open the session whose key it names, with the secret of another session', async () => {
    const site = new TestSite()
    const [ada, mallory] = [await site.visitor(), await site.visitor()]
    const forged = `${ada.id.slice(0, 22)}${mallory.id.slice(22)}`
    expect(await site.sessions.resume(forged)).toBeUndefined()
    expect(await site.browser({ cookie: `sid=${forged}` }).visit((session) => session.get('mine'))).toBe(
      undefined,
    )
  })

  it('opens nothing with the hash of the secret, which the store keeps', async () => {
    const site = new TestSite()
    const { id } = await site.visitor()
    const [key, entry] = [...site.store.entries][0] ?? []
    const texts = entry?.value.match(/[\w-]{20,}/g) ?? []
    expect(texts.length).toBeGreaterThan(0)
    for (const text of texts)
      expect(await site.sessions.resume(`${key}.${text.slice(0, 32)}`)).toBeUndefined()
    expect(await site.sessions.resume(id)).toBeDefined()
  })

  it('leaves no trace of a handle in another visitor: a handle opens nothing', async () => {
    const site = new TestSite()
    const visitor = await site.visitor()
    const handle = await visitor.visit((session) => session.handle)
    expect(await site.sessions.resume(handle)).toBeUndefined()
    expect(await site.browser({ cookie: `sid=${handle}` }).visit((session) => session.isNew)).toBe(true)
  })
})

describe('an issued cookie', () => {
  it('opens its session, quoted or not, among others and with spaces', async () => {
    const site = new TestSite()
    const { id } = await site.visitor()
    const headers = [
      `sid=${id}`,
      `sid="${id}"`,
      `a=b;sid=${id};c=d`,
      `a=b;  sid = ${id}  ; c=d`,
      `;;sid=${id};`,
    ]
    for (const cookie of headers) {
      expect(await site.browser({ cookie }).visit((session) => session.get('mine')), cookie).toBe(true)
    }
  })

  it('opens nothing when a single character differs, in the key, the dot or the secret', async () => {
    const site = new TestSite()
    const { id } = await site.visitor()
    const before = site.dump()
    for (let place = 0; place < id.length; place++) {
      const cookie = `sid=${tampered(id, place)}`
      expect(await site.browser({ cookie }).visit((session) => session.isNew), `at ${place}`).toBe(true)
    }
    expect(site.dump()).toBe(before)
  })

  it('opens nothing when it is cut short, doubled, swapped or in another case', async () => {
    const site = new TestSite()
    const { id } = await site.visitor()
    const [key, secret] = id.split('.')
    const cut = Array.from({ length: id.length }, (_, i) => id.slice(0, i))
    const bent = [
      `${id}${id}`,
      `${id},${id}`,
      `${secret}.${key}`,
      id.toUpperCase(),
      id.toLowerCase(),
      `${id}=`,
    ]
    for (const value of [...cut, ...bent]) {
      expect(await site.sessions.resume(value), value).toBeUndefined()
      expect(await site.browser({ cookie: `sid=${value}` }).visit((s) => s.isNew), value).toBe(true)
    }
  })

  it.each([
    ['dead one first', (dead: string, live: string) => [dead, live]],
    ['live one first', (dead: string, live: string) => [live, dead]],
    ['among junk', (dead: string, live: string) => ['x', dead, '', live, 'y'.repeat(9000)]],
  ])('opens its session beside a dead cookie of the same name: %s', async (_, order) => {
    const site = new TestSite()
    const [dead, live] = [await site.visitor(), await site.visitor()]
    const { id: deadId } = dead
    await dead.visit((session) => session.destroy())
    const cookie = order(deadId, live.id)
      .map((value) => `sid=${value}`)
      .join('; ')
    expect(await site.browser({ cookie }).visit((session) => session.get('mine'))).toBe(true)
  })
})

describe('the store', () => {
  it('never sees a secret nor the value of a cookie', async () => {
    const site = new TestSite()
    const visitor = await site.visitor()
    const ids = [visitor.id]
    await visitor.visit((session) => session.login('ada'))
    ids.push(visitor.id)
    await visitor.visit((session) => session.regenerateId())
    ids.push(visitor.id)
    expect(new Set(ids).size).toBe(3)
    for (const id of ids) {
      expect(site.dump()).not.toContain(id)
      expect(site.dump()).not.toContain(id.slice(23))
    }
  })

  it('never sees them in sealed sessions either, nor the data', async () => {
    const site = new TestSite({ sealed: true })
    const visitor = await site.visitor()
    await visitor.visit((session) => session.set('diary', 'dear diary'))
    expect(site.dump()).not.toContain(visitor.id.slice(23))
    expect(site.dump()).not.toContain('diary')
    expect(await visitor.visit((session) => session.get('diary'))).toBe('dear diary')
  })
})

describe('a new id', () => {
  it.each(['regenerateId', 'login'])('of %s() closes the old one, and keeps the data', async (change) => {
    const site = new TestSite()
    const visitor = await site.visitor()
    const old = visitor.id
    await visitor.visit((session) => (change === 'login' ? session.login('ada') : session.regenerateId()))
    expect(visitor.id).not.toBe(old)
    expect(await visitor.visit((session) => session.get('mine'))).toBe(true)
    expect(await site.sessions.resume(old)).toBeUndefined()
    const thief = site.browser({ cookie: `sid=${old}` })
    expect(await thief.visit((session) => [session.isNew, session.userId, session.isEmpty])).toEqual([
      true,
      undefined,
      true,
    ])
    expect(site.store.entries.size).toBe(1)
  })

  it('does not let in who planted the old one in the browser of somebody else (session fixation)', async () => {
    const site = new TestSite()
    const attacker = await site.visitor()
    const victim = site.browser({ cookie: `sid=${attacker.id}` })
    await victim.visit((session) => {
      session.login('ada')
      session.set('card', '4111')
    })
    expect(await attacker.visit((session) => [session.userId, session.get('card')])).toEqual([
      undefined,
      undefined,
    ])
  })

  it('closes one that was saved earlier in the same request', async () => {
    const site = new TestSite()
    const visitor = site.browser()
    const visit = site.sessions.open({ cookie: undefined, secure: false })
    const session = await visit.session()
    session.set('mine', true)
    await session.save()
    const early = /sid=([^;]+)/.exec(visit.outcome.setCookies[0] ?? '')?.[1] ?? ''
    expect(await site.sessions.resume(early)).toBeDefined()
    session.login('ada')
    await visit.commit()
    for (const header of visit.outcome.setCookies) visitor.receive(header)
    expect(await site.sessions.resume(early)).toBeUndefined()
    expect(await visitor.visit((s) => [s.userId, s.get('mine')])).toEqual(['ada', true])
  })

  it('is another one each time, for a thousand visitors', async () => {
    const site = new TestSite()
    const visitors = await Promise.all(Array.from({ length: 1000 }, () => site.visitor()))
    expect(new Set(visitors.map(({ id }) => id.slice(0, 22))).size).toBe(1000)
    expect(new Set(visitors.map(({ id }) => id.slice(23))).size).toBe(1000)
  })

  it('opens nothing after the end: destroyed, revoked or expired', async () => {
    const site = new TestSite({ idleTimeout: '1h' })
    const [destroyed, revoked, expired] = [await site.visitor(), await site.visitor(), await site.visitor()]
    const ids = [destroyed.id, revoked.id, expired.id]
    await destroyed.visit((session) => session.destroy())
    await site.sessions.revoke(revoked.id.slice(0, 22))
    site.now += 3_600_000
    for (const id of ids) expect(await site.sessions.resume(id)).toBeUndefined()
  })
})
