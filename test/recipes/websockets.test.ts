import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { io, type Socket } from 'socket.io-client'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import WebSocket from 'ws'
import { createSessions, type Sessions } from '../../src/index.ts'
import { sqliteStore } from '../../src/stores/sqlite.ts'
import { upTo } from '../core/site.ts'
import { type PageProgram, RUNTIMES, startPage } from './page-program.ts'
import { Visitor } from './visitor.ts'

// The programs of docs/frameworks/websockets.md, as they stand there, with real clients. This process is another one of the
// same site: it shares the store.

const PAGE = 'docs/frameworks/websockets.md'

interface Data {
  num_visits: number
  messages: number
}

type Runtime = (typeof RUNTIMES)[keyof typeof RUNTIMES]

interface Site extends PageProgram {
  /** The same sessions as another process has them. */
  elsewhere: Sessions<Data>
}

async function startSite(main: string, runtime?: Runtime): Promise<Site> {
  const program = await startPage(PAGE, main, {}, runtime)
  const elsewhere = createSessions<Data>({ store: sqliteStore(join(program.folder, 'sessions.db')) })
  const stop = async (): Promise<void> => {
    await elsewhere.close()
    await program.stop()
  }
  return { ...program, elsewhere, stop }
}

async function visitorOf(site: Site): Promise<Visitor> {
  const visitor = new Visitor(site.origin)
  await visitor.text('/')
  return visitor
}

function idOf(visitor: Visitor): string {
  return visitor.cookie.split('=')[1] ?? ''
}

async function handleOf(site: Site, visitor: Visitor): Promise<string> {
  const session = await site.elsewhere.resume(idOf(visitor))
  return session?.handle ?? ''
}

async function messagesOf(site: Site, visitor: Visitor): Promise<number | undefined> {
  const session = await site.elsewhere.resume(idOf(visitor))
  return session?.get('messages')
}

const servers: [name: string, main: string, runtime?: Runtime][] = [
  ['ws', 'app.ts'],
  ['Bun', 'bun.ts', RUNTIMES.bun],
  ['Deno', 'deno.ts', RUNTIMES.deno],
]

// Bun and Deno are there for one platform only. Where the runner says that it has all, one that is missing fails.
const present = servers.filter(([name, , runtime]) => {
  if (!runtime || process.env['CI'] === 'true' || existsSync(runtime.program)) return true
  console.warn(`Skipped: ${name} is not in test/runtimes`)
  return false
})

describe.each(present)('%s', (_, main, runtime) => {
  let site: Site
  beforeAll(async () => {
    site = await startSite(main, runtime)
  })
  afterAll(() => site.stop())

  function connect(cookie: string, origin: string | undefined = site.origin): WebSocket {
    const socket = new WebSocket(site.origin.replace('http', 'ws'), {
      headers: { cookie },
      ...(origin && { origin }),
    })
    onTestFinished(() => socket.terminate())
    return socket
  }

  async function opened(cookie: string, origin?: string): Promise<WebSocket> {
    const socket = connect(cookie, origin)
    await once(socket, 'open')
    return socket
  }

  async function statusOf(cookie: string, origin?: string): Promise<number | undefined> {
    const socket = connect(cookie, origin)
    // Closing a socket that was refused is an error, too.
    socket.on('error', () => undefined)
    const [, response] = await once(socket, 'unexpected-response')
    return response.statusCode
  }

  async function ask(socket: WebSocket, message: string): Promise<string> {
    const answer = once(socket, 'message')
    socket.send(message)
    return String((await answer)[0])
  }

  it('counts messages beside visits', async () => {
    const visitor = await visitorOf(site)
    const socket = await opened(visitor.cookie)
    expect(await ask(socket, 'hello')).toBe('1: hello')
    expect(await visitor.text('/')).toContain('2 times')
    expect(await ask(socket, 'again')).toBe('2: again')
  })

  it('loses nothing of 100 messages on four sockets, 50 requests and 50 of another process at once', async () => {
    const visitor = await visitorOf(site)
    const sockets = await Promise.all(upTo(4).map(() => opened(visitor.cookie)))
    const answers = sockets.map(async (socket) => {
      let count = 0
      for await (const _ of on(socket, 25)) count++
      return count
    })
    for (const i of upTo(100)) sockets[i % 4]?.send('x')
    const others = upTo(50).map(async () => {
      const session = await site.elsewhere.resume(idOf(visitor))
      session?.update('messages', (n = 0) => n + 1)
      await session?.save()
    })
    await Promise.all([...answers, ...others, ...upTo(50).map(() => visitor.clone().text('/'))])
    expect(await messagesOf(site, visitor)).toBe(150)
    expect(await visitor.text('/')).toContain('52 times')
  })

  it.each(['', 'sid=junk', `sid=${'A'.repeat(22)}.${'A'.repeat(32)}`])(
    'refuses who has no session: %j',
    async (cookie) => {
      expect(await statusOf(cookie)).toBe(401)
    },
  )

  it('refuses the cookie of a visitor when another page sends it', async () => {
    const { cookie } = await visitorOf(site)
    for (const origin of ['http://evil.test', 'http://localhost', 'http://app.localhost', 'null']) {
      expect(await statusOf(cookie, origin)).toBe(401)
    }
    // A program sends none.
    const program = connect(cookie, '')
    await once(program, 'open')
  })

  // The pages of the others have no sign-out.
  if (main === 'app.ts') {
    it('closes the sockets of a visitor who signs out, and of nobody else', async () => {
      const [visitor, other] = [await visitorOf(site), await visitorOf(site)]
      const sockets = [await opened(visitor.cookie), await opened(visitor.cookie)]
      const left = await opened(other.cookie)
      const { cookie } = visitor
      const closed = Promise.all(sockets.map((socket) => once(socket, 'close')))
      expect((await visitor.post('/logout')).status).toBe(303)
      expect((await closed).map(([code, reason]) => [code, String(reason)])).toEqual([
        [4401, 'Your session has ended'],
        [4401, 'Your session has ended'],
      ])
      expect(await statusOf(cookie)).toBe(401)
      expect(await ask(left, 'still here')).toBe('1: still here')
    })
  }

  it('answers no message after another process has revoked the session', async () => {
    const visitor = await visitorOf(site)
    const socket = await opened(visitor.cookie)
    await site.elsewhere.revoke(await handleOf(site, visitor))
    const heard: string[] = []
    socket.on('message', (message) => heard.push(String(message)))
    socket.send('anybody there?')
    expect((await once(socket, 'close'))[0]).toBe(4401)
    expect(heard).toEqual([])
  })

  it('closes the socket of who knew the id before a sign-in', async () => {
    const visitor = await visitorOf(site)
    const planted = await opened(visitor.cookie)
    const visit = site.elsewhere.open({ cookie: visitor.cookie, secure: false })
    ;(await visit.session()).login('ada')
    await visit.commit()
    planted.send('who am I?')
    expect((await once(planted, 'close'))[0]).toBe(4401)
    expect(await messagesOf(site, visitor)).toBeUndefined()
    const mine = new Visitor(site.origin, visit.outcome.setCookies[0]?.split(';')[0])
    expect(await ask(await opened(mine.cookie), 'and I?')).toBe('1: and I?')
  })

  it('survives clients that vanish in the middle of the handshake', async () => {
    const { cookie } = await visitorOf(site)
    for (const _ of upTo(20))
      connect(cookie)
        .on('error', () => undefined)
        .terminate()
    expect(await ask(await opened(cookie), 'hello')).toBe('1: hello')
    expect(site.output()).not.toContain('Unhandled')
  })
})

