import { describe, expect, it, vi } from 'vitest'
import { createSessions, SessionError } from '../../src/index.ts'
import { cookieStore } from '../../src/stores/cookie.ts'
import { CookieSite, newKey } from './cookie-site.ts'

const HOUR = 3_600_000
const DAY = 24 * HOUR

describe('a session in a cookie', () => {
  it('comes back as it was', async () => {
    const ann = new CookieSite().browser()
    const since = new Date(1234567890123)
    await ann.visit((session) => {
      session
        .set('n', 1)
        .set('since', since)
        .set('tags', new Set(['ä', '𝄞']))
      session.set('__proto__', 'harmless').set('', { nested: [null, true, 'x'] })
      session.flash('notice', 'Once')
    })
    await ann.visit((session) => {
      expect([...session]).toEqual([
        ['n', 1],
        ['since', since],
        ['tags', new Set(['ä', '𝄞'])],
        ['__proto__', 'harmless'],
        ['', { nested: [null, true, 'x'] }],
      ])
      expect(session.takeFlashes()).toEqual([{ key: 'notice', value: 'Once' }])
    })
    await ann.visit((session) => expect(session.takeFlashes()).toEqual([]))
  })

  it('has its facts inside', async () => {
    const site = new CookieSite()
    const ann = site.browser()
    const began = site.now
    const handle = await ann.visit((session) => {
      expect(session.isNew).toBe(true)
      session.set('n', 1)
      return session.handle
    })
    site.now += 90_000
    await ann.visit((session) => {
      session.login('ann ä')
      session.setTimeouts({ idle: '2h', absolute: '12h', persistent: false })
    })
    await ann.visit((session) => {
      expect(session).toMatchObject({
        isNew: false,
        handle,
        userId: 'ann ä',
        createdAt: began,
        authenticatedAt: began + 90_000,
        expiresAt: began + 90_000 + 2 * HOUR,
      })
    })
    expect(handle).toMatch(/^[\w-]{22}$/)
  })

  it('shows nothing of itself', async () => {
    const ann = new CookieSite().browser()
    await ann.visit((session) => session.set('colour', 'ultramarine'))
    await ann.visit((session) => session.login('ann'))
    const bytes = Buffer.from(ann.header?.slice(5) ?? '', 'base64url').toString('latin1')
    for (const word of ['colour', 'ultramarine', 'ann']) {
      expect(bytes).not.toContain(word)
      expect(ann.header).not.toContain(word)
    }
  })

  it('never looks the same twice', async () => {
    const site = new CookieSite()
    const values = new Set<string | undefined>()
    for (let i = 0; i < 50; i++) {
      const ann = site.browser()
      await ann.visit((session) => session.set('n', 1))
      values.add(ann.header)
    }
    expect(values.size).toBe(50)
  })

  it('is written when it changes, and not when it is read', async () => {
    const ann = new CookieSite().browser()
    await ann.visit((session) => session.get('n'))
    expect(ann.received).toEqual([])
    await ann.visit((session) => session.set('n', 1))
    expect(ann.received).toHaveLength(1)
    await ann.visit((session) => session.get('n'))
    expect(ann.received).toEqual([])
    await ann.visit((session) => session.update('n', (n) => n + 1))
    expect(ann.received).toHaveLength(1)
    await ann.visit((session) => session.clear())
    expect(await ann.contents()).toEqual({})
  })

  it('is cached by nobody when it is set', async () => {
    const site = new CookieSite()
    const visit = site.sessions.open({ cookie: undefined, secure: false })
    const session = await visit.session()
    session.set('n', 1)
    await visit.commit()
    expect(visit.outcome).toEqual({ read: true, setCookies: [expect.stringMatching(/^sid=1/)] })
  })

  it('has the attributes of any session cookie', async () => {
    const site = new CookieSite({ cookie: { sameSite: 'strict' } })
    const ann = site.browser(site.sessions, { secure: true })
    await ann.visit((session) => session.set('n', 1))
    expect(ann.received[0]).toMatch(
      /^__Host-Http-sid=[\w-]+; Max-Age=2592000; Path=\/; HttpOnly; SameSite=Strict; Secure$/,
    )
    await ann.visit((session) => session.setTimeouts({ persistent: false }))
    expect(ann.received[0]).not.toContain('Max-Age')
  })

  it('is allowed in production', () => {
    vi.stubEnv('NODE_ENV', 'production')
    expect(() => createSessions({ store: cookieStore({ keys: [newKey()] }) })).not.toThrow()
  })

  it('tells observers what happens to it', async () => {
    const site = new CookieSite()
    const ann = site.browser()
    await ann.visit((session) => session.set('n', 1))
    await ann.visit((session) => session.set('n', 2))
    await ann.visit((session) => session.login('ann'))
    site.now += 2 * HOUR
    await ann.contents()
    await ann.visit((session) => session.destroy())
    expect(site.heard()).toEqual(['created', 'rotated', 'renewed', 'ended'])
  })

  it('fits the schema, as a stored one does', async () => {
    const { z } = await import('zod')
    const site = new CookieSite()
    const ann = site.browser()
    await ann.visit((session) => session.set('n', 'many').set('theme', 'dark'))
    const schema = z.object({ n: z.number(), theme: z.string() })
    const dropping = site.process({ schema })
    expect(await ann.copy(dropping).contents()).toEqual({ theme: 'dark' })
    await expect(ann.copy(site.process({ schema, onInvalid: 'error' })).contents()).rejects.toMatchObject({
      code: 'ERR_SESSION_INVALID',
    })
  })
})

