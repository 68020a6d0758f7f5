import { createReadStream } from 'node:fs'
import http, { type IncomingMessage } from 'node:http'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { setTimeout as pause } from 'node:timers/promises'
import compression from 'compression'
import express, { type ErrorRequestHandler, type Response } from 'express'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { expressSession } from '../../src/adapters/express.ts'
import { nodeSession } from '../../src/adapters/node.ts'
import type { Session } from '../../src/index.ts'
import { type Data, failingSessions, SAVE, serve } from './held.ts'

afterEach(() => {
  vi.restoreAllMocks()
})

type Answering = (session: Session<Data>, res: Response) => unknown

/** An Express site that cannot save what its handler changes. */
function failing(
  handler: Answering,
  {
    errorPage,
    before = [],
    after = [],
  }: {
    errorPage?: ErrorRequestHandler
    before?: express.RequestHandler[]
    after?: express.RequestHandler[]
  } = {},
): { origin: Promise<string>; heal: () => void } {
  const { store, sessions } = failingSessions()
  store.failWhen((_call, verb) => verb !== 'read')
  const app = express()
  app.set('env', 'test')
  for (const middleware of before) app.use(middleware)
  app.use(expressSession(sessions))
  app.use(async (req, _res, next) => {
    await sessions.of(req)
    next()
  })
  for (const middleware of after) app.use(middleware)
  app.get('/', async (req, res) => {
    const session = await sessions.of(req)
    session.set('n', 1)
    await handler(session, res)
  })
  if (errorPage) app.use(errorPage)
  return { origin: serve(app), heal: () => store.failWhen(() => false) }
}

const page: ErrorRequestHandler = (error, _req, res, _next) => {
  res.status(error.status).type('text').send(`Sorry: ${error.code}`)
}
const PAGE = 'Sorry: ERR_SESSION_STORE'

