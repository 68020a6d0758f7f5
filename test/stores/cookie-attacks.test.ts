import { describe, expect, it, vi } from 'vitest'
import { toBase64Url } from '../../src/base64url.ts'
import { NativeAesSiv } from '../../src/native-aes-siv.ts'
import { sealingKeys } from '../../src/stores/cookie-keys.ts'
import { CookieSealer } from '../../src/stores/cookie-sealer.ts'
import { CookieSite, newKey } from './cookie-site.ts'

async function visitor(site: CookieSite, sessions = site.sessions) {
  const browser = site.browser(sessions)
  await browser.visit((session) => session.set('mine', true))
  return browser
}

describe('a cookie that the server did not seal', () => {
  it('opens nothing, whatever single letter of it was changed, and is told nothing', async () => {
    const site = new CookieSite()
    const ann = await visitor(site)
    const value = ann.cookies.get('sid') ?? ''
    site.heard()
    for (let i = 0; i < value.length; i++) {
      const letter = value[i] === 'A' ? 'B' : 'A'
      const thief = ann.copy()
      thief.cookies.set('sid', value.slice(0, i) + letter + value.slice(i + 1))
      // The last letter may have bits to spare, which count for nothing.
      if (i < value.length - 1) expect(await thief.contents(), `letter ${i}`).toEqual({})
      expect(thief.received).toEqual([])
    }
    expect(site.heard()).toEqual([])
  })

  it('opens nothing when it is cut, longer, doubled, quoted wrongly or junk', async () => {
    const site = new CookieSite()
    const ann = await visitor(site)
    const value = ann.cookies.get('sid') ?? ''
    const junk = [
      '',
      '1',
      '11',
      '1....',
      '2',
      '1%00',
      '1{"v":1}',
      'x'.repeat(4000),
      '1'.repeat(4000),
      '1AAAA',
      '\u{1F36A}',
    ]
    for (const forged of [
      ...junk,
      value.slice(1),
      value.slice(0, -1),
      `${value}A`,
      value + value,
      ` ${value}`.repeat(2),
      `"${value}`,
    ]) {
      const { session, finish } = await ann.begin(`sid=${forged}`)
      expect(session.size, forged.slice(0, 20)).toBe(0)
      expect(session.isNew).toBe(true)
      expect(await finish()).toEqual([])
    }
  })

  it('opens nothing when another key of the same id sealed it', () => {
    const [key] = sealingKeys([newKey()])
    const [other] = sealingKeys([newKey()])
    if (!key || !other) throw new Error('There is no key')
    const alike = { ...other, id: key.id }
    const text = new CookieSealer([alike]).seal(new Uint8Array([1, 2, 3]), 'sid')
    expect(new CookieSealer([key]).open(text, 'sid')).toBeUndefined()
    // Keys whose ids happen to be alike are both tried.
    expect(new CookieSealer([key, alike]).open(text, 'sid')).toEqual(new Uint8Array([1, 2, 3]))
  })
})

describe('a cookie from elsewhere', () => {
  it('opens nothing under another name, though the keys are the same', async () => {
    const site = new CookieSite()
    const user = site.process({ cookie: { name: 'user' } })
    const admin = site.process({ cookie: { name: 'admin' } })
    const ann = await visitor(site, user)
    const thief = ann.copy(admin)
    thief.cookies = new Map([['admin', ann.cookies.get('user') ?? '']])
    expect(await thief.contents()).toEqual({})
    // Side by side in one browser, each has its own.
    const both = ann.copy(admin)
    await both.visit((session) => session.set('power', 1))
    expect(await both.contents()).toEqual({ power: 1 })
    expect(await both.copy(user).contents()).toEqual({ mine: true })
  })

  it('that came over plain http opens nothing under the name that only https can set', async () => {
    const site = new CookieSite()
    const ann = await visitor(site)
    const secure = site.browser(site.sessions, { secure: true })
    secure.cookies = new Map([['__Host-Http-sid', ann.cookies.get('sid') ?? '']])
    expect(await secure.contents()).toEqual({})
  })

  it('opens nothing with other keys', async () => {
    const site = new CookieSite()
    const ann = await visitor(site)
    expect(await ann.copy(site.process({}, [newKey()])).contents()).toEqual({})
  })

  it('cannot be made of what the same key seals for another purpose', async () => {
    const key = newKey()
    const site = new CookieSite({ keys: [key] })
    const { seal } = await import('../../src/seal.ts')
    const { fromBase64Url } = await import('../../src/base64url.ts')
    const [{ id = '' } = {}] = sealingKeys([key])
    const ann = site.browser()
    const sealed = seal('{"d":{"mine":true}}', fromBase64Url(key), 'session cookie sid')
    ann.cookies.set('sid', `1${id}${sealed}`)
    expect(await ann.contents()).toEqual({})
  })
})

