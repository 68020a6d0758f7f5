import { describe, expect, it } from 'vitest'
import type { SessionTimeouts } from '../../src/index.ts'
import { contents, eventsOf, Site, signedIn, upTo, visitor } from './site.ts'

const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

/** The cookie's `Max-Age` in the last answer that set it. */
function maxAge(received: readonly string[]): string | undefined {
  return /Max-Age=([^;]*)/.exec(received.at(-1) ?? '')?.[1]
}

describe('the idle timeout', () => {
  it('ends a session after two weeks without use by default, to the millisecond', async () => {
    const site = new Site()
    const [one, two] = [await visitor(site.process()), await visitor(site.process())]
    site.now += 14 * DAY - 1
    expect(await contents(one)).toEqual({ began: true })
    site.now += 1
    expect(await contents(two)).toEqual({})
    expect(await site.process().resume(two.id)).toBeUndefined()
  })

  it.each([
    ['1h', HOUR],
    ['90s', 90 * SECOND],
    ['500ms', 500],
  ] as const)('of %s is kept exactly', async (idleTimeout, ms) => {
    const site = new Site({ idleTimeout })
    const browser = await visitor(site.process())
    site.now += ms - 1
    expect(await contents(browser)).toEqual({ began: true })
    site.now += ms
    expect(await contents(browser)).toEqual({})
  })

  it('that is shorter after a deploy ends the sessions that were not used for so long', async () => {
    const site = new Site()
    const [idle, active] = [await visitor(site.process()), await visitor(site.process())]
    site.now += 2 * HOUR
    await contents(active)
    site.now += HOUR
    const deployed = site.process({ idleTimeout: '3h' })
    expect(await contents(idle.at(deployed))).toEqual({})
    expect(await contents(active.at(deployed))).toEqual({ began: true })
  })

  it('counts from the last use, whether that wrote or only read', async () => {
    const site = new Site({ idleTimeout: '1h', absoluteTimeout: '300d' })
    const browser = await visitor(site.process())
    for (const i of upTo(50)) {
      site.now += HOUR - 1
      await browser.visit((session) => (i % 2 === 0 ? session.get('began') : session.set('i', i)))
    }
    expect(await contents(browser)).toEqual({ began: true, i: 49 })
  })

  it('is enforced although the store still has the entry', async () => {
    const site = new Site({ idleTimeout: '1h' })
    const browser = await visitor(site.process())
    const [[key = '', entry] = []] = site.store.entries
    site.now += HOUR
    // A store that is late in removing what has expired.
    site.store.read = async (asked) => (asked === key ? entry : undefined)
    expect(await contents(browser)).toEqual({})
  })
})

describe('the absolute timeout', () => {
  it('ends a session after 30 days by default, however much it is used, to the millisecond', async () => {
    const site = new Site()
    const browser = await visitor(site.process())
    const end = site.now + 30 * DAY
    while (site.now + DAY < end) {
      site.now += DAY
      expect(await contents(browser)).toEqual({ began: true })
    }
    site.now = end - 1
    expect(await contents(browser)).toEqual({ began: true })
    site.now = end
    expect(await contents(browser)).toEqual({})
  })

  it('counts from the sign-in', async () => {
    const site = new Site({ idleTimeout: '30d' })
    const browser = await visitor(site.process())
    site.now += 29 * DAY
    await browser.visit((session) => session.login('ada'))
    expect(maxAge(browser.received)).toBe(String(30 * 86_400))
    site.now += 30 * DAY - 1
    expect(await browser.visit((session) => session.userId)).toBe('ada')
    site.now += 1
    expect(await browser.visit((session) => session.userId)).toBeUndefined()
  })

  it('does not count anew from a plain change of the id', async () => {
    const site = new Site({ idleTimeout: '30d' })
    const browser = await signedIn(site.process(), 'ada')
    site.now += 20 * DAY
    await browser.visit((session) => session.regenerateId())
    expect(maxAge(browser.received)).toBe(String(10 * 86_400))
    site.now += 10 * DAY
    expect(await browser.visit((session) => session.userId)).toBeUndefined()
  })

  it('that is shorter after a deploy ends the sessions there are', async () => {
    const site = new Site({ idleTimeout: '30d' })
    const browser = await visitor(site.process())
    site.now += 2 * DAY - 1
    const deployed = site.process({ absoluteTimeout: '2d' })
    expect(await contents(browser.at(deployed))).toEqual({ began: true })
    site.now += 1
    expect(await contents(browser.at(deployed))).toEqual({})
    expect(await deployed.resume(browser.id)).toBeUndefined()
  })
})

