import { describe, expect, it } from 'vitest'
import { createSessions, SessionError, type Sessions } from '../../src/index.ts'
import { memoryStore } from '../../src/stores/memory.ts'
import type { Browser } from './browser.ts'
import { contents, type Data, eventsOf, Site, signedIn, visitor } from './site.ts'

const HOUR = 3_600_000

/** Ada at two browsers and Grace at one, on a store that lists the sessions of a user. */
async function start() {
  const time = { now: Date.UTC(2026, 0, 1) }
  const clock = (): number => time.now
  const sessions: Sessions<Data> = createSessions<Data>({ store: memoryStore({ clock }), clock })
  const phone = await signedIn(sessions, 'ada', { at: 'phone' })
  time.now += HOUR
  const desk = await signedIn(sessions, 'ada', { at: 'desk' })
  const grace = await signedIn(sessions, 'grace')
  return { time, sessions, phone, desk, grace }
}

function handleOf(browser: Browser<Data>): string {
  return browser.id.split('.')[0] ?? ''
}

function userOf(browser: Browser<Data>): Promise<string | undefined> {
  return browser.visit((session) => session.userId)
}

describe('ofUser', () => {
  it('lists the sessions of a user, the one used last first, with all that a page of devices shows', async () => {
    const { time, sessions, phone, desk } = await start()
    const about = (browser: Browser<Data>, at: string, since: number) => ({
      handle: handleOf(browser),
      userId: 'ada',
      createdAt: since,
      authenticatedAt: since,
      lastSeenAt: since,
      expiresAt: since + 14 * 24 * HOUR,
      data: { at },
    })
    expect(await sessions.ofUser('ada')).toEqual([
      about(desk, 'desk', time.now),
      about(phone, 'phone', time.now - HOUR),
    ])
    time.now += HOUR
    await contents(phone)
    const [first] = await sessions.ofUser('ada')
    expect(first).toMatchObject({ handle: handleOf(phone), lastSeenAt: time.now })
  })

  it('tells when each was last used to its absolute end', async () => {
    const { time, sessions, phone } = await start()
    for (let day = 0; day < 29; day++) {
      time.now += 24 * HOUR
      await contents(phone)
    }
    expect(await sessions.ofUser('ada')).toMatchObject([{ lastSeenAt: time.now }])
  })

  it('lists none that has ended, and none of strangers', async () => {
    const { time, sessions, desk } = await start()
    await desk.visit((session) => session.destroy())
    expect(await sessions.ofUser('ada')).toHaveLength(1)
    expect(await sessions.ofUser('nobody')).toEqual([])
    time.now += 14 * 24 * HOUR
    expect(await sessions.ofUser('ada')).toEqual([])
  })

  it('gives copies: whoever changes them changes no session', async () => {
    const { sessions, desk } = await start()
    await desk.visit((session) => session.set('list', [1]))
    const [info] = await sessions.ofUser('ada')
    const list = info?.data?.['list'] as number[] | undefined
    expect(list?.push(2)).toBe(2)
    expect(await contents(desk)).toMatchObject({ list: [1] })
  })

  it('is refused by a store that keeps no index of users', async () => {
    const sessions = new Site().process()
    await expect(sessions.ofUser('ada')).rejects.toThrow(TypeError)
    await expect(sessions.revokeUser('ada')).rejects.toThrow('This store keeps no index of users')
  })

  it('can be asked for before it is called', async () => {
    expect(new Site().process().supports).toEqual({ ofUser: false, revoke: true, revokeUser: false })
    expect((await start()).sessions.supports).toEqual({ ofUser: true, revoke: true, revokeUser: true })
  })
})

describe('revoke', () => {
  it('ends that session alone', async () => {
    const { sessions, phone, desk } = await start()
    await sessions.revoke(handleOf(desk))
    expect(await userOf(desk)).toBeUndefined()
    expect(await userOf(phone)).toBe('ada')
  })

  it.each(['', 'x', '../../x', 'A'.repeat(22)])('of %j ends nothing', async (handle) => {
    const { sessions, desk } = await start()
    await sessions.revoke(handle)
    expect(await userOf(desk)).toBe('ada')
  })
})

describe('revokeUser', () => {
  it('ends all sessions of a user, and answers how many', async () => {
    const { sessions, phone, desk, grace } = await start()
    const events = eventsOf(sessions)
    expect(await sessions.revokeUser('ada')).toBe(2)
    expect([await userOf(phone), await userOf(desk), await userOf(grace)]).toEqual([
      undefined,
      undefined,
      'grace',
    ])
    expect(events.map(([name]) => name)).toEqual(['ended', 'ended'])
    expect(await sessions.revokeUser('ada')).toBe(0)
  })

  it('leaves the session of the page that asks', async () => {
    const { sessions, phone, desk } = await start()
    expect(await sessions.revokeUser('ada', { except: handleOf(desk) })).toBe(1)
    expect([await userOf(phone), await userOf(desk)]).toEqual([undefined, 'ada'])
  })
})

