import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createHttp2, type Http2ServerRequest } from 'node:http2'
import https from 'node:https'
import { connect } from 'node:net'
import { Readable } from 'node:stream'
import { setTimeout as pause } from 'node:timers/promises'
import { afterEach, describe, expect, expectTypeOf, it, onTestFinished, vi } from 'vitest'
import { nodeSession } from '../../src/adapters/node.ts'
import { createSessions } from '../../src/index.ts'
import { memoryStore } from '../../src/stores/memory.ts'
import { aroundStore } from '../../src/testing/around-store.ts'
import { Browser } from '../../src/testing/browser.ts'
import { type Data, gatedSessions, holding, raw, SAVE, serve, signal, slowSessions } from './held.ts'
import { close, originOf } from './serve.ts'

afterEach(() => {
  vi.restoreAllMocks()
})

function silent() {
  return vi.spyOn(console, 'error').mockImplementation(() => undefined)
}

describe('nodeSession()', () => {
  it('answers what a handler throws with its status and no details', async () => {
    const reported = silent()
    const sessions = slowSessions()
    const origin = await serve(
      nodeSession(sessions, (req) => {
        if (req.url === '/sync') throw new Error('a secret detail')
        const status = Number(req.url?.slice(1))
        return Promise.reject(Object.assign(new Error('a secret detail'), { status }))
      }),
    )
    const get = async (path: string): Promise<string> => {
      const response = await fetch(new URL(path, origin))
      return `${response.status} ${await response.text()}`
    }
    expect(await get('/sync')).toBe('500 Internal Server Error')
    expect(await get('/404')).toBe('404 Not Found')
    expect(await get('/200')).toBe('500 Internal Server Error')
    // A client's mistakes are no news for the operator.
    expect(reported).toHaveBeenCalledTimes(2)
  })

  it('cuts off the answer of a handler that throws in the middle of it, and keeps one that is complete', async () => {
    silent()
    const cut = await holding((_, res) => {
      res.write('half')
      throw new Error('in the middle')
    })
    await expect(textOf(cut)).rejects.toThrow()
    const whole = await holding((_, res) => {
      res.end('whole')
      throw new Error('afterwards')
    })
    expect(await (await fetch(whole)).text()).toBe('whole')
  })

  it('asks onError for an answer, and answers itself when that fails', async () => {
    silent()
    const sessions = slowSessions()
    const handler = (): never => {
      throw Object.assign(new Error('teapot'), { status: 418 })
    }
    const own = await serve(
      nodeSession(sessions, handler, {
        async onError(error, req, res) {
          await pause(1)
          res.end(`${req.url}: ${error instanceof Error && error.message}`)
        },
      }),
    )
    expect(await (await fetch(own)).text()).toBe('/: teapot')
    const failing = await serve(
      nodeSession(sessions, handler, { onError: () => Promise.reject(new Error('again')) }),
    )
    expect((await fetch(failing)).status).toBe(500)
  })

  it('believes a proxy that it is told to trust, and only that', async () => {
    const cookieName = async (trustProxy: boolean, proto: string): Promise<string | undefined> => {
      const sessions = createSessions<Data>()
      const origin = await serve(
        nodeSession(
          sessions,
          async (req, res) => {
            const session = await sessions.of(req)
            session.set('n', 1)
            res.end()
          },
          { trustProxy },
        ),
      )
      const response = await fetch(origin, { headers: { 'X-Forwarded-Proto': proto } })
      return response.headers.getSetCookie().join().split('=', 1)[0]
    }
    expect(await cookieName(false, 'https')).toBe('sid')
    expect(await cookieName(true, 'https')).toBe('__Host-Http-sid')
    expect(await cookieName(true, 'HTTPS, http')).toBe('__Host-Http-sid')
    expect(await cookieName(true, 'http')).toBe('sid')
  })

  it('sets a Secure cookie on a connection that is encrypted', async () => {
    const sessions = createSessions<Data>()
    const handler = nodeSession(sessions, async (req, res) => {
      const session = await sessions.of(req)
      session.set('n', 1)
      res.end()
    })
    // A key that both know in advance, so that no certificate is needed.
    const psk = Buffer.alloc(16, 1)
    const tls = { ciphers: 'PSK', maxVersion: 'TLSv1.2' } as const
    const server = https.createServer({ ...tls, pskCallback: () => psk }, handler).listen(0)
    await once(server, 'listening')
    onTestFinished(() => close(server))
    const { port } = new URL(originOf(server))
    const pskCallback = () => ({ psk, identity: 'test' })
    const client = { ...tls, port, pskCallback, checkServerIdentity: () => undefined }
    const req = https.get(client)
    const [res] = (await once(req, 'response')) as [IncomingMessage]
    res.resume()
    expect(res.headers['set-cookie']).toEqual([expect.stringMatching(/^__Host-Http-sid=.*; Secure$/)])
  })

  it('refuses arguments that are wrong', () => {
    const sessions = createSessions()
    const call = nodeSession as unknown as (...args: unknown[]) => unknown
    const handler = (): void => undefined
    expect(() => call(handler)).toThrow(/first argument of nodeSession\(\) must be the sessions/)
    expect(() => call(sessions)).toThrow(/second argument of nodeSession\(\) must be a function/)
    expect(() => call(sessions, handler, { trustproxy: true })).toThrow(/did you mean "trustProxy"/)
    expect(() => call(sessions, handler, { trustProxy: 1 })).toThrow(/"trustProxy" must be one of/)
    expect(() => call(sessions, handler, { onError: true })).toThrow(/"onError" must be a function/)
  })

  it('types its handler by the server it is given to', () => {
    const sessions = createSessions()
    createServer(
      nodeSession(sessions, (req, res) => {
        expectTypeOf(req).toEqualTypeOf<IncomingMessage>()
        expectTypeOf(res).toExtend<ServerResponse>()
      }),
    )
    createHttp2(
      nodeSession(sessions, (req) => {
        expectTypeOf(req).toEqualTypeOf<Http2ServerRequest>()
      }),
    )
  })
})