describe('timeouts of one session', () => {
  const own: [string, SessionTimeouts, number][] = [
    ['a shorter idle timeout', { idle: '10m' }, 10 * MINUTE],
    ['a longer idle timeout', { idle: '20d' }, 20 * DAY],
    ['a shorter absolute timeout', { absolute: '1d' }, DAY],
    ['both', { idle: '60d', absolute: '50d' }, 50 * DAY],
  ]
  it.each(own)('%s holds for it alone', async (_, timeouts, ms) => {
    const site = new Site()
    const sessions = site.process()
    const [one, other] = [await visitor(sessions), await visitor(sessions)]
    const until = await one.visit((session) => {
      session.setTimeouts(timeouts)
      return session.expiresAt
    })
    expect(until).toBe(site.now + ms)
    expect(await one.visit((session) => session.expiresAt)).toBe(until)
    expect(await other.visit((session) => session.expiresAt)).toBe(site.now + 14 * DAY)
    site.now = until - 1
    expect(await sessions.resume(one.id)).toBeDefined()
    site.now = until
    expect(await sessions.resume(one.id)).toBeUndefined()
  })

  it('ends with the browser when asked to, and the server still ends it', async () => {
    const site = new Site()
    const browser = await visitor(site.process())
    await browser.visit((session) => session.setTimeouts({ persistent: false }))
    expect(browser.received).toHaveLength(2)
    expect(maxAge(browser.received)).toBeUndefined()
    site.now += 14 * DAY
    expect(await contents(browser)).toEqual({})
  })

  it('that refuse a wrong value leave the session as it was', async () => {
    const site = new Site()
    const browser = await visitor(site.process())
    await browser.visit((session) => {
      for (const wrong of [
        { idle: 30 },
        { idle: '' },
        { absolute: '0s' },
        { persistent: 'yes' },
        { idel: '1h' },
      ]) {
        expect(() => session.setTimeouts(wrong as SessionTimeouts)).toThrow(TypeError)
      }
      expect(session.expiresAt).toBe(site.now + 14 * DAY)
    })
    expect(site.store.calls.update).toBe(0)
  })
})

describe('extending', () => {
  it.each([
    ['1h', 6 * MINUTE],
    ['10h', HOUR],
    ['14d', HOUR],
  ] as const)(
    'an idle timeout of %s costs an active visitor a write each interval at most',
    async (idleTimeout, interval) => {
      const site = new Site({ idleTimeout, absoluteTimeout: '30d' })
      const browser = await visitor(site.process())
      const began = site.now
      let last = site.now
      let gaps = 0
      while (site.now + interval / 4 < began + 30 * DAY) {
        site.now += interval / 4
        const before = site.store.writes
        expect(await contents(browser)).toEqual({ began: true })
        if (site.store.writes === before) continue
        expect(site.store.writes).toBe(before + 1)
        // The last one, to reach the absolute end itself, may come early.
        if (site.now - last < interval) gaps++
        last = site.now
      }
      expect(gaps).toBeLessThanOrEqual(1)
      expect(site.store.writes).toBeGreaterThan(5)
    },
    60_000,
  )

  it('costs one write however many requests read at once', async () => {
    const site = new Site({ idleTimeout: '1h' })
    const sessions = site.process()
    const browser = await visitor(sessions)
    site.now += 30 * MINUTE
    const before = site.store.writes
    await Promise.all(upTo(100).map(() => contents(browser.at(sessions))))
    expect(site.store.writes - before).toBe(1)
    expect(await browser.visit((session) => session.expiresAt)).toBe(site.now + HOUR)
  })

  it('that comes second to a change of another process is dropped', async () => {
    const site = new Site({ idleTimeout: '1h' })
    const browser = await visitor(site.process())
    site.now += 30 * MINUTE
    const [reader, writer] = [browser.at(site.process()), browser.at(site.process())]
    const reading = await reader.begin()
    await writer.visit((session) => session.set('theirs', true))
    const before = site.dump()
    expect(await reading.finish()).toEqual([])
    expect(site.dump()).toBe(before)
    expect(await contents(browser)).toEqual({ began: true, theirs: true })
  })

  it('that comes after the end revives nothing, and nobody is told of lost changes', async () => {
    const site = new Site({ idleTimeout: '1h' })
    const sessions = site.process()
    const browser = await visitor(sessions)
    const events = eventsOf(sessions)
    site.now += 30 * MINUTE
    const reading = await browser.at(sessions).begin()
    await browser.visit((session) => session.destroy())
    expect(await reading.finish()).toEqual([])
    expect(site.store.entries.size).toBe(0)
    expect(events.map(([name]) => name)).toEqual(['ended'])
  })

  it.each(['fails', 'comes second'])('that %s is not tried again by the same request', async (outcome) => {
    const site = new Site()
    const sessions = site.process()
    const browser = await visitor(sessions)
    site.now += HOUR
    const visit = sessions.open({ cookie: browser.cookie, secure: false })
    const session = await visit.session()
    if (outcome === 'comes second') await browser.at(site.process()).visit((other) => other.get('began'))
    else site.store.delay = () => Promise.reject(new Error('the store is down'))
    expect(visit.dirty).toBe(true)
    await visit.commit()
    // An adapter commits for as long as there is something to commit.
    expect(visit.dirty).toBe(false)
    site.store.delay = () => Promise.resolve()
    session.set('later', true)
    await visit.commit()
    expect(await contents(browser)).toEqual({ began: true, later: true })
  })

  it('is told as "renewed", once', async () => {
    const site = new Site({ idleTimeout: '1h' })
    const sessions = site.process()
    const browser = await visitor(sessions)
    const events = eventsOf(sessions)
    site.now += 30 * MINUTE
    await contents(browser)
    await contents(browser)
    expect(events).toEqual([['renewed', { handle: browser.id.split('.')[0] }]])
  })
})
