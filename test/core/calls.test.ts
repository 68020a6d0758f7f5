import { describe, expect, it } from 'vitest'
import type { Session } from '../../src/index.ts'
import { Browser } from './browser.ts'
import { type Data, Site, upTo, visitor } from './site.ts'

/** The calls of the store that a request makes, by verb; those that are not made are left out. */
async function callsOf(site: Site, request: () => Promise<unknown>): Promise<Record<string, number>> {
  const before = { ...site.store.calls }
  await request()
  const after = Object.entries(site.store.calls)
  const made = after.map(([verb, count]) => [verb, count - before[verb as keyof typeof before]] as const)
  return Object.fromEntries(made.filter(([, count]) => count > 0))
}

async function known(): Promise<{ site: Site; browser: Browser<Data> }> {
  const site = new Site()
  return { site, browser: await visitor(site.process(), { n: 1 }) }
}

function nothing(): void {
  // A page that does not look at its session.
}

describe('nothing for nothing', () => {
  it('1,000 visitors who leave nothing cost no call, no row and no cookie', async () => {
    const site = new Site()
    const sessions = site.process()
    const browsers = upTo(1000).map(() => new Browser(sessions))
    const pages = (session: Session<Data>): unknown => [
      session.get('n'),
      session.isEmpty,
      session.takeFlashes(),
    ]
    expect(await callsOf(site, () => Promise.all(browsers.map((browser) => browser.visit(pages))))).toEqual(
      {},
    )
    expect(browsers.flatMap((browser) => browser.received)).toEqual([])
    expect(site.store.entries.size).toBe(0)
  })

  it('a request that does not ask for its session costs no call, whatever cookie it brings', async () => {
    const { site, browser } = await known()
    const visit = site.process().open({ cookie: browser.cookie, secure: false })
    expect(await callsOf(site, async () => visit.commit())).toEqual({})
    expect(visit.dirty).toBe(false)
    expect(visit.outcome).toEqual({ read: false, setCookies: [] })
  })

  const blanks: Record<string, (session: Session<Data>) => void> = {
    'sets and deletes': (session) => void session.set('n', 1).delete('n'),
    'sets and clears': (session) => session.set('n', 1).clear(),
    'sets and destroys': (session) => session.set('n', 1).destroy(),
    'flashes and takes it': (session) => {
      session.flash('f', 1)
      session.takeFlashes()
    },
    'changes the id': (session) => session.regenerateId(),
    'sets timeouts': (session) => session.setTimeouts({ idle: '1h' }),
    'updates to nothing': (session) => session.update('n', () => undefined),
  }
  it.each(Object.keys(blanks))('a first visit that %s leaves nothing', async (name) => {
    const site = new Site()
    const browser = new Browser(site.process())
    expect(await callsOf(site, () => browser.visit((session) => blanks[name]?.(session)))).toEqual({})
    expect(browser.received).toEqual([])
  })
})

describe('the calls of the store', () => {
  const requests: [string, Record<string, number>, (session: Session<Data>) => unknown][] = [
    ['only asks', { read: 1 }, nothing],
    ['reads', { read: 1 }, (session) => [session.get('n'), session.has('x'), [...session]]],
    ['deletes what is not there', { read: 1 }, (session) => session.delete('x')],
    [
      'changes much',
      { read: 1, update: 1 },
      (s) =>
        s
          .set('a', 1)
          .set('b', 2)
          .update('n', () => 3),
    ],
    ['signs in', { read: 1, update: 1 }, (session) => session.login('ada')],
    [
      'signs in with all that goes with it',
      { read: 1, update: 1 },
      (session) => {
        session.login('ada')
        session.setTimeouts({ absolute: '90d' })
        session.set('a', 1).flash('welcome', 'Ada')
      },
    ],
    ['changes the id', { read: 1, update: 1 }, (session) => session.regenerateId()],
    ['signs out', { read: 1, delete: 1 }, (session) => session.destroy()],
    [
      'signs out with a goodbye',
      { read: 1, delete: 1, create: 1 },
      (session) => {
        session.destroy()
        session.flash('bye', 1)
      },
    ],
    [
      'saves twice',
      { read: 1, update: 2 },
      async (session) => {
        await session.set('a', 1).save()
        session.set('a', 2)
      },
    ],
    ['saves, and changes nothing more', { read: 1, update: 1 }, (session) => session.set('a', 1).save()],
  ]
  it.each(requests)('of a request that %s: %j', async (_, calls, handler) => {
    const { site, browser } = await known()
    expect(await callsOf(site, () => browser.visit(handler))).toEqual(calls)
  })

  it('of a first visit that leaves something: one', async () => {
    const site = new Site()
    const browser = new Browser(site.process())
    expect(await callsOf(site, () => browser.visit((session) => session.set('n', 1)))).toEqual({ create: 1 })
  })

  it('of a first visit that signs in: one', async () => {
    const site = new Site()
    const browser = new Browser(site.process())
    expect(await callsOf(site, () => browser.visit((session) => session.login('ada')))).toEqual({ create: 1 })
  })

  it('of a session that is asked for again and again in one request: one', async () => {
    const { site, browser } = await known()
    const visit = site.process().open({ cookie: browser.cookie, secure: false })
    const asked = async () => Promise.all(upTo(10).map(() => visit.session()))
    expect(await callsOf(site, asked)).toEqual({ read: 1 })
    expect(new Set(await asked()).size).toBe(1)
  })

  it('of a cookie that cannot be one of ours: none', async () => {
    const { site, browser } = await known()
    browser.cookie = 'sid=guess; other=x'
    expect(await callsOf(site, () => browser.visit(nothing))).toEqual({})
  })

  it('of a request whose session has ended before it came: one, and the cookie stays as it is', async () => {
    const { site, browser } = await known()
    site.store.entries.clear()
    const cookie = browser.cookie
    expect(await callsOf(site, () => browser.visit((session) => session.get('n')))).toEqual({ read: 1 })
    expect(browser.cookie).toBe(cookie)
  })
})
