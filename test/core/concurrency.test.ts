import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it, vi } from 'vitest'
import type { Browser } from './browser.ts'
import { contents, type Data, eventsOf, Site, upTo, visitor } from './site.ts'

const HOURS = 3_600_000

function add(n: unknown): number {
  return ((n as number | undefined) ?? 0) + 1
}

/** Removes the delay between a request and the next, as a page that loads all its parts at once does. */
function together<Result>(count: number, request: (i: number) => Promise<Result>): Promise<Result[]> {
  return Promise.all(upTo(count).map(request))
}

describe.each([1, 2])('requests of one session at the same time, processes: %i', (count) => {
  async function start() {
    const site = new Site()
    const processes = site.processes(count)
    const browser = await visitor(site.process(), {})
    await browser.visit((session) => session.set('began', true))
    const at = (i: number): Browser<Data> => browser.at(processes[i % count] ?? site.process())
    return { site, browser, at }
  }

  it('100 requests that each set a key of their own leave 100 keys', async () => {
    const { browser, at } = await start()
    await together(100, (i) => at(i).visit((session) => session.set(`k${i}`, i)))
    expect(await contents(browser)).toEqual({
      began: true,
      ...Object.fromEntries(upTo(100).map((i) => [`k${i}`, i])),
    })
  })

  it('100 requests that each add one leave exactly 100', async () => {
    const { browser, at } = await start()
    await together(100, (i) => at(i).visit((session) => session.update('n', add)))
    expect(await contents(browser)).toMatchObject({ n: 100 })
  })

  it('100 requests that save before they answer print 100 different counts', async () => {
    const { at } = await start()
    const counts = await together(100, (i) =>
      at(i).visit(async (session) => {
        session.update('n', add)
        await session.save()
        return session.get('n') as number
      }),
    )
    expect(counts.sort((a, b) => a - b)).toEqual(upTo(100))
  })

  it('a function that throws on the newest value fails its own request alone', async () => {
    const { browser, at } = await start()
    const sold = await at(0).begin()
    sold.session.update('stock', (n = 1) => {
      if (n === 0) throw new RangeError('sold out')
      return 0
    })
    await at(1).visit((session) => session.set('stock', 0))
    const other = at(0).visit((session) => session.set('other', true))
    await expect(sold.finish()).rejects.toThrow('sold out')
    await other
    expect(await contents(browser)).toEqual({ began: true, stock: 0, other: true })
  })
})

describe('group commit', () => {
  /** Two requests for the last piece whose changes one write carries, since another write holds them up. */
  async function twoForTheLast() {
    const site = new Site()
    const sessions = site.process()
    const browser = await visitor(sessions, { stock: 1 })
    const buy = async () => {
      const { session, finish } = await browser.at(sessions).begin()
      session.update('stock', (n) => {
        if (n === 0) throw new RangeError('sold out')
        return (n as number) - 1
      })
      return finish
    }
    const [first, second] = [await buy(), await buy()]
    const { reached, release } = site.hold('update answers')
    const before = browser.at(sessions).visit((session) => session.set('before', true))
    await reached
    const both = Promise.allSettled([first(), second()])
    return { site, browser, before, release, both }
  }

  it('runs a function again that threw at a change which was not stored then', async () => {
    const { site, browser, before, release, both } = await twoForTheLast()
    await browser.at(site.process()).visit((session) => session.set('stock', 2))
    release()
    await before
    expect(await both).toMatchObject([{ status: 'fulfilled' }, { status: 'fulfilled' }])
    expect(await contents(browser)).toMatchObject({ stock: 0 })
  })

  it('tells nobody of a change that could not be stored', async () => {
    const { site, browser, before, release, both } = await twoForTheLast()
    site.store.delay = (label) =>
      label === 'update reaches the store' ? Promise.reject(new Error('down')) : Promise.resolve()
    release()
    await before
    const failed = { status: 'rejected', reason: { code: 'ERR_SESSION_STORE' } }
    expect(await both).toMatchObject([failed, failed])
    expect(await contents(browser)).toMatchObject({ stock: 1 })
  })

  it('100 requests of one process need at most 8 writes of a store that takes 5 ms', async () => {
    const site = new Site()
    const sessions = site.process()
    const browser = await visitor(sessions)
    site.store.delay = () => sleep(2.5)
    const before = site.store.writes
    await together(100, () => browser.at(sessions).visit((session) => session.update('n', add)))
    expect(site.store.writes - before).toBeLessThanOrEqual(8)
    expect(await contents(browser)).toMatchObject({ n: 100 })
  })
})