describe('time', () => {
  it('ends it for lack of use, to the millisecond', async () => {
    const site = new CookieSite({ idleTimeout: '30m' })
    const ann = site.browser()
    await ann.visit((session) => session.set('n', 1))
    site.now += 30 * 60_000 - 1
    expect(await ann.copy().contents()).toEqual({ n: 1 })
    site.now += 1
    expect(await ann.copy().contents()).toEqual({})
  })

  it('ends it absolutely, however often it is used', async () => {
    const site = new CookieSite({ idleTimeout: '2d', absoluteTimeout: '5d' })
    const ann = site.browser()
    await ann.visit((session) => session.set('n', 1))
    for (let day = 1; day < 5; day++) {
      site.now += DAY
      expect(await ann.contents()).toEqual({ n: 1 })
    }
    site.now += DAY - 1
    expect(await ann.contents()).toEqual({ n: 1 })
    site.now += 1
    expect(await ann.contents()).toEqual({})
  })

  it('extends it once in a tenth of the idle timeout', async () => {
    const site = new CookieSite({ idleTimeout: '100m' })
    const ann = site.browser()
    await ann.visit((session) => session.set('n', 1))
    const first = ann.header
    site.now += 10 * 60_000 - 1
    await ann.contents()
    expect(ann.header).toBe(first)
    site.now += 1
    await ann.contents()
    expect(ann.header).not.toBe(first)
    site.now += 95 * 60_000
    expect(await ann.contents()).toEqual({ n: 1 })
  })

  it('does not extend it after the headers have left, and loses nothing by that', async () => {
    const site = new CookieSite({ idleTimeout: '100m' })
    const ann = site.browser()
    await ann.visit((session) => session.set('n', 1))
    site.now += HOUR
    const late = await ann.begin()
    late.headersSent()
    expect(await late.finish()).toEqual([])
    expect(await ann.contents()).toEqual({ n: 1 })
  })

  it('ends it by the shorter timeouts of today', async () => {
    const site = new CookieSite({ idleTimeout: '14d' })
    const ann = site.browser()
    await ann.visit((session) => session.set('n', 1))
    site.now += 2 * HOUR
    expect(await ann.copy(site.process({ idleTimeout: '1h' })).contents()).toEqual({})
  })

  it('ends it after 400 days without use, whatever its own timeouts say', async () => {
    const site = new CookieSite()
    const ann = site.browser()
    await ann.visit((session) => {
      session.set('n', 1)
      session.setTimeouts({ idle: '5000d', absolute: '5000d' })
    })
    site.now += 400 * DAY - 1
    expect(await ann.copy().contents()).toEqual({ n: 1 })
    site.now += 1
    expect(await ann.copy().contents()).toEqual({})
  })

  it('is measured by clocks that disagree: one that is behind takes a session from the future', async () => {
    const site = new CookieSite()
    const ann = site.browser()
    await ann.visit((session) => session.set('n', 1))
    site.now -= 300_000
    expect(await ann.contents()).toEqual({ n: 1 })
    await ann.visit((session) => session.set('n', 2))
    expect(await ann.contents()).toEqual({ n: 2 })
  })
})