describe('a session that is saved', () => {
  it('on the way already, by a save() that nobody awaits, is saved before the answer all the same', async () => {
    const sessions = slowSessions()
    const origin = await serve(
      nodeSession(sessions, async (req, res) => {
        const session = await sessions.of(req)
        if (req.url === '/read') return res.end(String(session.get('n')))
        session.set('n', 1)
        void session.save()
        await pause(1)
        return res.end()
      }),
    )
    const browser = new Browser(origin)
    expect((await browser.get('/')).setCookies).toHaveLength(1)
    expect((await browser.get('/read')).body).toBe('1')
  })

  it('after the headers have left is saved before the end of the answer', async () => {
    const sessions = slowSessions()
    const origin = await serve(
      nodeSession(sessions, async (req, res) => {
        const session = await sessions.of(req)
        if (req.url === '/read') return res.end(String(session.get('late')))
        if (session.isNew) session.set('n', 1)
        res.write('begins, ')
        if (session.isNew) return res.end()
        session.set('late', true)
        if (req.url === '/wait') await pause(1)
        return res.end('ends')
      }),
    )
    for (const path of ['/at-once', '/wait']) {
      const browser = new Browser(origin)
      await browser.get('/')
      expect((await browser.get(path)).body).toBe('begins, ends')
      expect((await browser.get('/read')).body).toBe('true')
    }
  })

  it('while its handler changes more of it, is saved with all of that', async () => {
    const { sessions, open } = gatedSessions()
    const origin = await serve(
      nodeSession(sessions, async (req, res) => {
        const session = await sessions.of(req)
        if (req.url === '/read') return res.end(JSON.stringify([...session]))
        session.set('n', 1)
        res.write('begins, ')
        await pause(1)
        session.set('late', true)
        session.regenerateId()
        open()
        return res.end('ends')
      }),
    )
    const browser = new Browser(origin)
    await browser.get('/')
    expect((await browser.get('/read')).body).toBe('[["n",1],["late",true]]')
  })
})