describe('a request under way while its session ends', () => {
  const ends: [string, (site: Site, browser: Browser<Data>) => unknown][] = [
    ['is destroyed', (_, browser) => browser.visit((session) => session.destroy())],
    ['is revoked', (site, browser) => site.process().revoke(browser.id.split('.')[0] ?? '')],
    [
      'expires',
      (site) => {
        site.now += 14 * 24 * HOURS
      },
    ],
  ]

  describe.each(ends)('%s', (_, end) => {
    async function start() {
      const site = new Site()
      const sessions = site.process()
      const browser = await visitor(sessions)
      const events = eventsOf(sessions)
      const twin = browser.at(sessions)
      const late = await twin.begin()
      late.session.set('late', true).update('n', add)
      return { site, browser, events, twin, late }
    }

    it('does not bring it back: the change is dropped, and nobody gets a cookie', async () => {
      const { site, browser, events, twin, late } = await start()
      await end(site, browser)
      expect(await late.finish()).toEqual([])
      expect(await site.store.read(late.session.handle)).toBeUndefined()
      expect(await contents(twin)).toEqual({})
      expect(events.filter(([name]) => name === 'discarded')).toEqual([
        ['discarded', { handle: late.session.handle }],
      ])
    })

    it('is told so when it saves by itself, again and again, and the rest of it goes on', async () => {
      const { site, browser, events, late } = await start()
      await end(site, browser)
      await expect(late.session.save()).rejects.toMatchObject({ code: 'ERR_SESSION_ENDED', status: 409 })
      await expect(late.session.save()).rejects.toMatchObject({ code: 'ERR_SESSION_ENDED' })
      late.session.set('later', true)
      expect(await late.finish()).toEqual([])
      expect(await site.store.read(late.session.handle)).toBeUndefined()
      expect(events.filter(([name]) => name === 'discarded')).toHaveLength(1)
    })

    it('cannot bring it back by signing in either', async () => {
      const { site, browser, late } = await start()
      late.session.login('ada')
      await end(site, browser)
      expect(await late.finish()).toEqual([])
      expect(await site.process().resume(browser.id)).toBeUndefined()
      expect(await site.store.read(late.session.handle)).toBeUndefined()
    })
  })
})

describe('a new id', () => {
  it('keeps the change of a request that began before the sign-in', async () => {
    const sessions = new Site().process()
    const browser = await visitor(sessions)
    const late = await browser.at(sessions).begin()
    late.session.set('late', true)
    await browser.visit((session) => session.login('ada'))
    expect(await late.finish()).toEqual([])
    expect(await contents(browser)).toEqual({ began: true, late: true })
  })

  it.each(['login', 'regenerateId'] as const)('by %s leaves the old one dead', async (change) => {
    const sessions = new Site().process()
    const browser = await visitor(sessions)
    const old = browser.at(sessions)
    await browser.visit((session) => session[change]('ada'))
    expect(browser.id).not.toBe(old.id)
    expect(await contents(old)).toEqual({})
    expect(await sessions.resume(old.id)).toBeUndefined()
    expect(await contents(browser)).toEqual({ began: true })
  })

  it('is never one that a browser made up', async () => {
    const site = new Site()
    const browser = await visitor(site.process())
    const key = browser.id.split('.')[0]
    for (const id of [`${'A'.repeat(22)}.${'B'.repeat(32)}`, `${key}.${'B'.repeat(32)}`, 'x', '']) {
      const guesser = browser.at(site.process())
      guesser.cookie = `sid=${id}`
      await guesser.visit((session) => session.set('mine', true))
      expect(guesser.id.split('.')[0]).not.toBe(id.split('.')[0])
      expect(guesser.id.split('.')[0]).not.toBe(key)
    }
    expect(await contents(browser)).toEqual({ began: true })
  })
})

