import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Session, SessionError, type SessionsOptions } from '../../src/index.ts'
import { decodeRecord } from '../../src/record.ts'
import type { Entry } from '../../src/store.ts'
import { Browser } from './browser.ts'
import { contents, type Data, eventsOf, Site, visitor } from './site.ts'

/** What a store does at a call that fails: before its effect, after it, or for ever. */
const FAULTS = {
  'fails before it has acted': (label: string) => fails(label.includes('reaches')),
  'fails after it has acted': (label: string) => fails(label.includes('answers')),
  'never answers': (label: string) => (label.includes('reaches') ? never() : Promise.resolve()),
}
type Fault = keyof typeof FAULTS
const faults = Object.keys(FAULTS) as Fault[]

function fails(now: boolean): Promise<void> {
  return now ? Promise.reject(new Error('the store is down')) : Promise.resolve()
}

function never(): Promise<void> {
  return new Promise(() => undefined)
}

/** The data of a session as the store keeps it. */
function stored(key: string, entry: Entry): Data {
  const { data } = decodeRecord(entry, key, undefined)
  return Object.fromEntries(Array.from(data, ([name, slot]) => [name, slot.copy()])) as Data
}

/** Makes each call of those verbs fail. */
function breakStore(site: Site, fault: Fault, verbs = ['read', 'create', 'update', 'delete']): void {
  site.store.delay = (label) =>
    verbs.includes(label.split(' ')[0] ?? '') ? FAULTS[fault](label) : Promise.resolve()
}

function repairStore(site: Site): void {
  site.store.delay = () => Promise.resolve()
}

async function start(options: SessionsOptions = {}) {
  const site = new Site({ storeTimeout: '50ms', ...options })
  const sessions = site.process()
  const browser = await visitor(sessions)
  return { site, sessions, browser, events: eventsOf(sessions) }
}

const unhandled: unknown[] = []
function note(reason: unknown): void {
  unhandled.push(reason)
}

beforeEach(() => void process.on('unhandledRejection', note))
afterEach(async () => {
  await new Promise((resolve) => setTimeout(resolve, 0))
  process.off('unhandledRejection', note)
  expect(unhandled.splice(0)).toEqual([])
})

describe.each(faults)('a store that %s', (fault) => {
  const requests: [string, string, (session: Session<Data>) => unknown][] = [
    ['changes the session', 'update', (session) => session.set('new', 1)],
    ['signs in', 'update', (session) => session.login('ada')],
    ['changes the id', 'update', (session) => session.regenerateId()],
    ['signs out', 'delete', (session) => session.destroy()],
    [
      'signs out with a goodbye',
      'create',
      (session) => {
        session.destroy()
        session.flash('bye', 1)
      },
    ],
  ]
  it.each(requests)('gives a request that %s an error and no cookie', async (_, verb, handler) => {
    const { site, browser, events } = await start()
    breakStore(site, fault, [verb])
    const { session, finish } = await browser.begin()
    await handler(session)
    const error = await finish().catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(SessionError)
    expect(error).toMatchObject({ code: 'ERR_SESSION_STORE', status: 503, cause: expect.any(Error) })
    expect((error as Error).message).toContain(`(${verb})`)
    expect(browser.received).toHaveLength(1)
    expect(events.filter(([name]) => name === 'storeError')).toEqual([
      ['storeError', { operation: verb, error }],
    ])
    repairStore(site)
    // The old session whole, or the new one: what the store did before it failed nobody can know.
    const [after] = [...site.store.entries].map(([key, entry]) => stored(key, entry))
    expect([{ began: true }, { began: true, new: 1 }, {}, undefined]).toContainEqual(after)
  })

  it('gives a first visit an error, no cookie, and at most an entry that nobody can open', async () => {
    const { site, sessions } = await start()
    const browser = new Browser(sessions)
    breakStore(site, fault)
    await expect(browser.visit((session) => session.set('n', 1))).rejects.toMatchObject({ status: 503 })
    expect(browser.received).toEqual([])
  })

  it('gives a request that asks for its session an error, and the next one its session', async () => {
    const { site, browser } = await start()
    breakStore(site, fault)
    await expect(browser.visit(() => undefined)).rejects.toMatchObject({ code: 'ERR_SESSION_STORE' })
    repairStore(site)
    expect(await contents(browser)).toEqual({ began: true })
  })

  it('costs a request nothing whose session only has to be extended', async () => {
    const { site, browser, events } = await start({ idleTimeout: '1h' })
    site.now += 1_800_000
    breakStore(site, fault, ['update'])
    expect(await contents(browser)).toEqual({ began: true })
    expect(events.map(([name]) => name)).toEqual(['storeError'])
    repairStore(site)
    expect(await browser.visit((session) => session.get('began'))).toBe(true)
  })

  it('fails the requests that wait for it, and lets those through that come later', async () => {
    const { site, sessions, browser } = await start()
    breakStore(site, fault, ['update'])
    const waiting = [1, 2, 3].map((i) => browser.at(sessions).visit((session) => session.set(`k${i}`, i)))
    for (const result of await Promise.allSettled(waiting)) expect(result.status).toBe('rejected')
    repairStore(site)
    await browser.visit((session) => session.set('later', true))
    expect(await contents(browser)).toMatchObject({ began: true, later: true })
  })

  it('lets a handler try again to save, and then everything is there once', async () => {
    const { site, browser } = await start()
    await browser.visit(async (session) => {
      session.set('a', 1).update('n', (n) => ((n as number | undefined) ?? 0) + 1)
      session.regenerateId()
      breakStore(site, fault, ['update'])
      await expect(session.save()).rejects.toMatchObject({ code: 'ERR_SESSION_STORE' })
      repairStore(site)
      session.regenerateId()
      session.set('b', 2)
      await session.save()
    })
    expect(browser.received).toHaveLength(2)
    expect(await contents(browser)).toEqual({ began: true, a: 1, b: 2, n: 1 })
  })
})