/** The next messages of a socket, as many as that. */
async function* on(socket: WebSocket, count: number): AsyncGenerator<string> {
  const queue: string[] = []
  socket.on('message', (message) => queue.push(String(message)))
  for (let i = 0; i < count; i++) {
    await expect.poll(() => queue.length, { interval: 5 }).toBeGreaterThan(i)
    yield queue[i] ?? ''
  }
}

describe.each(['polling', 'websocket'] as const)('Socket.IO by %s', (transport) => {
  let site: Site
  beforeAll(async () => {
    site = await startSite('socket-io.ts')
  })
  afterAll(() => site.stop())

  function connect(cookie: string, origin = site.origin): Socket {
    const extraHeaders = { cookie, origin }
    const socket = io(site.origin, {
      transports: [transport],
      extraHeaders,
      forceNew: true,
      reconnection: false,
    })
    onTestFinished(() => void socket.disconnect())
    return socket
  }

  async function opened(cookie: string): Promise<Socket> {
    const socket = connect(cookie)
    await event(socket, 'connect')
    return socket
  }

  async function refusalOf(cookie: string, origin?: string): Promise<string> {
    const [error] = await event(connect(cookie, origin), 'connect_error')
    return String(error)
  }

  it('counts messages beside visits', async () => {
    const visitor = await visitorOf(site)
    const socket = await opened(visitor.cookie)
    expect(await socket.emitWithAck('message', 'hello')).toBe('1: hello')
    expect(await visitor.text('/')).toContain('2 times')
    const answers = await Promise.all(upTo(50).map(() => socket.emitWithAck('message', 'x')))
    expect(answers).toHaveLength(50)
    expect(await messagesOf(site, visitor)).toBe(51)
  })

  it('refuses strangers, and pages of others', async () => {
    const { cookie } = await visitorOf(site)
    expect(await refusalOf('')).toContain('No session')
    expect(await refusalOf(cookie, 'http://app.localhost')).toContain('No session')
  })

  it('closes the socket of a session that another process has revoked, at its next message', async () => {
    const visitor = await visitorOf(site)
    const socket = await opened(visitor.cookie)
    await site.elsewhere.revoke(await handleOf(site, visitor))
    const closed = event(socket, 'disconnect')
    socket.emit('message', 'anybody there?', () => undefined)
    expect((await closed)[0]).toBe('io server disconnect')
    expect(await refusalOf(visitor.cookie)).toContain('No session')
  })
})

function event(socket: Socket, name: string): Promise<unknown[]> {
  return new Promise((resolve) => socket.once(name, (...args) => resolve(args)))
}