describe('after the headers have left', () => {
  it('refuses each change, since nothing could carry it', async () => {
    const ann = new CookieSite().browser()
    await ann.visit((session) => session.set('n', 1))
    const { session, headersSent, finish } = await ann.begin()
    headersSent()
    const changes = [
      () => session.set('n', 2),
      () => session.update('n', (n) => n + 1),
      () => session.delete('n'),
      () => session.clear(),
      () => session.flash('a', 1),
      () => session.login('ann'),
      () => session.regenerateId(),
      () => session.setTimeouts({ idle: '1h' }),
      () => session.destroy(),
    ]
    for (const change of changes)
      expect(change).toThrow(expect.objectContaining({ code: 'ERR_SESSION_HEADERS_SENT' }))
    await session.save()
    expect(await finish()).toEqual([])
    expect(await ann.contents()).toEqual({ n: 1 })
  })

  it('says so of a change inside an object, which it hears of last', async () => {
    const site = new CookieSite()
    const ann = site.browser()
    await ann.visit((session) => session.set('list', [1]))
    for (const save of ['save', 'finish'] as const) {
      const { session, headersSent, finish } = await ann.begin()
      const list = session.get('list')
      headersSent()
      list.push(2)
      const saved = save === 'save' ? session.save() : finish()
      await expect(saved).rejects.toMatchObject({ code: 'ERR_SESSION_HEADERS_SENT' })
      expect(site.heard()).toContain('discarded')
      expect(await finish()).toEqual([])
    }
    expect(await ann.contents()).toEqual({ list: [1] })
  })

  it('sends what save() has sealed before', async () => {
    const ann = new CookieSite().browser()
    const { session, headersSent, finish } = await ann.begin()
    session.set('n', 1)
    await session.save()
    headersSent()
    ann.receive(await finish())
    expect(await ann.contents()).toEqual({ n: 1 })
  })

  it('keeps the last of several saves', async () => {
    const ann = new CookieSite().browser()
    await ann.visit(async (session) => {
      session.set('n', 1)
      await session.save()
      session.set('n', 2)
      await session.save()
      session.set('m', 3)
    })
    expect(ann.received).toHaveLength(1)
    expect(await ann.contents()).toEqual({ n: 2, m: 3 })
  })
})

describe('destroy()', () => {
  it('removes the cookie; what is set afterwards starts a new session', async () => {
    const ann = new CookieSite().browser()
    await ann.visit((session) => session.set('n', 1))
    const before = await ann.visit((session) => session.handle)
    await ann.visit((session) => {
      session.destroy()
      session.flash('bye', 1)
    })
    expect(await ann.visit((session) => session.handle)).not.toBe(before)
    expect(await ann.contents()).toEqual({})
    await ann.visit((session) => session.destroy())
    expect(ann.cookies.size).toBe(0)
  })

  it('leaves copies of the cookie open until they expire, which the page says first', async () => {
    const ann = new CookieSite().browser()
    await ann.visit((session) => session.set('n', 1))
    const thief = ann.copy()
    await ann.visit((session) => session.destroy())
    expect(await thief.contents()).toEqual({ n: 1 })
  })
})

describe('of parallel responses', () => {
  it('the browser keeps the last, which the page says first', async () => {
    const ann = new CookieSite().browser()
    await ann.visit((session) => session.set('n', 1))
    const [one, two] = [await ann.begin(), await ann.begin()]
    one.session.set('one', 1)
    two.session.set('two', 2)
    ann.receive(await two.finish())
    ann.receive(await one.finish())
    expect(await ann.contents()).toEqual({ n: 1, one: 1 })
  })
})

describe('resume()', () => {
  it('opens a session by the value of its cookie, to read', async () => {
    const site = new CookieSite()
    for (const secure of [true, false]) {
      const ann = site.browser(site.sessions, { secure })
      await ann.visit((session) => session.set('n', 1))
      const session = await site.sessions.resume([...ann.cookies.values()].join(''))
      expect(session?.get('n')).toBe(1)
      expect(() => session?.set('n', 2)).toThrow(
        expect.objectContaining({ code: 'ERR_SESSION_HEADERS_SENT' }),
      )
    }
  })

  it('opens one in several cookies by their values in a row', async () => {
    const site = new CookieSite()
    const ann = site.browser()
    await ann.visit((session) => session.set('long', 'x'.repeat(4000)))
    expect(ann.cookies.size).toBe(2)
    const session = await site.sessions.resume([...ann.cookies.values()].join(''))
    expect(session?.get('long')).toHaveLength(4000)
  })

  it('answers nothing to what opens nothing', async () => {
    const { sessions } = new CookieSite()
    for (const id of ['', '1', 'x', '9abc', '2', `1${'a'.repeat(10_000)}`, '1ab.cd', '\0']) {
      expect(await sessions.resume(id), id).toBeUndefined()
    }
  })
})