describe.each([1, 2])('a sign-in form that is submitted twice, processes: %i', (count) => {
  it.each([
    ['first', [0, 1]],
    ['second', [1, 0]],
  ])('signs in, when the answer of the %s comes first', async (_, arrival) => {
    const site = new Site()
    const processes = site.processes(count)
    const browser = await visitor(site.process())
    const twins = await Promise.all(
      [0, 1].map((i) => browser.at(processes[i % count] ?? site.process()).begin()),
    )
    for (const [i, { session }] of twins.entries()) session.set(`of${i}`, true).login('ada')
    const answers = await Promise.all(twins.map(({ finish }) => finish()))
    for (const i of arrival) for (const header of answers[i] ?? []) browser.receive(header)
    expect(await browser.visit((session) => [session.userId, ...session.keys()])).toEqual([
      'ada',
      'began',
      'of0',
      'of1',
    ])
  })

  it('leaves one id when the browser signs in again', async () => {
    const site = new Site()
    const processes = site.processes(count)
    const browser = await visitor(site.process())
    const twins = await Promise.all(
      [0, 1].map((i) => browser.at(processes[i % count] ?? site.process()).begin()),
    )
    for (const { session } of twins) session.login('ada')
    const ids: string[] = []
    for (const { finish } of twins) {
      for (const header of await finish()) browser.receive(header)
      ids.push(browser.id)
    }
    await browser.visit((session) => session.login('ada'))
    for (const id of ids) expect(await site.process().resume(id)).toBeUndefined()
    expect(await browser.visit((session) => session.userId)).toBe('ada')
  })
})

