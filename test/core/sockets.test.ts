import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import type { Sessions, SocketVisit, UpgradeOptions } from '../../src/index.ts'
import { cookieStore } from '../../src/stores/cookie.ts'
import { memoryStore } from '../../src/stores/memory.ts'
import { Browser } from './browser.ts'
import { contents, type Data, eventsOf, Site, signedIn, upTo, visitor } from './site.ts'

const INTERVAL = 30_000
const DAY = 86_400_000

/** The socket that the browser opens, with the cookie it has now. */
async function open(
  sessions: Sessions<Data>,
  browser: Browser<Data>,
  options?: UpgradeOptions,
): Promise<SocketVisit<Data> | undefined> {
  const visit = await sessions.ofUpgrade({ headers: { host: 'site.test', cookie: browser.cookie } }, options)
  if (visit) onTestFinished(() => visit.close())
  return visit
}

/** The same, of a browser that has a session. */
async function opened(...args: Parameters<typeof open>): Promise<SocketVisit<Data>> {
  const visit = await open(...args)
  if (!visit) throw new Error('The cookie opened no session')
  return visit
}

/** Whether the visit has ended, by what it has heard so far. */
async function hasEnded(visit: SocketVisit<Data>): Promise<boolean> {
  let ended = false
  void visit.ended.then(() => {
    ended = true
  })
  await vi.advanceTimersByTimeAsync(0)
  return ended
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
})

afterEach(() => {
  vi.useRealTimers()
})

describe('the session of a socket', () => {
  it('is that of the visitor who opened it, as it is at each message', async () => {
    const site = new Site()
    const [here, there] = site.processes(2) as [Sessions<Data>, Sessions<Data>]
    const browser = await signedIn(here, 'ada', { room: 1 })
    const visit = await opened(here, browser)
    expect(visit.userId).toBe('ada')
    expect((await visit.session())?.get('room')).toBe(1)
    await browser.visit((session) => session.set('room', 2))
    expect((await visit.session())?.get('room')).toBe(2)
    await browser.at(there).visit((session) => session.set('room', 3))
    const session = await visit.session()
    expect([session?.get('room'), session?.handle]).toEqual([3, visit.handle])
  })

  it('keeps what a message saves, and nothing else', async () => {
    const sessions = new Site().process()
    const browser = await visitor(sessions)
    const visit = await opened(sessions, browser)
    const first = await visit.session()
    first?.set('half', true)
    const second = await visit.session()
    second?.set('whole', true)
    await second?.save()
    expect(await contents(browser)).toEqual({ began: true, whole: true })
  })

  it('loses nothing of 100 messages and 100 requests at once', async () => {
    const site = new Site()
    const [here, there] = site.processes(2) as [Sessions<Data>, Sessions<Data>]
    const browser = await visitor(here)
    const visit = await opened(here, browser)
    const count = (n: unknown): number => Number(n ?? 0) + 1
    const messages = upTo(100).map(async () => {
      const session = await visit.session()
      session?.update('n', count)
      await session?.save()
    })
    const requests = upTo(100).map(() => browser.at(there).visit((session) => session.update('n', count)))
    const work = Promise.all([...messages, ...requests])
    await vi.advanceTimersByTimeAsync(10_000)
    await work
    expect(await contents(browser)).toMatchObject({ n: 200 })
  })

  it('opens sealed data', async () => {
    const sessions = new Site({ sealed: true }).process()
    const visit = await opened(sessions, await visitor(sessions, { secret: 'tea' }))
    expect((await visit.session())?.get('secret')).toBe('tea')
  })

  it('cannot get a new id, since no answer could tell it', async () => {
    const sessions = new Site().process()
    const visit = await opened(sessions, await visitor(sessions))
    const session = await visit.session()
    for (const change of [() => session?.login('ada'), () => session?.regenerateId()]) {
      expect(change).toThrow(expect.objectContaining({ code: 'ERR_SESSION_HEADERS_SENT' }))
    }
  })

  it('is not there for a visitor of whom nothing is stored, at no cost', async () => {
    const site = new Site()
    const sessions = site.process()
    expect(await open(sessions, new Browser(sessions))).toBeUndefined()
    expect(await open(sessions, new Browser(sessions, { cookie: 'sid=junk' }))).toBeUndefined()
    expect(site.store.calls.read).toBe(0)
    const browser = await visitor(sessions)
    const forged = new Browser(sessions, { cookie: `sid=${browser.id.split('.')[0]}.${'A'.repeat(32)}` })
    expect(await open(sessions, forged)).toBeUndefined()
  })

  it('lives as long as it is used: by what is saved, not by being open', async () => {
    const site = new Site({ idleTimeout: '14d' })
    const sessions = site.process()
    const browser = await visitor(sessions)
    const visit = await opened(sessions, browser)
    const end = (await visit.session())?.expiresAt
    site.now += 2 * DAY
    await vi.advanceTimersByTimeAsync(10 * INTERVAL)
    expect((await visit.session())?.expiresAt).toBe(end)
    await (await visit.session())?.save()
    expect((await visit.session())?.expiresAt).toBe(Number(end) + 2 * DAY)
    const { writes } = site.store
    await (await visit.session())?.save()
    expect(site.store.writes).toBe(writes)
  })
})

