import { randomBytes } from 'node:crypto'
import { setTimeout } from 'node:timers/promises'
import { describe, expect, it, vi } from 'vitest'
import { nextSession } from '../../src/adapters/next.ts'
import type { NextCookieAttributes, NextCookies, NextHeaders } from '../../src/adapters/next-request.ts'
import { createSessions, type SessionsOptions } from '../../src/index.ts'
import { cookieStore } from '../../src/stores/cookie.ts'
import { memoryStore } from '../../src/stores/memory.ts'
import { countingStore } from '../../src/testing/counting-store.ts'
import { failingStore } from '../../src/testing/failing-store.ts'

// What a site of Next cannot show by itself; test/frameworks/next has the rest, on the real thing.

interface Data {
  n: number
  cart: string[]
}

interface Shown {
  cookies: NextCookies
  headers: NextHeaders
  /** What was set, by name. */
  set: Map<string, { value: string; attributes: NextCookieAttributes }>
}

/** A request as Next shows it. @param known - the cookies that Next lists, where they are others than those sent */
function request(sent = '', headers: Record<string, string> = {}, known = sent): Shown {
  const set: Shown['set'] = new Map()
  const listed = new Map(
    known.split('; ').flatMap((pair): [string, string][] => {
      const [name = '', value] = pair.split('=')
      return value === undefined ? [] : [[name, value]]
    }),
  )
  const cookies: NextCookies = {
    getAll: () => Array.from(listed, ([name, value]) => ({ name, value })),
    set: (name, value, attributes) => set.set(name, { value, attributes }),
  }
  return { cookies, headers: new Headers({ Host: 'localhost', Cookie: sent, ...headers }), set }
}

/** @param connection - settles when a visitor waits for what is rendered */
function application(options: SessionsOptions = {}, connection = async (): Promise<void> => undefined) {
  const store = countingStore(memoryStore())
  const sessions = createSessions<Data>({ store, ...options })
  let current = request()
  const next = nextSession(sessions, {
    cookies: async () => current.cookies,
    headers: async () => current.headers,
    connection,
  })
  return {
    ...next,
    sessions,
    store,
    visit: (given = request()): Shown => {
      current = given
      return given
    },
  }
}

/** The cookie of a session that is stored. */
async function stored(app: ReturnType<typeof application>): Promise<string> {
  const { set } = app.visit()
  await app.action(async () => {
    const session = await app.getSession()
    session.set('n', 1)
    session.set('cart', ['Emma'])
  })()
  return Array.from(set, ([name, { value }]) => `${name}=${value}`).join('; ')
}

describe('misuse', () => {
  const sessions = createSessions()
  const functions = {
    cookies: async () => request().cookies,
    headers: async () => request().headers,
    connection: async () => undefined,
  }
  it.each([
    [() => nextSession({} as never, functions), /first argument of nextSession/],
    [() => nextSession(sessions, undefined as never), /"next\/headers"/],
    [() => nextSession(sessions, { cookies: functions.cookies } as never), /"next\/headers"/],
    [() => nextSession(sessions, { ...functions, connection: undefined } as never), /"next\/server"/],
    [() => nextSession(sessions, functions).action('run' as never), /action\(\)/],
    [() => nextSession(sessions, functions).route(undefined as never), /route\(\)/],
    [() => nextSession(sessions, functions).proxy({} as never), /proxy\(\)/],
    [() => nextSession(sessions, functions).route(() => new Response(), { onErr: 1 } as never), /"onError"/],
    [
      () => nextSession(sessions, functions).route(() => new Response(), { onError: 1 } as never),
      /"onError"/,
    ],
  ])('is a TypeError (%#)', (call, message) => {
    expect(call).toThrow(TypeError)
    expect(call).toThrow(message)
  })

  it('is told where getSession() has nobody to save', async () => {
    const app = application()
    await expect(app.getSession()).rejects.toMatchObject({ code: 'ERR_SESSION_MISSING' })
    const inProxy = app.proxy(async () => void (await app.getSession()))
    await expect(inProxy(new Request('http://localhost'))).rejects.toMatchObject({
      code: 'ERR_SESSION_MISSING',
    })
  })

  it('is told where Next shows no request', async () => {
    const app = application()
    app.visit({ ...request(), headers: new Headers() })
    const run = vi.fn()
    await expect(app.readSession()).rejects.toThrow(/force-static/)
    await expect(app.action(run)()).rejects.toThrow(/force-static/)
    await expect(app.route(run)(new Request('http://localhost'))).rejects.toThrow(/force-static/)
    expect(run).not.toHaveBeenCalled()
  })
})

