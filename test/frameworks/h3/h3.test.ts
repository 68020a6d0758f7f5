import { H3, redirect } from 'h3'
import * as h3v1 from 'h3v1'
import { describe, expect, it, onTestFinished } from 'vitest'
import { h3Session, type WithSession } from '../../../src/adapters/h3.ts'
import { createSessions, SessionError, type Sessions } from '../../../src/index.ts'
import { memoryStore } from '../../../src/stores/memory.ts'
import { Browser } from '../../../src/testing/browser.ts'
import { failingStore } from '../../../src/testing/failing-store.ts'
import { listenH3 } from './sites.ts'

interface Data {
  n: number
}

type Visit = (request: string | Request) => Promise<Response>

/** Counts a visit, and answers the count. */
async function count(sessions: Sessions<Data>, event: object): Promise<number> {
  return (await sessions.of(event)).update('n', (n = 0) => n + 1)
}

/** The cookie that an answer sets. */
function cookieOf(response: Response): string {
  const [cookie, ...more] = response.headers.getSetCookie()
  expect(more).toEqual([])
  return cookie?.split(';', 1)[0] ?? ''
}

function again(path: string, cookie: string, headers: Record<string, string> = {}): Request {
  return new Request(`http://localhost${path}`, { headers: { cookie, ...headers } })
}

describe('h3 2', () => {
  const site = (app: H3): Visit => {
    return async (request) =>
      app.request(typeof request === 'string' ? `http://localhost${request}` : request)
  }

  it('adds to responses that cannot be changed, and leaves shared ones alone', async () => {
    const sessions = createSessions<Data>({ store: memoryStore() })
    const shared = new Response(null, { headers: { 'Cache-Control': 'public' } })
    const app = new H3()
      .register(h3Session(sessions))
      .get('/redirect', async (event) => {
        await count(sessions, event)
        return Response.redirect('http://localhost/there', 302)
      })
      .get('/own-redirect', async (event) => {
        await count(sessions, event)
        return redirect('/there', 303)
      })
      .get('/shared', async (event) => {
        await count(sessions, event)
        return shared
      })
    const visit = site(app)
    for (const [path, status] of [
      ['/redirect', 302],
      ['/own-redirect', 303],
    ] as const) {
      const answer = await visit(path)
      expect(answer.status).toBe(status)
      expect(answer.headers.get('Location')).toMatch(/\/there$/)
      expect(cookieOf(answer)).toMatch(/^sid=/)
    }
    const answer = await visit('/shared')
    expect(cookieOf(answer)).toMatch(/^sid=/)
    expect(answer.headers.get('Cache-Control')).toContain('private')
    expect([...shared.headers]).toEqual([['cache-control', 'public']])
  })

  it('is a middleware, too, and may come again in a sub-app', async () => {
    const sessions = createSessions<Data>({ store: memoryStore() })
    const admins = createSessions<Data>({ store: memoryStore(), cookie: { name: 'admin' } })
    const session = h3Session(sessions)
    const inner = new H3()
      .register(session)
      .register(h3Session(admins))
      .get('/both', async (event) => [await count(sessions, event), await count(admins, event)])
    const visit = site(new H3().use(session).mount('/inner', inner))
    const answer = await visit('/inner/both')
    expect(await answer.json()).toEqual([1, 1])
    const names = answer.headers.getSetCookie().map((line) => line.split('=', 1)[0])
    expect(names.sort()).toEqual(['admin', 'sid'])
    const cookie = answer.headers.getSetCookie().map((line) => line.split(';', 1)[0])
    expect(await (await visit(again('/inner/both', cookie.join('; ')))).json()).toEqual([2, 2])
  })

  it('says that the session is missing where it was not installed', async () => {
    const sessions = createSessions<Data>({ store: memoryStore() })
    const app = new H3().get('/', (event) =>
      sessions.of(event).catch((error: unknown) => (error instanceof SessionError ? error.code : error)),
    )
    expect(await (await site(app)('/')).text()).toBe('ERR_SESSION_MISSING')
  })

  it('puts the session on the context with eager', async () => {
    const sessions = createSessions<Data>({ store: memoryStore() })
    const app = new H3().register(h3Session(sessions, { eager: true })).get('/', (event) => {
      const { session } = (event as object as WithSession<typeof event, Data>).context
      return String(session.update('n', (n = 0) => n + 1))
    })
    const visit = site(app)
    const cookie = cookieOf(await visit('/'))
    expect(await (await visit(again('/', cookie))).text()).toBe('2')
  })

  it('believes the proxy only when told so', async () => {
    const sessions = createSessions<Data>({ store: memoryStore() })
    for (const trustProxy of [true, false]) {
      const app = new H3()
        .register(h3Session(sessions, { trustProxy }))
        .get('/', async (event) => count(sessions, event))
      const answer = await site(app)(again('/', '', { 'X-Forwarded-Proto': 'https' }))
      expect(/; Secure/.test(answer.headers.getSetCookie()[0] ?? ''), `trustProxy: ${trustProxy}`).toBe(
        trustProxy,
      )
    }
  })

  it('loses nothing of 100 requests at once over HTTP', async () => {
    const sessions = createSessions<Record<string, number>>({ store: memoryStore() })
    const app = new H3()
      .register(h3Session(sessions))
      .get('/', async (event) => {
        const session = await sessions.of(event)
        session.set(event.url.searchParams.get('key') ?? '', 1)
        session.update('n', (n = 0) => n + 1)
        return redirect('/there')
      })
      .get('/there', async (event) => Object.fromEntries(await sessions.of(event)))
    const { origin, close } = await listenH3(app)
    onTestFinished(close)
    const ann = new Browser(origin)
    await ann.get('/?key=first')
    await Promise.all(Array.from({ length: 100 }, (_, i) => ann.get(`/?key=k${i}`)))
    const seen = JSON.parse((await ann.get('/there')).body)
    expect(Object.keys(seen)).toHaveLength(102)
    expect(seen.n).toBe(101)
  })
})