describe('the end of a session', () => {
  it.each<[how: string, end: (sessions: Sessions<Data>, browser: Browser<Data>) => Promise<unknown>]>([
    ['signed out', (_, browser) => browser.visit((session) => session.destroy())],
    ['revoked', (sessions, browser) => sessions.revoke(browser.id.split('.')[0] ?? '')],
    ['revoked with all of the user', (sessions) => sessions.revokeUser('ada')],
    ['given a new id', (_, browser) => browser.visit((session) => session.regenerateId())],
    ['signed in anew', (_, browser) => browser.visit((session) => session.login('ada'))],
    ['signed in by another user', (_, browser) => browser.visit((session) => session.login('grace'))],
  ])('is heard at once by every socket when it was %s in this process', async (_, end) => {
    const sessions = new Site({ store: memoryStore() }).process({ clock: Date.now })
    const browser = await signedIn(sessions, 'ada')
    const grace = await opened(sessions, await signedIn(sessions, 'grace'))
    const visits = [await opened(sessions, browser), await opened(sessions, browser)]
    expect(await Promise.all([...visits, grace].map(hasEnded))).toEqual([false, false, false])
    await end(sessions, browser)
    expect(await Promise.all([...visits, grace].map(hasEnded))).toEqual([true, true, false])
    for (const visit of visits) expect(await visit.session()).toBeUndefined()
  })

  it('costs no call of the store to hear of when it was revoked in this process', async () => {
    const site = new Site()
    const sessions = site.process()
    const visit = await opened(sessions, await visitor(sessions))
    await sessions.revoke(visit.handle)
    const { read } = site.store.calls
    await visit.ended
    await vi.advanceTimersByTimeAsync(10 * INTERVAL)
    expect(await visit.session()).toBeUndefined()
    expect(site.store.calls.read).toBe(read)
  })

  it('is seen by the next message when another process has ended it', async () => {
    const site = new Site()
    const [here, there] = site.processes(2) as [Sessions<Data>, Sessions<Data>]
    const visit = await opened(here, await visitor(here))
    await there.revoke(visit.handle)
    expect(await hasEnded(visit)).toBe(false)
    expect(await visit.session()).toBeUndefined()
    expect(await hasEnded(visit)).toBe(true)
  })

  it('is heard within the interval when another process has ended it', async () => {
    const site = new Site()
    const [here, there] = site.processes(2) as [Sessions<Data>, Sessions<Data>]
    const browsers = [await visitor(here), await visitor(here), await visitor(here)] as const
    const revoked = await opened(here, browsers[0])
    const renamed = await opened(here, browsers[1], { checkInterval: '5m' })
    const left = await opened(here, browsers[2])
    await there.revoke(revoked.handle)
    await browsers[1].at(there).visit((session) => session.regenerateId())
    await vi.advanceTimersByTimeAsync(INTERVAL)
    expect(await hasEnded(revoked)).toBe(true)
    await vi.advanceTimersByTimeAsync(10 * INTERVAL)
    expect(await hasEnded(renamed)).toBe(true)
    expect(await hasEnded(left)).toBe(false)
  })

  it('is heard when its time is over', async () => {
    const site = new Site({ idleTimeout: '1h' })
    const sessions = site.process()
    const visit = await opened(sessions, await visitor(sessions))
    site.now += 3_600_000
    await vi.advanceTimersByTimeAsync(INTERVAL)
    expect(await hasEnded(visit)).toBe(true)
  })

  it('is heard from a save that came too late', async () => {
    const site = new Site()
    const [here, there] = site.processes(2) as [Sessions<Data>, Sessions<Data>]
    const visit = await opened(here, await visitor(here))
    const session = await visit.session()
    session?.set('late', true)
    await there.revoke(visit.handle)
    await expect(session?.save()).rejects.toMatchObject({ code: 'ERR_SESSION_ENDED' })
    expect(await hasEnded(visit)).toBe(true)
  })

  it('comes from a message, too', async () => {
    const sessions = new Site().process()
    const browser = await visitor(sessions)
    const [visit, other] = [await opened(sessions, browser), await opened(sessions, browser)]
    const session = await visit.session()
    session?.destroy()
    await session?.save()
    expect([await hasEnded(visit), await hasEnded(other)]).toEqual([true, true])
    expect(await contents(browser)).toEqual({})
  })

  it.each(['revoke', 'regenerateId'] as const)(
    'is not missed when %s comes in the middle of the handshake',
    async (how) => {
      const site = new Site()
      const sessions = site.process()
      const browser = await visitor(sessions)
      const { cookie } = browser
      const underWay = await browser.begin()
      if (how === 'regenerateId') underWay.session.regenerateId()
      const { reached, release } = site.hold('read answers')
      const handshake = open(sessions, new Browser(sessions, { cookie }))
      await reached
      if (how === 'revoke') await sessions.revoke(underWay.session.handle)
      else await underWay.finish()
      release()
      expect(await handshake).toBeUndefined()
    },
  )

  it('is not missed when it comes in the middle of a message', async () => {
    const site = new Site()
    const sessions = site.process()
    const visit = await opened(sessions, await visitor(sessions))
    const { reached, release } = site.hold('read answers')
    const message = visit.session()
    await reached
    await sessions.revoke(visit.handle)
    release()
    expect(await message).toBeUndefined()
  })

  it('is not missed when a sign-in comes in the middle of a look at the store', async () => {
    const site = new Site()
    const sessions = site.process({ storeTimeout: '1h' })
    const browser = await visitor(sessions)
    const visit = await opened(sessions, browser)
    const { session, finish } = await browser.begin()
    session.login('ada')
    const { reached, release } = site.hold('read answers')
    await vi.advanceTimersByTimeAsync(INTERVAL)
    await reached
    await finish()
    release()
    expect(await hasEnded(visit)).toBe(true)
  })

  it('leaves a socket alone whose id is that of a twin sign-in', async () => {
    const sessions = new Site().process()
    const browser = await visitor(sessions)
    const twin = browser.at(sessions)
    const [first, second] = [await browser.begin(), await twin.begin()]
    first.session.login('ada')
    for (const header of await first.finish()) browser.receive(header)
    const visit = await opened(sessions, browser)
    second.session.login('ada')
    await second.finish()
    expect(await hasEnded(visit)).toBe(false)
    expect((await visit.session())?.userId).toBe('ada')
  })
})

