import { once } from 'node:events'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { fileURLToPath } from 'node:url'
import { Miniflare } from 'miniflare'
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest'
import { blocksOf } from '../../scripts/page-blocks.ts'
import { createSessions, type Sessions } from '../../src/index.ts'
import { type D1Client, d1Store } from '../../src/stores/d1.ts'
import { Browser } from '../../src/testing/browser.ts'
import { upTo } from '../core/site.ts'
import { bundleWorker } from './bundle.ts'
import { describeOn } from './describe-on.ts'
import { module, WORKERD } from './workerd.ts'

// The Worker of docs/frameworks/websockets.md, as it stands there, in two isolates on one database. This process is another
// one of the same site: it has the database, too.

interface Data {
  num_visits: number
  messages: number
}

const folder = fileURLToPath(new URL('dist/', import.meta.url))

/** How long a socket that only listens may not hear of an end: longer than any test, or hardly, by isolate. */
const INTERVALS = { deaf: '1d', watchful: '1s' }

/** The Worker of the page, in a file for each isolate. */
async function bundlePage(): Promise<{ name: string; file: string }[]> {
  const page = readFileSync(new URL('../../docs/frameworks/websockets.md', import.meta.url), 'utf8')
  const worker = blocksOf(page).find(({ name }) => name === 'worker.ts')
  const [name = '', ...code] = worker?.code.split('\n') ?? []
  const [, withImport = ''] = name.split('with: ')
  mkdirSync(folder, { recursive: true })
  return Promise.all(
    Object.entries(INTERVALS).map(async ([name, checkInterval]) => {
      const source = `${folder}page-${name}-${process.pid}.ts`
      const options = JSON.stringify({ checkInterval })
      writeFileSync(source, [withImport, ...code].join('\n').replace('ofUpgrade(request', `$&, ${options}`))
      const file = source.replace(/ts$/, 'mjs')
      await bundleWorker(source, file)
      rmSync(source)
      return { name, file }
    }),
  )
}

describeOn(WORKERD, () => {
  let miniflare: Miniflare
  let deaf: string
  let watchful: string
  let elsewhere: Sessions<Data>

  beforeAll(async () => {
    const files = await bundlePage()
    miniflare = new Miniflare({
      workers: files.map(({ name, file }) => ({ ...module(name, file), unsafeDirectSockets: [{ port: 0 }] })),
    })
    for (const { file } of files) rmSync(file)
    await miniflare.ready
    deaf = await originOf('deaf')
    watchful = await originOf('watchful')
    const database = (await miniflare.getD1Database('DB', 'deaf')) as unknown as D1Client
    elsewhere = createSessions<Data>({ store: d1Store(database) })
  })
  // It would keep the process alive.
  afterAll(() => miniflare?.dispose())

  async function originOf(worker: keyof typeof INTERVALS): Promise<string> {
    const { port } = await miniflare.unsafeGetDirectURL(worker)
    return `http://localhost:${port}`
  }

  async function visitorOf(origin = deaf): Promise<Browser> {
    const visitor = new Browser(origin)
    await visitor.get('/')
    return visitor
  }

  async function opened({ cookie }: Browser, origin = deaf): Promise<WebSocket> {
    const socket = new WebSocket(origin.replace('http', 'ws'), { headers: { cookie, origin } })
    await once(socket, 'open')
    onTestFinished(() => socket.close())
    return socket
  }

  /** What a handshake is answered, beside the socket. */
  async function statusOf(cookie: string, origin = deaf): Promise<number | undefined> {
    const headers = {
      Connection: 'Upgrade',
      Upgrade: 'websocket',
      'Sec-WebSocket-Version': '13',
      'Sec-WebSocket-Key': 'AAAAAAAAAAAAAAAAAAAAAA==',
      Cookie: cookie,
      Origin: origin,
    }
    const asked = request(deaf, { headers }).end()
    const [response] = await Promise.race([once(asked, 'response'), once(asked, 'upgrade')])
    asked.destroy()
    return response.statusCode
  }

  async function ask(socket: WebSocket, message: string): Promise<string> {
    const answer = once(socket, 'message')
    socket.send(message)
    const [{ data }] = await answer
    return data
  }

  async function closing(socket: WebSocket): Promise<[code: number, reason: string]> {
    const [{ code, reason }] = await once(socket, 'close')
    return [code, reason]
  }

  const idOf = ({ cookie }: Browser): string => cookie.split('=')[1] ?? ''
  const ENDED = [4401, 'Your session has ended']

  it('counts messages beside visits', async () => {
    const visitor = await visitorOf()
    const socket = await opened(visitor)
    expect(await ask(socket, 'hello')).toBe('1: hello')
    expect((await visitor.get('/')).body).toContain('2 times')
    expect(await ask(socket, 'again')).toBe('2: again')
  })

  it('loses nothing of 100 messages on four sockets in two isolates, and 20 requests', async () => {
    const visitor = await visitorOf()
    const sockets = await Promise.all(
      [deaf, deaf, watchful, watchful].map((origin) => opened(visitor, origin)),
    )
    const visits = upTo(20).map(() => visitor.get('/'))
    const answers = sockets.map(async (socket) => {
      for (const _ of upTo(25)) await ask(socket, 'x')
    })
    await Promise.all([...visits, ...answers])
    const session = await elsewhere.resume(idOf(visitor))
    expect(session?.get('messages')).toBe(100)
    expect(session?.get('num_visits')).toBe(21)
  })

  it('refuses strangers, and the cookie of a visitor when another page sends it', async () => {
    const { cookie } = await visitorOf()
    expect(await statusOf('')).toBe(401)
    expect(await statusOf(`sid=${'A'.repeat(22)}.${'A'.repeat(32)}`)).toBe(401)
    expect(await statusOf(cookie, 'http://evil.test')).toBe(401)
    expect(await statusOf(cookie)).toBe(101)
  })

  it('closes the sockets of a visitor who signs out, here at once and elsewhere by the watch, and of nobody else', async () => {
    const [visitor, other] = [await visitorOf(), await visitorOf()]
    const sockets = await Promise.all([deaf, watchful].map((origin) => opened(visitor, origin)))
    const left = await opened(other)
    const closed = Promise.all(sockets.map(closing))
    await visitor.post('/logout')
    expect(await closed).toEqual([ENDED, ENDED])
    expect(await ask(left, 'still here')).toBe('1: still here')
  })

  it('answers no message after another process has revoked the session', async () => {
    const visitor = await visitorOf()
    const socket = await opened(visitor)
    const session = await elsewhere.resume(idOf(visitor))
    await elsewhere.revoke(session?.handle ?? '')
    const heard: unknown[] = []
    socket.addEventListener('message', ({ data }) => heard.push(data))
    const closed = closing(socket)
    socket.send('anybody there?')
    expect(await closed).toEqual(ENDED)
    expect(heard).toEqual([])
    expect(await statusOf(visitor.cookie)).toBe(401)
  })

  it('closes the sockets of who knew the id before a sign-in, here at once and elsewhere by the watch', async () => {
    const visitor = await visitorOf()
    const planted = await Promise.all([deaf, watchful].map((origin) => opened(visitor, origin)))
    const closed = Promise.all(planted.map(closing))
    expect((await visitor.post('/login')).body).toBe('Hello')
    expect(await closed).toEqual([ENDED, ENDED])
    expect(await ask(await opened(visitor), 'and I?')).toBe('1: and I?')
  })
})