describe('a session that cannot be saved', () => {
  it('takes back what the dropped answer said about itself, and leaves the rest', async () => {
    const { origin } = failing(
      (_, res) => {
        res.set({
          'Cache-Control': 'public, max-age=600',
          'Content-Disposition': 'attachment',
          'Content-Encoding': 'identity',
          'Last-Modified': 'Mon, 23 Nov 2026 10:00:00 GMT',
          Location: '/elsewhere',
          ETag: '"1"',
          'X-Frame-Options': 'DENY',
        })
        res.cookie('theme', 'dark').status(201).json({ secret: true })
      },
      { errorPage: (_error, _req, res, _next) => void res.end('Sorry') },
    )
    const response = await fetch(await origin)
    expect(response.status).toBe(503)
    expect(await response.text()).toBe('Sorry')
    const names = [...response.headers.keys()]
    for (const gone of [
      'cache-control',
      'content-disposition',
      'content-encoding',
      'content-type',
      'etag',
      'last-modified',
      'location',
    ]) {
      expect(names).not.toContain(gone)
    }
    expect(response.headers.get('X-Frame-Options')).toBe('DENY')
    // As when the handler had thrown after it had set one.
    expect(response.headers.getSetCookie()).toEqual(['theme=dark; Path=/'])
  })

  it("answers with Express's own error page where the app has none", async () => {
    const { origin } = failing((_, res) => res.send('secret'))
    const response = await fetch(await origin)
    expect(response.status).toBe(503)
    expect(response.headers.get('Content-Type')).toMatch(/html/)
    expect(await response.text()).not.toContain('secret')
  })

  it('answers with the error handler of Express where no route has answered', async () => {
    const { store, sessions } = failingSessions()
    store.failWhen(() => true)
    const app = express()
    app.set('env', 'test')
    app.use(expressSession(sessions), async (req, _res, next) => {
      const session = await sessions.of(req)
      session.set('n', 1)
      next()
    })
    const response = await fetch(await serve(app))
    expect(response.status).toBe(503)
  })

  const writers: [string, Answering][] = [
    ['text', (_, res) => res.send('secret')],
    ['redirect', (_, res) => res.redirect('/secret')],
    ['stream that is piped', (_, res) => Readable.from(forever(), { objectMode: false }).pipe(res)],
    [
      'pipeline',
      (_, res) => void pipeline(Readable.from(forever(), { objectMode: false }), res).catch(() => undefined),
    ],
    ['pipeline of a generator', (_, res) => void pipeline(forever(), res).catch(() => undefined)],
    [
      'handler that never looks whether it may write',
      async (_, res) => {
        for (let i = 0; i < 20; i++) {
          res.write('secret')
          await pause(5)
        }
        res.end('secret end')
      },
    ],
    ['file', (_, res) => createReadStream('package-lock.json').pipe(res)],
    ['file that is sent', (_, res) => res.sendFile('package-lock.json', { root: '.' })],
  ]
  const pages: [string, ErrorRequestHandler][] = [
    ['at once', page],
    ['later', (error, req, res, next) => void setTimeout(() => page(error, req, res, next), SAVE)],
  ]
  for (const [what, handler] of writers) {
    for (const [when, errorPage] of pages) {
      it(`drops a ${what}, and none of it gets into an error page that comes ${when}`, async () => {
        const { origin } = failing(handler, { errorPage })
        const response = await fetch(await origin)
        expect(response.status).toBe(503)
        expect(await response.text()).toBe(PAGE)
        expect(response.headers.getSetCookie()).toEqual([])
        await pause(SAVE * 3)
      })
    }
  }

  it('drops what compression that comes later has begun', async () => {
    for (const handler of [
      (_: unknown, res: Response) => res.send('secret '.repeat(1000)),
      (_: unknown, res: Response) => Readable.from(forever(), { objectMode: false }).pipe(res.type('text')),
    ]) {
      for (const middleware of [{ before: [compression()] }, { after: [compression()] }]) {
        const { origin } = failing(handler, { errorPage: page, ...middleware })
        const response = await fetch(await origin)
        expect(response.status).toBe(503)
        expect(await response.text()).toBe(PAGE)
      }
    }
  })

  it('lets an error page of any length past compression that comes later', async () => {
    const length = 2_000_000
    const { origin } = failing((_, res) => res.send('secret '.repeat(1000)), {
      after: [compression()],
      errorPage(_error, _req, res, _next) {
        const body = Readable.from(Array.from({ length: 20 }, () => Buffer.alloc(length / 20)))
        body.pipe(res.status(503).type('bin'))
      },
    })
    const response = await fetch(await origin)
    expect((await response.arrayBuffer()).byteLength).toBe(length)
  })

  it('lets nothing follow the error page', async () => {
    const { origin } = failing((_, res) => res.write('secret'), {
      errorPage(error, req, res, next) {
        page(error, req, res, next)
        // As a handler may that does not know that its answer is gone. Node would emit an 'error', unheard.
        res.write('secret')
        res.end('secret')
      },
    })
    expect(await (await fetch(await origin)).text()).toBe(PAGE)
  })

  it('leaves the connection in order', async () => {
    const { origin, heal } = failing((_, res) => res.send('welcome'), { errorPage: page })
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 })
    const get = async (): Promise<[number | undefined, string, number | undefined]> => {
      const url = await origin
      const res = await new Promise<IncomingMessage>((resolve) => http.get(url, { agent }, resolve))
      const { localPort } = res.socket
      return [res.statusCode, String(Buffer.concat(await res.toArray())), localPort]
    }
    const failed = await get()
    heal()
    const served = await get()
    agent.destroy()
    expect(failed.slice(0, 2)).toEqual([503, PAGE])
    expect(served).toEqual([200, 'welcome', failed[2]])
  })

  it('tells writers through their callbacks', async () => {
    const told: unknown[] = []
    const { origin } = failing(
      (_, res) => {
        res.write('a', (error) => told.push(error))
        res.end('b', () => told.push('end'))
      },
      { errorPage: page },
    )
    expect(await (await fetch(await origin)).text()).toBe(PAGE)
    expect(told).toEqual([expect.any(Error), 'end'])
  })

  it('releases the files that were being sent', async () => {
    const streams: Readable[] = []
    const { origin } = failing(
      (_, res) => {
        const stream = createReadStream('package-lock.json')
        streams.push(stream)
        stream.pipe(res)
      },
      { errorPage: page },
    )
    await (await fetch(await origin)).text()
    await expect.poll(() => streams.map((stream) => stream.destroyed)).toEqual([true])
  })

  it('leaves a stream alone that others read too', async () => {
    const broadcast = Readable.from(forever(), { objectMode: false })
    broadcast.on('data', () => undefined)
    const { origin } = failing((_, res) => broadcast.pipe(res), { errorPage: page })
    await (await fetch(await origin)).text()
    await pause(SAVE)
    expect(broadcast.destroyed).toBe(false)
    broadcast.destroy()
  })

  it('is answered by node:http with the status and its name, and reported', async () => {
    const reported = vi.spyOn(console, 'error').mockImplementation(() => undefined)
    const { store, sessions } = failingSessions()
    store.failWhen(() => true)
    const origin = await serve(
      nodeSession(sessions, async (req, res) => {
        const session = await sessions.of(req)
        session.set('n', 1)
        res.writeHead(200, { 'Content-Type': 'text/html', 'Content-Length': 6 })
        res.end('secret')
      }),
    )
    const response = await fetch(origin)
    expect(response.status).toBe(503)
    expect(response.headers.get('Content-Type')).toBe('text/plain; charset=utf-8')
    expect(await response.text()).toBe('Service Unavailable')
    expect(reported).toHaveBeenCalledOnce()
  })

  it('after the headers have left, lets the answer end, and tells observers', async () => {
    const { store, sessions } = failingSessions()
    const errors: string[] = []
    sessions.on('storeError', ({ operation }) => errors.push(operation))
    const origin = await serve(
      nodeSession(sessions, async (req, res) => {
        const session = await sessions.of(req)
        if (session.isNew) {
          session.set('n', 1)
          res.end()
          return
        }
        res.write('first, ')
        store.failWhen(() => true)
        session.set('late', true)
        res.end('last')
      }),
    )
    const [cookie = ''] = (await fetch(origin)).headers.getSetCookie()
    const response = await fetch(origin, { headers: { cookie: cookie.split(';', 1).join() } })
    expect(response.status).toBe(200)
    expect(await response.text()).toBe('first, last')
    expect(errors).toEqual(['update'])
  })
})

async function* forever(): AsyncGenerator<string> {
  for (;;) {
    yield 'secret '.repeat(100)
    await pause(1)
  }
}