describe('who planted an id and opened a socket with it', () => {
  it('is thrown out when the victim signs in, and gets nothing of theirs', async () => {
    const site = new Site()
    const [here, there] = site.processes(2) as [Sessions<Data>, Sessions<Data>]
    const attacker = await visitor(here)
    const visit = await opened(here, attacker)
    const before = await visit.session()
    const victim = new Browser(there, { cookie: attacker.cookie })
    await victim.visit((session) => {
      session.login('ada')
      session.set('address', '12 St James Square')
    })
    // What came before stays, as in a request that came before; it shows nothing of what came after.
    before?.set('note', 'mine')
    await before?.save()
    expect([before?.userId, before?.get('address')]).toEqual([undefined, undefined])
    expect(await visit.session()).toBeUndefined()
    expect(await hasEnded(visit)).toBe(true)
  })
})

describe('asking the store', () => {
  it('is one read per socket and interval, none where messages ask anyway, and stops with the socket', async () => {
    const site = new Site()
    const sessions = site.process()
    const visit = await opened(sessions, await visitor(sessions))
    const { calls } = site.store
    let before = calls.read
    await vi.advanceTimersByTimeAsync(10 * INTERVAL)
    expect(calls.read - before).toBe(10)
    before = calls.read
    for (const _ of upTo(20)) {
      await visit.session()
      await vi.advanceTimersByTimeAsync(INTERVAL / 2)
    }
    expect(calls.read - before).toBe(20)
    visit.close()
    before = calls.read
    await vi.advanceTimersByTimeAsync(10 * INTERVAL)
    expect(calls.read).toBe(before)
    expect(site.store.writes).toBe(1)
    // What is left to save, the user's last word for instance, can be.
    expect((await visit.session())?.get('began')).toBe(true)
    expect(vi.getTimerCount()).toBe(0)
  })

  it('is spread over the interval, so that sockets do not all ask at once', async () => {
    const site = new Site()
    const sessions = site.process()
    const browser = await visitor(sessions)
    for (const _ of upTo(100)) await opened(sessions, browser)
    const { calls } = site.store
    const before = calls.read
    await vi.advanceTimersByTimeAsync(INTERVAL / 2)
    expect(calls.read - before).toBeGreaterThan(10)
    expect(calls.read - before).toBeLessThan(90)
  })

  it('ends nothing while the store is down, and hears of the end when it is back', async () => {
    const site = new Site()
    const [here, there] = site.processes(2) as [Sessions<Data>, Sessions<Data>]
    const visit = await opened(here, await visitor(here))
    await there.revoke(visit.handle)
    const events = eventsOf(here)
    site.store.delay = () => Promise.reject(new Error('down'))
    await vi.advanceTimersByTimeAsync(2 * INTERVAL)
    expect(events.map(([name]) => name)).toEqual(['storeError', 'storeError'])
    await expect(visit.session()).rejects.toMatchObject({ code: 'ERR_SESSION_STORE' })
    expect(await hasEnded(visit)).toBe(false)
    site.store.delay = async () => undefined
    await vi.advanceTimersByTimeAsync(INTERVAL)
    expect(await hasEnded(visit)).toBe(true)
  })

  it('stops when the sessions are closed', async () => {
    const sessions: Sessions<Data> = new Site().process()
    const browser = await visitor(sessions)
    const visits = [await opened(sessions, browser), await opened(sessions, await visitor(sessions))]
    expect(vi.getTimerCount()).toBe(2)
    await sessions.close()
    expect(vi.getTimerCount()).toBe(0)
    expect(await Promise.all(visits.map(hasEnded))).toEqual([false, false])
  })
})