describe('readSession()', () => {
  it('reads once for each request, whoever asks', async () => {
    const app = application()
    const cookie = await stored(app)
    app.store.reset()
    app.visit(request(cookie))
    const sessions = await Promise.all([app.readSession(), app.readSession(), app.readSession()])
    expect(sessions.map((session) => session.get('n'))).toEqual([1, 1, 1])
    expect(app.store.total).toBe(1)
    app.visit(request(cookie))
    await app.readSession()
    expect(app.store.total).toBe(2)
  })

  it('asks nothing of the store while Next renders ahead', async () => {
    let go = (): void => undefined
    const app = application({}, () => new Promise((resolve) => (go = resolve)))
    const cookie = await stored(app)
    app.visit(request(cookie))
    app.store.reset()
    const session = app.readSession()
    await setTimeout(0)
    expect(app.store.total).toBe(0)
    go()
    expect((await session).get('n')).toBe(1)
  })

  it('has nothing that changes, and its values are frozen', async () => {
    const app = application()
    app.visit(request(await stored(app)))
    const session = await app.readSession()
    for (const name of [
      'set',
      'update',
      'delete',
      'clear',
      'login',
      'destroy',
      'save',
      'flash',
      'takeFlashes',
    ]) {
      expect(name in session).toBe(false)
    }
    expect(() => (session.get('cart') as string[]).push('Persuasion')).toThrow(/not extensible/)
    expect([...session]).toEqual([
      ['n', 1],
      ['cart', ['Emma']],
    ])
    expect([...session.keys()]).toEqual(['n', 'cart'])
    expect([...session.values()]).toEqual([1, ['Emma']])
    expect([session.size, session.isEmpty, session.isNew, session.has('n')]).toEqual([2, false, false, true])
  })

  it('shows the changes of the action it is called in, and of none after it', async () => {
    const app = application()
    app.visit(request(await stored(app)))
    await app.readSession()
    await app.action(async () => {
      const session = await app.getSession()
      session.set('n', 5)
      expect((await app.readSession()).get('n')).toBe(5)
      // Here a change inside a value is found and saved.
      ;((await app.readSession()).get('cart') as string[]).push('Persuasion')
    })()
    const after = await app.readSession()
    expect([after.get('n'), after.get('cart')]).toEqual([5, ['Emma', 'Persuasion']])
  })

  it('tries every cookie of its name that the browser sent', async () => {
    const app = application()
    const cookie = await stored(app)
    const dead = cookie.replace(/=.*/, `=${'A'.repeat(22)}.${'A'.repeat(32)}`)
    app.visit(request(`${cookie}; other=1; ${dead}`, {}, `${dead}; other=1`))
    expect((await app.readSession()).get('n')).toBe(1)
  })

  it('goes by what the proxy or an action has set or removed since', async () => {
    const app = application()
    const [ann, bob] = [await stored(app), await stored(app)]
    app.visit(request(ann, {}, bob))
    const { handle } = await app.readSession()
    expect(bob).toContain(handle)
    app.visit(request(ann, {}, 'other=1'))
    expect((await app.readSession()).isEmpty).toBe(true)
  })
})