/**
 * h3 1 on responses in memory, as Nitro 2 has them for its internal fetch and on workers: nothing leaves before the app's
 * handler is done.
 */
describe('h3 1 in memory', () => {
  const site = (app: h3v1.App): Visit => {
    const handler = h3v1.toWebHandler(app)
    return (request) =>
      handler(typeof request === 'string' ? new Request(`http://localhost${request}`) : request)
  }

  it('saves before the answer, whichever way it is given', async () => {
    const sessions = createSessions<Data>({ store: memoryStore() })
    const app = h3v1.createApp()
    h3Session(sessions)(app)
    const ways: Record<string, (event: h3v1.H3Event) => unknown> = {
      '/value': () => 'text',
      '/nothing': () => null,
      '/response': () => new Response('text'),
      '/stream': () => new Blob(['text']).stream(),
      '/send': (event) => h3v1.send(event, 'text'),
      '/redirect': (event) => h3v1.sendRedirect(event, '/there'),
      '/error': () => {
        throw h3v1.createError({ statusCode: 418 })
      },
    }
    const router = h3v1.createRouter()
    for (const [path, way] of Object.entries(ways)) {
      router.get(
        path,
        h3v1.eventHandler(async (event) => {
          await count(sessions, event)
          return way(event)
        }),
      )
    }
    router.get(
      '/count',
      h3v1.eventHandler(async (event) => String((await sessions.of(event)).get('n'))),
    )
    const visit = site(app.use(router))
    for (const path of Object.keys(ways)) {
      const answer = await visit(path)
      const cookie = cookieOf(answer)
      expect(cookie, path).toMatch(/^sid=/)
      expect(answer.headers.get('Cache-Control'), path).toContain('private')
      expect(await (await visit(again('/count', cookie))).text(), path).toBe('1')
    }
  })

  it('is an error without a cookie when it could not be saved', async () => {
    const store = failingStore(memoryStore())
    const sessions = createSessions<Data>({ store })
    const app = h3v1.createApp({ onError: (error) => void errors.push(error) })
    const errors: unknown[] = []
    h3Session(sessions)(app)
    const router = h3v1.createRouter()
    const ways = {
      '/value': () => 'text',
      '/send': (event: h3v1.H3Event) => h3v1.send(event, 'text'),
      '/redirect': (event: h3v1.H3Event) => h3v1.sendRedirect(event, '/there'),
    }
    for (const [path, way] of Object.entries(ways)) {
      router.get(
        path,
        h3v1.eventHandler(async (event) => {
          await count(sessions, event)
          return way(event)
        }),
      )
    }
    app.use(router)
    store.failWhen(() => true)
    for (const path of Object.keys(ways)) {
      const answer = await site(app)(path)
      expect(answer.status, path).toBe(503)
      expect(answer.headers.getSetCookie(), path).toEqual([])
      expect(answer.headers.get('Location'), path).toBeNull()
      expect(await answer.text(), path).not.toMatch('text')
    }
    expect(errors).toHaveLength(3)
  })

  it('has eager and trustProxy', async () => {
    const sessions = createSessions<Data>({ store: memoryStore() })
    const app = h3v1.createApp()
    h3Session(sessions, { eager: true, trustProxy: true })({ h3App: app })
    app.use(
      h3v1.eventHandler((event) => {
        const { session } = (event as object as WithSession<typeof event, Data>).context
        return String(session.update('n', (n = 0) => n + 1))
      }),
    )
    const answer = await site(app)(again('/', '', { 'X-Forwarded-Proto': 'https' }))
    expect(answer.headers.getSetCookie()[0]).toContain('; Secure')
    expect(await answer.text()).toBe('1')
  })
})

describe('h3Session', () => {
  const sessions = createSessions<Data>({ store: memoryStore() })

  it('refuses what is wrong when it is made', () => {
    expect(() => h3Session({} as never)).toThrow(/first argument of h3Session\(\)/)
    expect(() => h3Session(sessions, { lazy: true } as never)).toThrow(/"lazy" is not an option of h3Session/)
    expect(() => h3Session(sessions, { eager: 1 } as never)).toThrow(/"eager"/)
    expect(() => h3Session(sessions)({} as never)).toThrow(TypeError)
  })

  it('has errors of one class', async () => {
    const store = failingStore(memoryStore())
    const failing = createSessions<Data>({ store })
    const seen: unknown[] = []
    const app = new H3({ silent: true, onError: (error) => void seen.push(error.cause) })
      .register(h3Session(failing))
      .get('/', async (event) => {
        await count(failing, event)
        event.res.headers.set('Location', '/there')
        return 'lost'
      })
    store.failWhen(() => true)
    const answer = await app.request('http://localhost/')
    expect(answer.status).toBe(503)
    expect(await answer.text()).not.toContain('lost')
    expect(seen).toEqual([expect.any(SessionError)])
  })
})
