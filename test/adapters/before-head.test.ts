import { EventEmitter, once } from 'node:events'
import http, { type IncomingMessage, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { setTimeout as pause } from 'node:timers/promises'
import { describe, expect, it, onTestFinished } from 'vitest'
import { nodeSession } from '../../src/adapters/node.ts'
import { createSessions } from '../../src/index.ts'
import { Browser } from '../../src/testing/browser.ts'
import { type Handler, holding, rawGet, SAVE, serve, slowSessions } from './held.ts'
import { close, originOf } from './serve.ts'

describe('a head that is held', () => {
  const forms: [string, Handler][] = [
    ['an object', (_, res) => res.writeHead(201, { 'Set-Cookie': 'a=1', 'X-A': 'b', Vary: 'Accept' }).end()],
    [
      'a reason and an object',
      (_, res) => res.writeHead(201, 'Made', { 'set-cookie': ['a=1'], 'X-A': 'b', Vary: 'Accept' }).end(),
    ],
    [
      'a flat list',
      (_, res) => res.writeHead(201, ['Set-Cookie', 'a=1', 'X-A', 'b', 'Vary', 'Accept']).end(),
    ],
    [
      'a list of pairs',
      (_, res) =>
        res
          .writeHead(201, [
            ['Set-Cookie', 'a=1'],
            ['X-A', 'b'],
            ['Vary', 'Accept'],
          ] as never)
          .end(),
    ],
    [
      'headers set before, which it replaces',
      (_, res) =>
        res
          .setHeader('X-A', 'old')
          .setHeader('Vary', 'Old')
          .writeHead(201, { 'Set-Cookie': 'a=1', 'X-A': 'b', vary: 'Accept' })
          .end(),
    ],
  ]
  for (const [name, handler] of forms) {
    it(`keeps headers given as ${name}`, async () => {
      const response = await fetch(await holding(handler))
      expect(response.status).toBe(201)
      expect(response.headers.get('X-A')).toBe('b')
      expect(response.headers.get('Vary')).toBe('Accept, Cookie')
      expect(response.headers.getSetCookie()).toEqual(['a=1', expect.stringMatching(/^sid=/)])
    })
  }

  it('keeps several values of one name in a list', async () => {
    const origin = await holding((_, res) =>
      res.writeHead(200, ['Set-Cookie', 'a=1', 'Set-Cookie', 'b=2']).end(),
    )
    const cookies = (await fetch(origin)).headers.getSetCookie()
    expect(cookies).toEqual(['a=1', 'b=2', expect.stringMatching(/^sid=/)])
  })

  it('keeps the reason', async () => {
    const origin = await holding((_, res) => res.writeHead(202, 'Well then').end('x'))
    expect(await rawGet(origin)).toMatch(/^HTTP\/1.1 202 Well then\r\n/)
  })

  it('throws what is wrong with a header at the caller', async () => {
    let thrown: unknown
    const origin = await holding((_, res) => {
      try {
        res.writeHead(200, { 'X-A': 'a\nb' })
      } catch (error) {
        thrown = error
      }
      res.end('still here')
    })
    expect(await (await fetch(origin)).text()).toBe('still here')
    expect(thrown).toMatchObject({ code: 'ERR_INVALID_CHAR' })
  })

  it('may be given by the old name of writeHead', async () => {
    const origin = await holding((_, res) => {
      const { writeHeader } = res as unknown as { writeHeader: ServerResponse['writeHead'] }
      writeHeader.call(res, 202, { 'X-A': 'b' }).end('accepted')
    })
    const response = await fetch(origin)
    expect([response.status, response.headers.get('X-A')]).toEqual([202, 'b'])
    expect(response.headers.getSetCookie()).toHaveLength(1)
  })

  it('looks sent, as it does in Node', async () => {
    const seen: unknown[] = []
    const origin = await holding((_, res) => {
      seen.push(res.headersSent, res.writableEnded)
      res.write('a')
      seen.push(res.headersSent, res.writableEnded)
      try {
        res.setHeader('X-Late', '1')
      } catch (error) {
        seen.push((error as NodeJS.ErrnoException).code)
      }
      // Too late as well, but Node is silent about it.
      res.statusCode = 500
      res.end('b')
      seen.push(res.headersSent, res.writableEnded)
    })
    const response = await fetch(origin)
    expect(response.status).toBe(200)
    expect(response.headers.get('X-Late')).toBeNull()
    expect(await response.text()).toBe('ab')
    expect(seen).toEqual([false, false, true, false, 'ERR_HTTP_HEADERS_SENT', true, true])
  })

  it('may be asked for again by middleware that sends it with each chunk', async () => {
    const origin = await holding((_, res) => {
      const { writeHead } = res
      res.writeHead(200)
      writeHead.call(res, res.statusCode)
      res.write('a')
      res.writeHead(res.statusCode)
      res.end('b')
    })
    expect(await (await fetch(origin)).text()).toBe('ab')
  })

  it('leaves with flushHeaders, once the session is saved', async () => {
    const seen = new EventEmitter()
    const origin = await holding(async (_, res) => {
      res.flushHeaders()
      await once(seen, 'head')
      res.end('late')
    })
    const response = await fetch(origin)
    expect(response.headers.getSetCookie()).toHaveLength(1)
    seen.emit('head')
    expect(await response.text()).toBe('late')
  })

  it('lets early hints and other interim answers pass', async () => {
    const saved: string[] = []
    const sessions = slowSessions()
    sessions.on('created', () => saved.push('saved'))
    const origin = await serve(
      nodeSession(sessions, async (req, res) => {
        const session = await sessions.of(req)
        session.set('n', 1)
        res.writeEarlyHints({ link: '</a.css>; rel=preload' })
        res.writeProcessing()
        saved.push('hinted')
        res.end('page')
      }),
    )
    const text = await rawGet(origin)
    expect(text).toMatch(
      /^HTTP\/1.1 103 Early Hints\r\nLink: <\/a.css>; rel=preload\r\n\r\nHTTP\/1.1 102 Processing/,
    )
    expect(text).toMatch(/HTTP\/1.1 200 OK[\s\S]*Set-Cookie: sid=[\s\S]*page$/i)
    expect(saved).toEqual(['hinted', 'saved'])
  })

  it('answers Expect: 100-continue and reads the body', async () => {
    const origin = await holding(async (_, res, req) => {
      let body = ''
      for await (const chunk of req) body += chunk
      res.end(body.toUpperCase())
    })
    const req = http.request(origin, {
      method: 'POST',
      headers: { Expect: '100-continue', 'Content-Length': 3 },
    })
    req.flushHeaders()
    await once(req, 'continue')
    req.end('abc')
    const [res] = (await once(req, 'response')) as [IncomingMessage]
    expect(String(await res.toArray())).toBe('ABC')
    expect(res.headers['set-cookie']).toHaveLength(1)
  })

  it('leaves the connection as it was, also when the answer was ended twice', async () => {
    const sockets: Socket[] = []
    const origin = await holding((_, res) => {
      if (res.socket) sockets.push(res.socket)
      res.end('once')
      res.end()
    })
    expect(await (await fetch(origin)).text()).toBe('once')
    const [socket] = sockets
    socket?.destroy()
    expect(socket?.destroyed).toBe(true)
  })

  it('keeps trailers', async () => {
    const origin = await holding((_, res) => {
      res.writeHead(200, { Trailer: 'X-Sum' })
      res.write('body')
      res.addTrailers({ 'X-Sum': '42' })
      res.end()
    })
    expect(await rawGet(origin)).toMatch(/4\r\nbody\r\n0\r\nX-Sum: 42\r\n\r\n$/)
  })

  it('gives a text its length, as Node does', async () => {
    const origin = await holding((_, res) => res.end('four'))
    expect(await rawGet(origin)).toMatch(/Content-Length: 4\r\n/)
  })
})

describe('calls that are held', () => {
  it('keep their order, their encodings and their callbacks', async () => {
    const called: string[] = []
    const origin = await holding((_, res) => {
      res.write('c3a4', 'hex', () => called.push('hex'))
      res.write(Buffer.from('b'), () => called.push('buffer'))
      res.write('w6Q=', 'base64')
      res.end('ü', 'latin1', () => called.push('end'))
    })
    const body = Buffer.from(await (await fetch(origin)).arrayBuffer())
    expect(body).toEqual(Buffer.concat([Buffer.from('äbä'), Buffer.from('ü', 'latin1')]))
    expect(called).toEqual(['hex', 'buffer', 'end'])
  })

  it('refuse what is no chunk at once', async () => {
    let thrown: unknown
    const origin = await holding((_, res) => {
      try {
        res.write({} as string)
      } catch (error) {
        thrown = error
      }
      res.end('ok')
    })
    expect(await (await fetch(origin)).text()).toBe('ok')
    expect(thrown).toMatchObject({ code: 'ERR_INVALID_ARG_TYPE' })
  })

  it('push back on the writer, and call again when it may go on', async () => {
    let heldAtOnce = 0
    const origin = await holding(async (_, res) => {
      const chunk = Buffer.alloc(10_000, 'x')
      while (res.write(chunk)) heldAtOnce += chunk.length
      await once(res, 'drain')
      res.end()
    })
    const body = await (await fetch(origin)).arrayBuffer()
    expect(body.byteLength).toBe(heldAtOnce + 10_000)
    expect(heldAtOnce).toBeLessThan(100_000)
  })

  it('call again, too, where the server takes more at once than is held', async () => {
    const sessions = slowSessions()
    const options = { highWaterMark: 1_000_000 }
    const handler = nodeSession(sessions, async (req, res) => {
      const session = await sessions.of(req)
      session.set('n', 1)
      while (res.write(Buffer.alloc(10_000))) expect(res.headersSent).toBe(true)
      await once(res, 'drain')
      res.end()
    })
    const server = http.createServer(options, handler).listen(0)
    await once(server, 'listening')
    onTestFinished(() => close(server))
    expect((await (await fetch(originOf(server))).arrayBuffer()).byteLength).toBeGreaterThan(65_536)
  })

  const SIZE = 50_000_000
  for (const [name, send] of [
    ['pipe', (source: Readable, res: ServerResponse) => void source.pipe(res)],
    ['pipeline', (source: Readable, res: ServerResponse) => pipeline(source, res)],
  ] as const) {
    it(`keep memory bounded when a long stream meets a slow reader (${name})`, async () => {
      let read = 0
      const origin = await holding((_, res) => {
        const source = Readable.from(
          (function* () {
            for (; read < SIZE; read += 50_000) yield Buffer.alloc(50_000, 'y')
          })(),
          { objectMode: false },
        )
        return send(source, res)
      })
      const response = await fetch(origin)
      expect(response.headers.getSetCookie()).toHaveLength(1)
      await pause(SAVE * 3)
      // What fits into the sockets' own buffers is read ahead, and no more.
      expect(read).toBeLessThan(SIZE / 2)
      let received = 0
      for await (const chunk of response.body ?? []) received += chunk.length
      expect(received).toBe(SIZE)
    })
  }

  it('go on when the stream that was piped in is slow and small', async () => {
    const origin = await holding((_, res) => {
      Readable.from(
        (async function* () {
          for (const chunk of ['a', 'b', 'c']) {
            yield chunk
            await pause(SAVE)
          }
        })(),
      ).pipe(res)
    })
    expect(await (await fetch(origin)).text()).toBe('abc')
  })
})

describe('a head that is not held', () => {
  it('says that it depends on the cookie when the session was read', async () => {
    const sessions = slowSessions()
    const origin = await serve(
      nodeSession(sessions, async (req, res) => {
        await sessions.of(req)
        res.writeHead(200, 'Fine', { Vary: 'Accept', 'Cache-Control': 'max-age=60' }).end()
      }),
    )
    const { headers, statusText } = await fetch(origin)
    expect(headers.get('Vary')).toBe('Accept, Cookie')
    expect(headers.get('Cache-Control')).toBe('max-age=60')
    expect(statusText).toBe('Fine')
  })

  const forms: [string, (res: ServerResponse) => void, object][] = [
    ['nothing', (res) => res.end(), {}],
    [
      'headers of other names',
      (res) => res.writeHead(200, { 'X-A': 'b', ETag: ['c'] }).end(),
      { 'x-a': 'b', etag: 'c' },
    ],
    ['a reason as well', (res) => res.writeHead(200, 'Fine', { 'X-A': 'b' }).end(), { 'x-a': 'b' }],
    ['one without a name', (res) => res.writeHead(200, { '': 'b', 'X-A': 'b' }).end(), { 'x-a': 'b' }],
    [
      'some on the response',
      (res) => res.setHeader('X-A', 'old').writeHead(200, { 'x-a': 'b' }).end(),
      { 'x-a': 'b' },
    ],
    ['a list', (res) => res.writeHead(200, ['X-A', 'b']).end(), { 'x-a': 'b' }],
    [
      'the same, in letters of its own',
      (res) => res.writeHead(200, { VARY: 'Accept', 'cache-Control': 'public, max-age=6' }).end(),
      { vary: 'Accept, Cookie', 'cache-control': 'private, max-age=6' },
    ],
  ]
  it.each(forms)(
    'carries its cookie, and what the answer says by itself: %s',
    async (_, answer, expected) => {
      const sessions = createSessions<{ n: number }>()
      const origin = await serve(
        nodeSession(sessions, async (req, res) => {
          const session = await sessions.of(req)
          session.set('n', 1)
          answer(res)
        }),
      )
      const { headers } = await fetch(origin)
      expect(headers.getSetCookie()).toEqual([expect.stringMatching(/^sid=/)])
      const all = { vary: 'Cookie', 'cache-control': 'private', ...expected }
      expect(Object.fromEntries(headers)).toMatchObject(all)
    },
  )

  it('throws what is wrong with a header at the caller', async () => {
    const sessions = createSessions()
    const origin = await serve(
      nodeSession(sessions, async (req, res) => {
        await sessions.of(req)
        expect(() => res.writeHead(200, { 'X-A': 'a\nb' })).toThrow(/X-A/)
        res.end('still here')
      }),
    )
    const response = await fetch(origin)
    expect(await response.text()).toBe('still here')
    expect(response.headers.get('Vary')).toBe('Cookie')
  })

  it('leaves in order when middleware changes the session at the last moment, which is saved afterwards', async () => {
    const sessions = slowSessions()
    const origin = await serve(
      nodeSession(sessions, async (req, res) => {
        const session = await sessions.of(req)
        if (req.url === '/read') return res.end(String(session.get('late')))
        if (session.isNew) session.set('n', 1)
        else onHeaders(res, () => session.set('late', true))
        return res.end('a whole answer')
      }),
    )
    const browser = new Browser(origin)
    await browser.get('/')
    expect((await browser.get('/')).body).toBe('a whole answer')
    await expect.poll(async () => (await browser.get('/read')).body).toBe('true')
  })
})

/** What the package `on-headers` does, as far as it matters here. */
function onHeaders(res: ServerResponse, listener: () => void): void {
  const { writeHead } = res
  res.writeHead = (...args: unknown[]) => {
    listener()
    return writeHead.apply(res, args as never)
  }
}