describe('a client that goes', () => {
  it('leaves no stream waiting and no error unhandled, while its answer is held', async () => {
    const closed: string[] = []
    const [begun, begins] = signal()
    const origin = await holding(async (_, res) => {
      begins()
      res.on('close', () => closed.push('response'))
      const source = Readable.from(chunks(), { objectMode: false })
      source.on('close', () => closed.push('source'))
      source.pipe(res)
      await once(res, 'close')
      source.destroy()
    })
    const socket = connect(Number(new URL(origin).port), '127.0.0.1')
    socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n')
    await begun
    await pause(SAVE / 2)
    socket.resetAndDestroy()
    await expect.poll(() => closed.toSorted()).toEqual(['response', 'source'])
    await pause(SAVE * 2)
  })

  it('still has saved what a handler changed that never ends its answer', async () => {
    const saved: string[] = []
    const [changed, changes] = signal()
    const sessions = slowSessions()
    sessions.on('created', () => saved.push('created'))
    const origin = await serve(
      nodeSession(sessions, async (req) => {
        const session = await sessions.of(req)
        session.set('n', 1)
        changes()
      }),
    )
    const leaving = new AbortController()
    const answer = fetch(origin, { signal: leaving.signal })
    const refused = expect(answer).rejects.toThrow()
    await changed
    leaving.abort()
    await refused
    await expect.poll(() => saved).toEqual(['created'])
  })

  it('by the handler itself, that destroys the response, harms nobody', async () => {
    const origin = await holding((_, res) => {
      res.write('a')
      res.destroy()
    })
    await expect(textOf(origin)).rejects.toThrow()
    const ended = await holding((_, res) => {
      res.end('a')
      res.destroy(new Error('for a reason'))
    })
    await expect(textOf(ended)).rejects.toThrow()
    await pause(SAVE * 2)
  })

  it('half, having said all that it has to say, still gets its answer', async () => {
    const origin = await holding((_, res) => res.end('the answer'))
    const socket = connect({ port: Number(new URL(origin).port), host: '127.0.0.1', allowHalfOpen: true })
    socket.end('GET / HTTP/1.1\r\nHost: x\r\n\r\n')
    await once(socket, 'close').catch(() => undefined)
  })
})

describe('requests in one go on one connection', () => {
  it('get their answers in order', async () => {
    const origin = await holding((session, res, req) => res.end(`${req.url} ${session.get('n')};`))
    const request = (path: string, more = ''): string => `GET ${path} HTTP/1.1\nHost: x\n${more}\n`
    const text = await raw(origin, request('/1') + request('/2') + request('/3', 'Connection: close\n'))
    expect(text.match(/\/\d \d;/g)).toEqual(['/1 1;', '/2 1;', '/3 1;'])
    expect(text.match(/Set-Cookie/gi)).toHaveLength(3)
  })
})

describe('a store that never answers', () => {
  it('holds the response no longer than its timeout', async () => {
    silent()
    const store = aroundStore(memoryStore(), () => new Promise(() => undefined))
    const sessions = createSessions<Data>({ store, storeTimeout: '50ms' })
    const origin = await serve(
      nodeSession(sessions, async (req, res) => {
        const session = await sessions.of(req)
        session.set('n', 1)
        res.end()
      }),
    )
    expect((await fetch(origin)).status).toBe(503)
  })
})

async function* chunks(): AsyncGenerator<string> {
  for (;;) {
    yield 'chunk '.repeat(1000)
    await pause(1)
  }
}

async function textOf(origin: string): Promise<string> {
  return (await fetch(origin)).text()
}
