import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createSessions, type Entry, type Store, type Version } from '../../src/index.ts'
import { Browser } from './browser.ts'
import { contents, type Data, eventsOf, Site, visitor } from './site.ts'

/** Makes the next call that comes to that point fail there: before its effect, or when its answer is on the way. */
function fail(site: Site, point: string): void {
  site.store.delay = async (label) => {
    if (label !== point) return
    site.store.delay = async () => undefined
    throw new Error('the connection was cut')
  }
}

function increment(n = 0): number {
  return n + 1
}

async function counting(site: Site, browser: Browser<Data>) {
  const { session, finish } = await browser.begin()
  session.update('n', increment as never)
  return { site, session, finish }
}

const STORE = { code: 'ERR_SESSION_STORE' }

describe('an update whose answer got lost', () => {
  it.each(['update answers', 'update reaches the store'])(
    'is applied once when it is saved again (%s)',
    async (point) => {
      const site = new Site()
      const browser = await visitor(site.process(), { n: 0 })
      const { session, finish } = await counting(site, browser)
      fail(site, point)
      await expect(session.save()).rejects.toMatchObject(STORE)
      await session.save()
      expect(session.get('n')).toBe(1)
      await finish()
      expect(await contents(browser)).toEqual({ n: 1 })
    },
  )

  it('is applied once, however often it fails', async () => {
    const site = new Site()
    const browser = await visitor(site.process(), { n: 0 })
    const { session, finish } = await counting(site, browser)
    for (const point of ['update reaches the store', 'update answers', 'update answers']) {
      fail(site, point)
      await expect(session.save()).rejects.toMatchObject(STORE)
    }
    await session.save()
    await finish()
    expect(await contents(browser)).toEqual({ n: 1 })
  })

  it('is applied once together with what is changed after the failure', async () => {
    const site = new Site()
    const browser = await visitor(site.process(), { n: 0 })
    const { session, finish } = await counting(site, browser)
    fail(site, 'update answers')
    await expect(session.save()).rejects.toMatchObject(STORE)
    session.set('later', true)
    session.update('n', increment as never)
    await session.save()
    await finish()
    expect(await contents(browser)).toEqual({ n: 2, later: true })
  })

  it('is applied once when another request of the process has loaded the session meanwhile', async () => {
    const site = new Site()
    const sessions = site.process()
    const browser = await visitor(sessions, { n: 0 })
    const { session, finish } = await counting(site, browser)
    fail(site, 'update answers')
    await expect(session.save()).rejects.toMatchObject(STORE)
    const other = await counting(site, browser)
    await Promise.all([session.save(), other.session.save()])
    await Promise.all([finish(), other.finish()])
    expect(await contents(browser)).toEqual({ n: 2 })
  })

  it('is applied once when it arrives after a time-out, before or after it is saved again', async () => {
    for (const order of ['before', 'after']) {
      const site = new Site({ storeTimeout: '20ms' })
      const browser = await visitor(site.process(), { n: 0 })
      const { session, finish } = await counting(site, browser)
      const { reached, release } = site.hold('update reaches the store')
      const saving = session.save()
      await reached
      await expect(saving).rejects.toMatchObject(STORE)
      if (order === 'before') release()
      await session.save()
      release()
      await finish()
      expect(await contents(browser), order).toEqual({ n: 1 })
    }
  })

  it('is refused, not guessed, when another process has changed the session since', async () => {
    const site = new Site()
    const [one, other] = site.processes(2)
    const browser = await visitor(one as never, { n: 0 })
    const { session } = await counting(site, browser)
    fail(site, 'update answers')
    await expect(session.save()).rejects.toMatchObject(STORE)
    await browser.at(other as never).visit((session) => session.set('other', 1))
    await expect(session.save()).rejects.toMatchObject({ code: 'ERR_SESSION_CONFLICT' })
    expect(await contents(browser)).toEqual({ n: 1, other: 1 })
  })

  it('does not refuse what may be written twice without harm', async () => {
    const site = new Site()
    const [one, other] = site.processes(2)
    const browser = await visitor(one as never, { n: 0, old: 1 })
    const { session, finish } = await browser.begin()
    session.set('mine', 1).delete('old')
    fail(site, 'update answers')
    await expect(session.save()).rejects.toMatchObject(STORE)
    await browser.at(other as never).visit((session) => session.set('other', 1))
    await session.save()
    await finish()
    expect(await contents(browser)).toEqual({ n: 0, mine: 1, other: 1 })
  })

  it('is recognised when the client of the store has sent it twice by itself', async () => {
    const site = new Site()
    const resending: Store = {
      read: (key) => site.store.read(key),
      create: (key, entry) => site.store.create(key, entry),
      delete: (key) => site.store.delete(key),
      async update(key: string, entry: Entry, version: Version) {
        await site.store.update(key, entry, version)
        return site.store.update(key, entry, version)
      },
    }
    const sessions = createSessions<Data>({ store: resending, clock: site.clock })
    const browser = await visitor(sessions, { n: 0 })
    const events = eventsOf(sessions)
    for (let i = 0; i < 3; i++) await browser.visit((session) => session.update('n', increment as never))
    expect(await contents(browser)).toEqual({ n: 3 })
    expect(events.filter(([name]) => name === 'conflict')).toEqual([])
  })
})

describe('a new session whose answer got lost', () => {
  it('is kept once, under the id it got first', async () => {
    const site = new Site()
    const browser = new Browser(site.process())
    const { session, finish } = await browser.begin()
    session.update('n', increment as never)
    session.login('ada')
    fail(site, 'create answers')
    await expect(session.save()).rejects.toMatchObject(STORE)
    session.update('n', increment as never)
    await session.save()
    for (const header of await finish()) browser.receive(header)
    expect(await contents(browser)).toEqual({ n: 2 })
    expect([...site.store.entries.keys()]).toEqual([session.handle])
  })
})

it('counts each update once, whatever is lost and however it is tried again', async () => {
  const attempt = fc.array(fc.constantFrom('update reaches the store', 'update answers'), { maxLength: 3 })
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.nat(1), attempt), { minLength: 1, maxLength: 6 }),
      async (requests) => {
        const site = new Site()
        const processes = site.processes(2)
        const browser = await visitor(processes[0] as never, { n: 0 })
        for (const [process, failures] of requests) {
          const { session, finish } = await browser.at(processes[process] as never).begin()
          session.update('n', increment as never)
          for (const point of failures) {
            fail(site, point)
            await expect(session.save()).rejects.toMatchObject(STORE)
          }
          await session.save()
          await finish()
        }
        expect(await contents(browser)).toEqual({ n: requests.length })
      },
    ),
    { numRuns: 300 },
  )
})