describe('a key that was read, then set, and changed in between', () => {
  /** A request reads the stock and sets it; in between another one changes it. */
  async function oversell(onStaleSet: 'warn' | 'error' | 'allow', processes = 1) {
    const site = new Site({ onStaleSet })
    const [here, there] = [site.process(), site.process()]
    const browser = await visitor(here, { stock: 5 })
    const slow = await browser.at(here).begin()
    slow.session.set('stock', (slow.session.get('stock') as number) - 1)
    slow.session.set('bought', true)
    await browser.at(processes === 1 ? here : there).visit((session) => session.set('stock', 1))
    return { site, browser, slow, there }
  }

  it.each([1, 2])(
    'is reported once in development, and the later write wins (processes: %i)',
    async (count) => {
      const warn = vi.spyOn(console, 'warn').mockImplementation(() => undefined)
      const { browser, slow } = await oversell('warn', count)
      await slow.finish()
      expect(warn.mock.calls).toEqual([[expect.stringContaining('"stock"')]])
      expect(await contents(browser)).toEqual({ stock: 4, bought: true })
    },
  )

  it('is reported once, however often the write has to be tried', async () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => undefined)
    const { site, browser, slow, there } = await oversell('warn')
    let others = 0
    let busy = false
    site.store.delay = async (label) => {
      if (label !== 'update reaches the store' || busy || others === 3) return
      busy = true
      others++
      await browser.at(there).visit((session) => session.update('others', add))
      busy = false
    }
    await slow.finish()
    expect(warn).toHaveBeenCalledTimes(1)
    expect(await contents(browser)).toEqual({ stock: 4, bought: true, others: 3 })
  })

  it('is not reported in production', async () => {
    vi.stubEnv('NODE_ENV', 'production')
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => undefined)
    const site = new Site({ cookie: { secure: false } })
    const browser = await visitor(site.process(), { stock: 5 })
    const slow = await browser.begin()
    slow.session.set('stock', slow.session.get('stock'))
    await browser.visit((session) => session.set('stock', 1))
    await slow.finish()
    expect(warn).not.toHaveBeenCalled()
  })

  it.each([1, 2])(
    'is an error where the site wants one, and nothing is written (processes: %i)',
    async (count) => {
      const { browser, slow } = await oversell('error', count)
      await expect(slow.finish()).rejects.toMatchObject({ code: 'ERR_SESSION_CONFLICT', status: 409 })
      expect(await contents(browser)).toEqual({ stock: 1 })
    },
  )

  it('is an error of that request alone, and nothing is written of what it saved in vain before', async () => {
    const site = new Site({ onStaleSet: 'error' })
    const sessions = site.process()
    const browser = await visitor(sessions, { stock: 5 })
    const slow = await browser.begin()
    slow.session.set('inVain', true)
    site.store.delay = () => Promise.reject(new Error('the store is down'))
    await expect(slow.session.save()).rejects.toMatchObject({ code: 'ERR_SESSION_STORE' })
    const { reached, release } = site.hold('update reaches the store')
    const first = browser.at(sessions).visit((session) => session.set('stock', 1))
    await reached
    slow.session.set('stock', (slow.session.get('stock') as number) - 1)
    // Two that wait for the first one, and are written at once.
    const saved = slow.session.save()
    const other = await browser.at(sessions).begin()
    other.session.set('other', true)
    const finished = other.finish()
    release()
    await expect(saved).rejects.toMatchObject({ code: 'ERR_SESSION_CONFLICT' })
    await Promise.all([first, finished])
    expect(await contents(browser)).toEqual({ stock: 1, other: true })
  })

  it('is nothing where the site allows it', async () => {
    const warn = vi.spyOn(console, 'warn')
    const { browser, slow } = await oversell('allow')
    await slow.finish()
    expect(warn).not.toHaveBeenCalled()
    expect(await contents(browser)).toEqual({ stock: 4, bought: true })
  })

  it('is nothing when it was written without being read, or read and written in one step', async () => {
    const site = new Site({ onStaleSet: 'error' })
    const browser = await visitor(site.process(), { stock: 5 })
    const slow = await browser.begin()
    slow.session.set('other', 1).update('stock', (n) => (n as number) - 1)
    await browser.visit((session) => session.set('stock', 1).set('other', 2))
    await slow.finish()
    expect(await contents(browser)).toEqual({ stock: 0, other: 1 })
  })
})

describe('a function of update() that gives two results for one value', () => {
  it('is reported in development', async () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => undefined)
    const browser = await visitor(new Site().process())
    await browser.visit((session) => session.update('lottery', () => Math.random()))
    expect(warn.mock.calls).toEqual([[expect.stringContaining('update("lottery")')]])
    await browser.visit((session) => session.update('n', add))
    expect(warn).toHaveBeenCalledTimes(1)
  })

  it('runs once in production', async () => {
    vi.stubEnv('NODE_ENV', 'production')
    const browser = await visitor(new Site({ cookie: { secure: false } }).process())
    const fn = vi.fn(() => 1)
    await browser.visit((session) => session.update('n', fn))
    // The commit meets the same value, and takes what the handler has got.
    expect(fn).toHaveBeenCalledTimes(1)
  })
})

describe('a session that another process writes all the time', () => {
  it('is written at once after a pause, on what is there then and not on what was there before', async () => {
    const site = new Site()
    const rival = await visitor(site.process(), {})
    await rival.visit((session) => session.set('began', true))
    // The other process is first for some rounds, and later whenever it is given time.
    const store = site.store
    let hurried = 5
    const sessions = site.process({
      store: {
        read: store.read.bind(store),
        create: store.create.bind(store),
        delete: store.delete.bind(store),
        async update(key, entry, version) {
          if (hurried-- > 0) await write()
          const result = await store.update(key, entry, version)
          setTimeout(write, 0)
          return result
        },
      },
    })
    const write = () => rival.visit((session) => session.update('rival', add))
    let conflicts = 0
    sessions.on('conflict', () => conflicts++)
    await rival.at(sessions).visit((session) => session.update('n', add))
    expect(await contents(rival)).toMatchObject({ n: 1 })
    expect(conflicts).toBeLessThan(10)
  })
})