describe('resume', () => {
  it('opens a session outside a request, which is kept by save() only', async () => {
    const { sessions, desk } = await start()
    const session = await sessions.resume(desk.id)
    session?.set('message', 1)
    await new Promise((resolve) => setTimeout(resolve, 0))
    expect(await contents(desk)).toEqual({ at: 'desk' })
    await session?.save()
    expect(await contents(desk)).toEqual({ at: 'desk', message: 1 })
  })

  it('cannot change the id, since there is no answer to tell it in', async () => {
    const { sessions, desk } = await start()
    const session = await sessions.resume(desk.id)
    for (const change of [() => session?.login('ada'), () => session?.regenerateId()]) {
      expect(change).toThrow(expect.objectContaining({ code: 'ERR_SESSION_HEADERS_SENT' }))
    }
  })

  it('ends a session when that is saved', async () => {
    const { sessions, desk } = await start()
    const session = await sessions.resume(desk.id)
    session?.destroy()
    await session?.save()
    expect(await userOf(desk)).toBeUndefined()
  })

  it('opens nothing without the whole id', async () => {
    const { sessions, desk, phone } = await start()
    const ids = ['', 'x', handleOf(desk), `${handleOf(desk)}.${phone.id.split('.')[1]}`, `sid=${desk.id}`]
    for (const id of ids) expect(await sessions.resume(id)).toBeUndefined()
  })
})

describe('purge', () => {
  it('removes what has expired, tells how far it is, and can be stopped', async () => {
    const { time, sessions, phone } = await start()
    time.now += 13 * 24 * HOUR
    await contents(phone)
    expect(await sessions.purge()).toBe(0)
    time.now += 10 * 24 * HOUR
    const told: number[] = []
    expect(await sessions.purge({ onProgress: (removed) => told.push(removed) })).toBe(2)
    expect(told).toEqual([2])
    expect(await userOf(phone)).toBe('ada')
  })

  it('is nothing on a store that forgets by itself', async () => {
    expect(await new Site().process().purge()).toBe(0)
  })
})

describe('close', () => {
  it('closes the store that can be closed, and is nothing for one that cannot', async () => {
    let closed = 0
    const close = async (): Promise<void> => void closed++
    const site = new Site()
    await site.process().close()
    await site.process({ store: Object.assign(site.store, { close }) }).close()
    expect(closed).toBe(1)
  })
})

describe('errors', () => {
  it('are of one class with a code, a status, a cause, and a name that logs show', () => {
    const cause = new Error('the disk is full')
    const error = new SessionError('ERR_SESSION_STORE', 'The session store failed', { cause })
    expect(error).toBeInstanceOf(Error)
    expect({ ...error, name: error.name, message: error.message, cause: error.cause }).toEqual({
      name: 'SessionError',
      code: 'ERR_SESSION_STORE',
      status: 503,
      message: 'The session store failed',
      cause,
    })
    expect(String(error)).toBe('SessionError: The session store failed')
  })

  it('hold no id, no cookie and no data', async () => {
    const site = new Site({ onStaleSet: 'error' })
    const sessions = site.process()
    const browser = await visitor(sessions, { card: '4111 1111' })
    const handle = handleOf(browser)
    const errors: unknown[] = []
    const fails = (work: Promise<unknown>) =>
      work.then(
        () => expect.unreachable(),
        (e: unknown) => errors.push(e),
      )
    await fails(sessions.of({ cookie: browser.cookie }))
    await fails(browser.visit((session) => session.set('card', () => '4111 1111')))
    const stale = await browser.begin()
    stale.session.set('card', `${stale.session.get('card')} 1111`)
    const ended = await browser.begin()
    ended.session.set('card', '4111 2222')
    await browser.visit((session) => session.set('card', '4111 3333'))
    await fails(stale.finish())
    const resumed = await sessions.resume(browser.id)
    await fails(Promise.resolve().then(() => resumed?.login('4111')))
    await browser.visit((session) => session.destroy())
    await fails(ended.session.save())
    site.store.delay = () => Promise.reject(new Error('the store is down'))
    await fails(visitor(sessions, { card: '4111 1111' }))
    expect(errors.map((error) => (error as SessionError).code)).toEqual([
      'ERR_SESSION_MISSING',
      'ERR_SESSION_NOT_SERIALIZABLE',
      'ERR_SESSION_CONFLICT',
      'ERR_SESSION_HEADERS_SENT',
      'ERR_SESSION_ENDED',
      'ERR_SESSION_STORE',
    ])
    for (const error of errors as SessionError[]) {
      expect(error.message).not.toMatch(/4111/)
      expect(error.message).not.toContain(handle)
    }
  })
})