describe('action()', () => {
  it('shares the session with the actions that it calls', async () => {
    const app = application()
    app.visit(request(await stored(app)))
    app.store.reset()
    const inner = app.action(async () => (await app.getSession()).update('n', (n = 0) => n + 1))
    const outer = app.action(async () => [await inner(), await inner()])
    expect(await outer()).toEqual([2, 3])
    expect(app.store.calls).toMatchObject({ read: 1, update: 1 })
  })

  it('sets the cookie with all its attributes', async () => {
    const app = application({ cookie: { domain: 'example.com', sameSite: 'none', partitioned: true } })
    const { set } = app.visit(request('', { 'X-Forwarded-Proto': 'https' }))
    await app.action(async () => (await app.getSession()).set('n', 1))()
    const [[name, { attributes }] = ['', { attributes: {} }]] = set
    expect(name).toBe('__Secure-sid')
    expect(attributes).toEqual({
      path: '/',
      domain: 'example.com',
      maxAge: 2_592_000,
      httpOnly: true,
      secure: true,
      sameSite: 'none',
      partitioned: true,
    })
  })

  it('saves what is changed after it has ended, unless that would need a cookie', async () => {
    const app = application()
    app.visit(request(await stored(app)))
    const session = await app.action(() => app.getSession())()
    session.set('n', 7)
    await session.save()
    expect((await app.readSession()).get('n')).toBe(7)
    expect(() => session.login('ann')).toThrow(expect.objectContaining({ code: 'ERR_SESSION_HEADERS_SENT' }))
  })

  it('keeps two kinds of sessions apart', async () => {
    const [user, admin] = [application(), application({ cookie: { name: 'admin' } })]
    const given = request()
    user.visit(given)
    admin.visit(given)
    await user.action(
      admin.action(async () => {
        ;(await user.getSession()).set('n', 1)
        ;(await admin.getSession()).set('n', 2)
      }),
    )()
    expect([...given.set.keys()].sort()).toEqual(['admin', 'sid'])
  })
})

describe('proxy()', () => {
  const HOUR = 3_600_000
  const keys = [randomBytes(32).toString('base64url')]

  it('goes on with the cookie of a session that is sealed in it', async () => {
    let now = Date.now()
    const app = application({ store: cookieStore({ keys }), clock: () => now })
    const cookie = await stored(app)
    now += 2 * HOUR
    app.visit(request(cookie))
    const response = await app.proxy()(new Request('http://localhost'))
    expect(response?.headers.get('x-middleware-next')).toBe('1')
    expect(response?.headers.getSetCookie()).toHaveLength(1)
    const own = await app.proxy(() => new Response('own', { headers: { 'Set-Cookie': 'theme=dark' } }))(
      new Request('http://localhost'),
    )
    expect(own?.headers.getSetCookie()).toHaveLength(2)
    expect(await own?.text()).toBe('own')
  })

  it('reads the store once for itself and its handler, which can change nothing', async () => {
    const app = application()
    app.visit(request(await stored(app)))
    const run = app.proxy(async () => {
      ;((await app.readSession()).get('cart') as string[]).push('Persuasion')
    })
    await expect(run(new Request('http://localhost'))).rejects.toThrow(/not extensible/)
    const reading = app.proxy(async () => Response.json((await app.readSession()).get('n')))
    app.store.reset()
    expect(await (await reading(new Request('http://localhost')))?.text()).toBe('1')
    expect(app.store.total).toBe(1)
  })

  it('lets the request pass while the store is down', async () => {
    const store = failingStore(memoryStore())
    const app = application({ store })
    app.visit(request(await stored(app)))
    store.failWhen(() => true)
    expect(await app.proxy()(new Request('http://localhost'))).toBeUndefined()
    expect(store.failures).toBe(1)
    await expect(app.readSession()).rejects.toMatchObject({ code: 'ERR_SESSION_STORE' })
  })
})