describe.each(faults)('onStoreError "anonymous", a store that %s', (fault) => {
  it('serves the visitor without a session, and leaves the cookie alone', async () => {
    const { site, browser } = await start({ onStoreError: 'anonymous' })
    breakStore(site, fault)
    const seen = await browser.visit((session) => {
      session.set('lost', true).login('ada')
      return [session.isNew, session.get('began')]
    })
    expect(seen).toEqual([true, undefined])
    await browser.visit((session) => session.destroy())
    expect(browser.received).toHaveLength(1)
    repairStore(site)
    expect(await contents(browser)).toEqual({ began: true })
  })

  it('serves a request whose change cannot be saved, without a cookie', async () => {
    const { site, browser } = await start({ onStoreError: 'anonymous' })
    breakStore(site, fault, ['update', 'delete'])
    expect(await browser.visit((session) => session.set('lost', true).get('began'))).toBe(true)
    await browser.visit((session) => session.destroy())
    expect(browser.received).toHaveLength(1)
  })

  it('tells a handler that saves by itself', async () => {
    const { site, browser } = await start({ onStoreError: 'anonymous' })
    breakStore(site, fault, ['update'])
    await browser.visit((session) =>
      expect(session.set('lost', 1).save()).rejects.toMatchObject({ code: 'ERR_SESSION_STORE' }),
    )
    breakStore(site, fault)
    await browser.visit((session) =>
      expect(session.set('lost', 1).save()).rejects.toMatchObject({ code: 'ERR_SESSION_STORE' }),
    )
    expect(browser.received).toHaveLength(1)
  })
})

describe('an entry that cannot be read', () => {
  const damages: Record<string, (value: string) => string> = {
    'no JSON': () => 'not a session',
    'JSON that is cut off': (value) => value.slice(0, -4),
    'JSON with a stray letter': (value) => value.replace('"began":', '"began"x:'),
    'JSON of something else': () => '[1,2,3]',
    null: () => 'null',
    'another version': (value) => value.replace(/^1/, '2'),
    'no secrets': (value) => value.replace(/^1[\w-]{32} /, '1 '),
    nothing: () => '',
  }
  it.each(Object.keys(damages))('(%s) is a new visit, which observers hear of', async (name) => {
    const { site, browser, events } = await start()
    for (const [key, entry] of site.store.entries) {
      site.store.entries.set(key, { ...entry, value: damages[name]?.(entry.value) ?? '' })
    }
    expect(await contents(browser)).toEqual({})
    await browser.visit((session) => session.set('again', true))
    expect(await contents(browser)).toEqual({ again: true })
    expect(events[0]).toEqual(['storeError', { operation: 'decode', error: expect.any(SessionError) }])
    const payload = events[0]?.[1] as { error: Error } | undefined
    expect(messagesOf(payload?.error)).not.toMatch(/began|true|not a session/)
  })
})

/** All that a log of an error shows. */
function messagesOf(error: unknown): string {
  return error instanceof Error ? `${error.message}\n${messagesOf(error.cause)}` : ''
}

describe('a purge in the background', () => {
  it('that fails costs the visitor nothing, and observers hear of it', async () => {
    const site = new Site()
    const purge = () => Promise.reject(new Error('the store is busy'))
    const sessions = site.process({ store: Object.assign(site.store, { purge }) })
    const events = eventsOf(sessions)
    site.now += 3_600_000
    const browser = await visitor(sessions)
    expect(await contents(browser)).toEqual({ began: true })
    expect(events).toContainEqual(['storeError', { operation: 'purge', error: expect.any(SessionError) }])
    await expect(sessions.purge()).rejects.toMatchObject({ code: 'ERR_SESSION_STORE', status: 503 })
  })
})

it('a session that is too large for the store is the fault of the session: nothing is written, and the handler hears it', async () => {
  const { site, browser, events } = await start({ onStoreError: 'anonymous' })
  site.store.delay = async (label) => {
    if (label === 'update reaches the store')
      throw new SessionError('ERR_SESSION_TOO_LARGE', 'The session has 2 MB, and the store takes 1 MB')
  }
  await expect(browser.visit((session) => session.set('large', true))).rejects.toMatchObject({
    code: 'ERR_SESSION_TOO_LARGE',
    status: 500,
  })
  repairStore(site)
  expect(await contents(browser)).toEqual({ began: true })
  expect(events).toEqual([])
})

it('a store that throws instead of rejecting has failed like any other', async () => {
  const { site, browser, events } = await start()
  const cause = new Error('the client is closed')
  site.store.read = () => {
    throw cause
  }
  await expect(browser.visit(() => undefined)).rejects.toMatchObject({ code: 'ERR_SESSION_STORE', cause })
  expect(events).toEqual([['storeError', { operation: 'read', error: expect.any(SessionError) }]])
})

it.each(['read answers', 'read reaches the store'])(
  'an answer that comes too late is ignored (%s)',
  async (point) => {
    const { site, browser, events } = await start()
    const held = site.hold(point)
    await expect(browser.visit(() => undefined)).rejects.toMatchObject({ cause: { name: 'TimeoutError' } })
    held.release()
    expect(await contents(browser)).toEqual({ began: true })
    expect(events).toEqual([['storeError', { operation: 'read', error: expect.any(SessionError) }]])
  },
)