describe('a handshake while the store is down', () => {
  it('fails, or is one without a session, as configured', async () => {
    const site = new Site()
    const [strict, lenient] = [site.process(), site.process({ onStoreError: 'anonymous' })]
    const browser = await visitor(strict)
    site.store.delay = () => Promise.reject(new Error('down'))
    await expect(open(strict, browser)).rejects.toMatchObject({ code: 'ERR_SESSION_STORE' })
    expect(await open(lenient, browser)).toBeUndefined()
    expect(vi.getTimerCount()).toBe(0)
  })
})

describe('a session in a cookie', () => {
  const keys = ['qxSRjUbZ8ha8IW_gBJ3mLkPQsxKD7dV4sHJm2cmkk9s']

  it('is what it was at the handshake, and cannot be changed', async () => {
    const sessions = new Site({ store: cookieStore({ keys }) }).process()
    const browser = await visitor(sessions, { room: 1 })
    const visit = await opened(sessions, browser)
    await browser.visit((session) => session.set('room', 2))
    const session = await visit.session()
    expect(session?.get('room')).toBe(1)
    expect(() => session?.set('room', 3)).toThrow(
      expect.objectContaining({ code: 'ERR_SESSION_HEADERS_SENT' }),
    )
  })

  it('ends with its time', async () => {
    const site = new Site({ store: cookieStore({ keys }), idleTimeout: '1h' })
    const sessions = site.process()
    const visit = await opened(sessions, await visitor(sessions))
    site.now += 3_600_000
    await vi.advanceTimersByTimeAsync(INTERVAL)
    expect(await hasEnded(visit)).toBe(true)
  })

  it.each<[how: string, end: (sessions: Sessions<Data>, browser: Browser<Data>) => Promise<unknown>]>([
    ['signed out', (_, browser) => browser.visit((session) => session.destroy())],
    ['revoked with all of the user', (sessions) => sessions.revokeUser('ada')],
    ['given a new id', (_, browser) => browser.visit((session) => session.regenerateId())],
  ])('is heard to have been %s elsewhere where a store remembers it', async (_, end) => {
    const revocation = memoryStore()
    const start = (): Sessions<Data> =>
      new Site({ store: cookieStore({ keys, revocation }), clock: Date.now }).process()
    const [here, there] = [start(), start()]
    const browser = await signedIn(here, 'ada')
    const visit = await opened(here, browser)
    await end(there, browser.at(there))
    await vi.advanceTimersByTimeAsync(INTERVAL)
    expect(await hasEnded(visit)).toBe(true)
  })
})