describe('what needs a list', () => {
  it('is refused, and says so beforehand', async () => {
    const { sessions } = new CookieSite()
    expect(sessions.supports).toEqual({ ofUser: false, revoke: false, revokeUser: false })
    await expect(sessions.ofUser('ann')).rejects.toThrow(TypeError)
    await expect(sessions.revoke('A'.repeat(22))).rejects.toThrow('"revocation"')
    await expect(sessions.revokeUser('ann')).rejects.toThrow('"revocation"')
    expect(await sessions.purge()).toBe(0)
    await sessions.close()
  })
})

describe('cookieStore', () => {
  it('refuses "sealed", which is about stores on a server', () => {
    expect(() => createSessions({ store: cookieStore({ keys: [newKey()] }), sealed: true })).toThrow(
      /"sealed".*cookieStore/,
    )
  })

  it.each([
    ['no options', undefined],
    ['no keys', {}],
    ['an empty list', { keys: [] }],
    ['one text', { keys: newKey() }],
    ['an option that is none', { keys: [newKey()], key: 'x' }],
    ['a revocation that is no store', { keys: [newKey()], revocation: {} }],
    ['a revocation that is nothing', { keys: [newKey()], revocation: null }],
  ])('refuses %s', (_, options) => {
    expect(() => cookieStore(options as never)).toThrow(TypeError)
  })

  const doubled = newKey()
  const base64url = (bytes: number[]) => Buffer.from(bytes).toString('base64url')
  it.each<[string, unknown[]]>([
    ['an empty key', ['']],
    ['no text', [undefined]],
    ['a password', ['correct horse battery staple']],
    ['a password of the right length', ['correcthorsebatterystaplecorrecthorsebattes']],
    ['a password of capitals', ['CORRECTHORSEBATTERYSTAPLECORRECTHORSEBATTEE']],
    ['a password as bytes', [Buffer.from('keyboard cat keyboard cat, 12345').toString('base64url')]],
    ['a key that is too short', [base64url([...crypto.getRandomValues(new Uint8Array(31))])]],
    ['a key that is too long', [base64url([...crypto.getRandomValues(new Uint8Array(33))])]],
    ['a hexadecimal key', [Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString('hex')]],
    ['zeros', [base64url(Array(32).fill(0))]],
    ['one letter', ['A'.repeat(43)]],
    ['a short pattern', [base64url(Array.from({ length: 32 }, (_, i) => (i * 37 + 200) % 16))]],
    ['a sequence', [base64url(Array.from({ length: 32 }, (_, i) => i + 128))]],
    ['another sequence', [base64url(Array.from({ length: 32 }, (_, i) => (255 - 7 * i) & 255))]],
    [
      'sixteen bytes twice',
      [base64url([...Array(2)].flatMap(() => Array.from({ length: 16 }, (_, i) => (i * i * 91 + 13) & 255)))],
    ],
    ['spaces around it', [` ${newKey()}`.slice(0, 43)]],
    ['a key that is there twice', [doubled, newKey(), doubled]],
    ['a weak key behind a good one', [newKey(), 'A'.repeat(43)]],
  ])('refuses %s and does not show it', (_, keys) => {
    let message = ''
    try {
      cookieStore({ keys: keys as string[] })
    } catch (error) {
      expect(error).toBeInstanceOf(TypeError)
      message = String(error)
    }
    expect(message).toMatch(/"keys\[\d\]"/)
    for (const key of keys) if (key) expect(message).not.toContain(key)
  })

  it('takes 10,000 keys of "sojourn secret"', () => {
    for (let i = 0; i < 100; i++) cookieStore({ keys: Array.from({ length: 100 }, newKey) })
  })
})

describe('a session that is too large', () => {
  it('is an error at the commit that names the biggest values and shows none', async () => {
    const ann = new CookieSite().browser()
    await ann.visit((session) => session.set('n', 1))
    const before = ann.header
    const error = await ann
      .visit((session) => {
        session.set('small', 1)
        session.set('cart', ['secret-book'.repeat(400)])
        session.set('history', 'seen'.repeat(700))
        session.set('notes', 'y'.repeat(600))
        session.flash('notice', 'z'.repeat(1000))
      })
      .catch((caught) => caught)
    expect(error).toBeInstanceOf(SessionError)
    expect(error.code).toBe('ERR_SESSION_TOO_LARGE')
    expect(error.message).toMatch(
      /"cart" \(4404 bytes\), "history" \(2802 bytes\), the flash "notice" \(1002 bytes\)$/,
    )
    expect(error.message).not.toMatch(/secret-book|seenseen|zzz|small/)
    expect(ann.header).toBe(before)
    expect(await ann.contents()).toEqual({ n: 1 })
  })
})
