import { Readable } from 'node:stream'
import { setTimeout as pause } from 'node:timers/promises'
import compression from 'compression'
import express, { type RequestHandler } from 'express'
import express4 from 'express4'
import { describe, expect, expectTypeOf, it } from 'vitest'
import { expressSession, type WithSession } from '../../src/adapters/express.ts'
import { createSessions, type Session, type Sessions } from '../../src/index.ts'
import { memoryStore } from '../../src/stores/memory.ts'
import { Browser } from '../../src/testing/browser.ts'
import { countingStore } from '../../src/testing/counting-store.ts'
import { type Data, SAVE, serve, slowSessions } from './held.ts'

const counting =
  (sessions: Sessions<Data>): RequestHandler =>
  async (req, _res, next) => {
    const session = await sessions.of(req)
    session.update('n', (n = 0) => n + 1)
    next()
  }

describe('with compression', () => {
  const long = 'a line of a long page\n'.repeat(5000)
  const answers: [string, string, RequestHandler][] = [
    ['a long text', long, (_req, res) => void res.type('text').send(long)],
    ['a short text', 'short', (_req, res) => void res.type('text').send('short')],
    [
      'chunks',
      long + long,
      (_req, res) => {
        res.type('text').write(long)
        res.write(Buffer.from(long))
        res.end()
      },
    ],
    [
      'a slow stream of small chunks',
      'abc',
      (_req, res) => {
        Readable.from(slowly(['a', 'b', 'c'])).pipe(res.type('text'))
      },
    ],
    [
      'a stream',
      long.repeat(20),
      (_req, res) => {
        Readable.from(
          Array.from({ length: 20 }, () => long),
          { objectMode: false },
        ).pipe(res.type('text'))
      },
    ],
    [
      'explicit headers',
      long,
      (_req, res) => {
        res.writeHead(200, { 'Content-Type': 'text/plain' })
        res.end(long)
      },
    ],
  ]
  const orders = {
    before: (sessions) => [compression(), expressSession(sessions), counting(sessions)],
    after: (sessions) => [expressSession(sessions), compression(), counting(sessions)],
    'after the first use of the session and': (sessions) => [
      expressSession(sessions),
      counting(sessions),
      compression(),
    ],
  } satisfies Record<string, (sessions: Sessions<Data>) => RequestHandler[]>
  for (const [order, middleware] of Object.entries(orders)) {
    for (const [name, expected, handler] of answers) {
      it(`${order} it, ${name} arrives whole, with the cookie`, async () => {
        const sessions = slowSessions()
        const app = express()
        app.use(middleware(sessions))
        app.get('/', handler)
        const response = await fetch(await serve(app))
        expect(await response.text()).toBe(expected)
        expect(response.headers.get('Content-Encoding')).toBe(expected === 'short' ? null : 'gzip')
        expect(response.headers.getSetCookie()).toHaveLength(1)
        expect(response.headers.get('Vary')).toMatch(/Cookie/)
        expect(response.headers.get('Vary')).toMatch(/Accept-Encoding/)
      })
    }

    it(`${order} it, events that are flushed arrive at once`, async () => {
      const sessions = slowSessions()
      const app = express()
      app.use(middleware(sessions))
      app.get('/', (_req, res) => {
        res.type('text').write('data: first\n\n')
        res.flush()
      })
      const leaving = new AbortController()
      const response = await fetch(await serve(app), { signal: leaving.signal })
      const { value } = (await response.body?.getReader().read()) ?? {}
      expect(String(Buffer.from(value ?? []))).toBe('data: first\n\n')
      leaving.abort()
    })
  }
})