describe('many and long cookies', () => {
  it('cost little: at most six are decrypted, and none that is too long', async () => {
    const site = new CookieSite()
    const ann = await visitor(site)
    const open = vi.spyOn(CookieSealer.prototype, 'open')
    const [{ id = '' } = {}] = sealingKeys(site.keys)
    const fake = (i: number): string =>
      `sid=1${id}${toBase64Url(crypto.getRandomValues(new Uint8Array(40 + i)))}`
    await ann.begin(Array.from({ length: 200 }, (_, i) => fake(i)).join('; '))
    expect(open).toHaveBeenCalledTimes(6)
    open.mockClear()
    await ann.begin(`sid=1${id}${'A'.repeat(5000)}; sid=1${id}${'A'.repeat(1_000_000)}; ${ann.header}`)
    expect(open).toHaveBeenCalledTimes(1)
    open.mockClear()
    // Chunks times chunks are no more than that either.
    const chunks = [...Array(20)].flatMap((_, i) => [
      `sid=2${id}${'B'.repeat(40 + i)}`,
      `sid.1=${'C'.repeat(40 + i)}`,
    ])
    await ann.begin(chunks.join('; '))
    expect(open).toHaveBeenCalledTimes(6)
  })

  it('are not decrypted at all when no key has that id', async () => {
    const site = new CookieSite()
    const ann = await visitor(site)
    const opened = vi.spyOn(NativeAesSiv.prototype, 'open')
    await ann.begin(`sid=1____${'A'.repeat(4000)}`)
    expect(opened).not.toHaveBeenCalled()
    await ann.begin()
    expect(opened).toHaveBeenCalled()
  })
})

describe('what comes out of a cookie', () => {
  it('changes no prototype', async () => {
    const ann = new CookieSite().browser()
    await ann.visit((session) => {
      session.set('__proto__', { polluted: 1 })
      session.set('constructor', { prototype: { polluted: 1 } })
    })
    const contents = await ann.visit((session) => [...session])
    expect(contents.map(([key]) => key)).toEqual(['__proto__', 'constructor'])
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
    await expect(
      ann.visit((session) => session.set('a', JSON.parse('{"__proto__":{"polluted":1}}'))),
    ).rejects.toMatchObject({
      code: 'ERR_SESSION_NOT_SERIALIZABLE',
    })
  })

  it('of another version begins anew, and observers hear of it without its contents', async () => {
    const site = new CookieSite()
    const sealer = new CookieSealer(sealingKeys(site.keys))
    const encoder = new TextEncoder()
    for (const bytes of [
      [],
      [2, 0, 1],
      [1, 0],
      [1, 127, ...Array(40).fill(255)],
      [...encoder.encode('{"secret":1}')],
    ]) {
      const ann = site.browser()
      ann.cookies.set('sid', `1${sealer.seal(new Uint8Array(bytes), 'sid')}`)
      expect(await ann.contents()).toEqual({})
      const [[name, event] = []] = site.events.splice(0)
      expect(name).toBe('storeError')
      expect(String((event as { error: Error }).error.cause)).not.toContain('secret')
    }
  })
})

describe('the keys', () => {
  it('can be changed: a new one in front, the old one for as long as cookies live', async () => {
    const [old, young] = [newKey(), newKey()]
    const site = new CookieSite({ keys: [old] })
    const before = site.sessions
    const during = site.process({}, [young, old])
    const after = site.process({}, [young])
    const keyOf = (header: string | undefined) => header?.slice(5, 9)

    const ann = await visitor(site, before)
    const oldId = keyOf(ann.header)
    expect(await ann.copy(after).contents()).toEqual({})
    // Reading alone changes nothing; a write and an extension use the new key.
    const reader = ann.copy(during)
    expect(await reader.contents()).toEqual({ mine: true })
    expect(keyOf(reader.header)).toBe(oldId)
    const writer = ann.copy(during)
    await writer.visit((session) => session.set('more', 1))
    expect(keyOf(writer.header)).not.toBe(oldId)
    expect(await writer.copy(after).contents()).toEqual({ mine: true, more: 1 })
    site.now += 3_600_000
    expect(await reader.contents()).toEqual({ mine: true })
    expect(await reader.copy(after).contents()).toEqual({ mine: true })
    expect(await reader.copy(before).contents()).toEqual({})
  })

  it('stand in front of what they seal by a name that tells nothing of them', () => {
    const keys = Array.from({ length: 1000 }, newKey)
    const ids = sealingKeys(keys).map(({ id }) => id)
    for (const [i, id] of ids.entries()) {
      expect(id).toMatch(/^[\w-]{4}$/)
      expect(keys[i]).not.toContain(id)
    }
    expect(new Set(ids).size).toBeGreaterThan(990)
  })
})