for (const [version, framework] of [
  ['Express 5', express],
  ['Express 4', express4],
] as const) {
  describe(`on ${version}`, () => {
    it('sends files, and parts of them', async () => {
      const sessions = slowSessions()
      const app = framework()
      app.use(expressSession(sessions), counting(sessions))
      app.get('/', (_req, res) => res.sendFile('LICENSE', { root: '.' }))
      const origin = await serve(app)
      const whole = await fetch(origin)
      expect(whole.headers.getSetCookie()).toHaveLength(1)
      expect(await whole.text()).toMatch(/^MIT License/)
      const part = await fetch(origin, { headers: { Range: 'bytes=0-2' } })
      expect([part.status, await part.text()]).toEqual([206, 'MIT'])
    })

    it('answers that nothing has changed, and still saves', async () => {
      const sessions = slowSessions()
      const app = framework()
      app.use(expressSession(sessions), counting(sessions))
      app.get('/', (_req, res) => void res.send('the same page'))
      const browser = new Browser(await serve(app))
      const first = await browser.get('/')
      const etag = first.headers.get('ETag') ?? ''
      const second = await browser.get('/', {
        headers: { 'If-None-Match': etag, 'Cache-Control': 'max-age=0' },
      })
      expect([second.status, second.body]).toEqual([304, ''])
    })

    it('loads the session before the handlers when it is told to be eager', async () => {
      const sessions = slowSessions()
      const app = framework()
      app.use(expressSession(sessions, { eager: true }))
      app.get('/', (req, res) => {
        const { session } = req as object as WithSession<typeof req, Data>
        res.send(String(session.update('n', (n = 0) => n + 1)))
      })
      const browser = new Browser(await serve(app))
      expect([(await browser.get('/')).body, (await browser.get('/')).body]).toEqual(['1', '2'])
    })

    it('may be installed again on a router or a sub-app', async () => {
      const store = countingStore(memoryStore())
      const sessions = createSessions<Data>({ store })
      const app = framework()
      const sub = framework()
      const router = framework.Router()
      app.use(expressSession(sessions), counting(sessions))
      router.use(expressSession(sessions), counting(sessions))
      sub.use(expressSession(sessions, { eager: true }), counting(sessions))
      sub.get('/', async (req, res) => {
        const { session } = req as object as WithSession<typeof req, Data>
        expect(session).toBe(await sessions.of(req))
        res.send(String(session.get('n')))
      })
      router.use('/sub', sub)
      app.use('/router', router)
      const answer = await fetch(new URL('/router/sub', await serve(app)))
      expect(await answer.text()).toBe('3')
      expect(answer.headers.getSetCookie()).toHaveLength(1)
      expect(store.total).toBe(1)
    })

    it('keeps two kinds of sessions side by side', async () => {
      const users = slowSessions()
      const admins = createSessions<Data>({ cookie: { name: 'admin' } })
      const app = framework()
      app.use(expressSession(users), expressSession(admins))
      app.get('/', counting(users), counting(admins), async (req, res) => {
        const both = [(await users.of(req)).get('n'), (await admins.of(req)).get('n')]
        res.json(both)
      })
      app.get('/admin', counting(admins), async (req, res) => res.json((await admins.of(req)).get('n')))
      const browser = new Browser(await serve(app))
      const first = await browser.get('/')
      expect(first.setCookies.map((cookie) => cookie.split('=', 1)[0]).sort()).toEqual(['admin', 'sid'])
      expect([first.body, (await browser.get('/')).body]).toEqual(['[1,1]', '[2,2]'])
      expect((await browser.get('/admin')).body).toBe('3')
      expect((await browser.get('/')).body).toBe('[3,4]')
    })

    it('leaves a handler that throws after it has answered with the answer it gave', async () => {
      const sessions = slowSessions()
      const app = framework()
      app.set('env', 'test')
      app.use(expressSession(sessions), counting(sessions))
      app.get('/throws', (_req, res) => {
        res.send('the answer')
        throw new Error('afterwards')
      })
      app.get('/twice', (_req, res) => {
        res.redirect('/login')
        res.send('a second answer')
      })
      const origin = await serve(app)
      const thrown = await fetch(new URL('/throws', origin))
      expect([thrown.status, await thrown.text()]).toEqual([200, 'the answer'])
      expect(thrown.headers.getSetCookie()).toHaveLength(1)
      const twice = await fetch(new URL('/twice', origin), { redirect: 'manual' })
      expect([twice.status, twice.headers.get('Location')]).toEqual([302, '/login'])
    })

    it('cuts the answer off when a handler throws in the middle of it', async () => {
      const sessions = slowSessions()
      const app = framework()
      app.set('env', 'test')
      app.use(expressSession(sessions), counting(sessions))
      app.get('/', (_req, res) => {
        res.write('half an answer')
        throw new Error('in the middle')
      })
      await expect(textOf(await serve(app))).rejects.toThrow()
    })

    it('believes what Express says of https', async () => {
      const sessions = createSessions<Data>()
      const app = framework()
      app.use(expressSession(sessions), counting(sessions))
      app.get('/', (_req, res) => void res.end())
      const origin = await serve(app)
      const headers = { 'X-Forwarded-Proto': 'https' }
      const cookieName = async (): Promise<string | undefined> =>
        (await fetch(origin, { headers })).headers.getSetCookie().join().split('=', 1)[0]
      expect(await cookieName()).toBe('sid')
      app.set('trust proxy', true)
      expect(await cookieName()).toBe('__Host-Http-sid')
    })
  })
}

describe('expressSession()', () => {
  it('refuses what is not a Sessions, and options it does not know', () => {
    const sessions = createSessions()
    const call = expressSession as unknown as (...args: unknown[]) => unknown
    expect(() => call()).toThrow(/first argument of expressSession\(\) must be the sessions/)
    expect(() => call({ store: memoryStore() })).toThrow(TypeError)
    expect(() => call(sessions, { egaer: true })).toThrow(/did you mean "eager"/)
    expect(() => call(sessions, { eager: 'yes' })).toThrow(/"eager" must be one of true, false/)
  })

  it('is what app.use takes, and types the session of an eager request', () => {
    const sessions = createSessions<Data>()
    expectTypeOf(expressSession(sessions)).toExtend<RequestHandler>()
    expectTypeOf<WithSession<express.Request, Data>['session']>().toEqualTypeOf<Session<Data>>()
    expectTypeOf<WithSession<express.Request, Data>['params']>().toEqualTypeOf<express.Request['params']>()
  })

  it('says what is missing where it was not installed', async () => {
    const sessions = createSessions<Data>()
    await expect(sessions.of({})).rejects.toMatchObject({ code: 'ERR_SESSION_MISSING', status: 500 })
  })
})

async function* slowly(chunks: string[]): AsyncGenerator<string> {
  for (const chunk of chunks) {
    await pause(SAVE / 2)
    yield chunk
  }
}

async function textOf(origin: string): Promise<string> {
  return (await fetch(origin)).text()
}
