import { IncomingMessage, ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import { Writable } from 'node:stream'
import { createSessions, type Sessions } from 'sojourn'
import { cookieStore } from 'sojourn/cookie'
import { memoryStore } from 'sojourn/memory'
import { nodeSession } from 'sojourn/node'
import { promisingStore } from './promising-store.ts'
import { SECRET } from './site-data.ts'

export type Task = () => Promise<unknown>

interface Data {
  num_visits: number
  user: { name: string; email: string; roles: string[] }
  csrf: string
  cart: { isbn: string; copies: number; added: number }[]
}

/** How many sessions the requests go round. */
const SESSIONS = 64

const sessions = createSessions<Data>({ store: memoryStore(), cookie: { secure: false } })
const promised = createSessions<Data>({ store: promisingStore(), cookie: { secure: false } })
const sealed = createSessions<Data>({ store: cookieStore({ keys: [SECRET] }), cookie: { secure: false } })
const add = (n = 0): number => n + 1

/** What one request is, by its name: on the core alone, and from one end of `node:http` to the other. */
export async function layerTasks(): Promise<Record<string, Task>> {
  return {
    'the end of a turn, alone': waitAlone,
    ...(await storedTasks()),
    ...(await promisedTasks()),
    ...(await sealedTasks()),
  }
}

let end: Promise<void> | undefined

/** What each of the core's needs in any case: an asynchronous function that waits for the end of the turn, as sessions do. */
async function waitAlone(): Promise<void> {
  end ??= new Promise((resolve) => {
    setImmediate(() => {
      end = undefined
      resolve()
    })
  })
  await end
}

/** On the core alone, by a store that promises, as all do that are not in this process. */
async function promisedTasks(): Promise<Record<string, Task>> {
  const cookies = await Promise.all(Array.from({ length: SESSIONS }, () => prepare(promised)))
  let next = 0
  const cookie = (): string => cookies[next++ % SESSIONS] ?? ''
  return {
    'core, promising store, read only': () => readCore(promised, cookie()),
    'core, promising store, visit': () => visitCore(promised, cookie()),
    'core, promising store, first visit': () => visitCore(promised, undefined),
  }
}

/** On the core alone, by a sealed cookie, which moves with each answer. */
async function sealedTasks(): Promise<Record<string, Task>> {
  const cookies = await Promise.all(Array.from({ length: SESSIONS }, () => prepare(sealed)))
  let next = 0
  return {
    'core, sealed cookie, read only': () => readCore(sealed, cookies[next++ % SESSIONS]),
    'core, sealed cookie, visit': async () => {
      const mine = next++ % SESSIONS
      cookies[mine] = await visitCore(sealed, cookies[mine])
    },
    'core, sealed cookie, first visit': () => visitCore(sealed, undefined),
  }
}

async function storedTasks(): Promise<Record<string, Task>> {
  const cookies = await Promise.all(Array.from({ length: SESSIONS }, () => prepare(sessions)))
  let next = 0
  const cookie = (): string => cookies[next++ % SESSIONS] ?? ''
  const bare = (_req: IncomingMessage, res: ServerResponse): void =>
    void res.end('You have visited this page 12 times.')
  const untouched = nodeSession(sessions, bare)
  const read = nodeSession(sessions, async (req, res) => {
    const session = await sessions.of(req)
    res.end(session.get('user')?.name)
  })
  const visit = nodeSession(sessions, async (req, res) => {
    const session = await sessions.of(req)
    res.end(`You have visited this page ${session.update('num_visits', add)} times.`)
  })
  return {
    'core, read only': () => readCore(sessions, cookie()),
    'core, visit': () => visitCore(sessions, cookie()),
    'core, first visit': () => visitCore(sessions, undefined),
    'node:http, no sessions': () => served(bare, cookie()),
    'node:http, session not touched': () => served(untouched, cookie()),
    'node:http, read only': () => served(read, cookie()),
    'node:http, visit': () => served(visit, cookie()),
    'node:http, first visit': () => served(visit, undefined),
  }
}

async function readCore(site: Sessions<Data>, cookie: string | undefined): Promise<boolean> {
  const request = site.open({ cookie, secure: false })
  const session = await request.session()
  session.get('user')
  return request.dirty
}

/** Answers the cookie that the browser has afterwards. */
async function visitCore(site: Sessions<Data>, cookie: string | undefined): Promise<string> {
  const request = site.open({ cookie, secure: false })
  const session = await request.session()
  session.update('num_visits', add)
  const saving = request.dirty ? request.commit() : undefined
  if (saving !== undefined) await saving
  return nameAndValue(request.outcome.setCookies[0]) ?? cookie ?? ''
}

function nameAndValue(setCookie: string | undefined): string | undefined {
  return setCookie?.slice(0, setCookie.indexOf(';'))
}

/** A session of about 280 bytes; answers its cookie. */
async function prepare(site: Sessions<Data>): Promise<string> {
  const request = site.open({ cookie: undefined, secure: false })
  const session = await request.session()
  session
    .set('user', { name: 'Ada Lovelace', email: 'ada@example.org', roles: ['reader', 'editor'] })
    .set('csrf', 'kPq3v0T7mZs1YxWc9uRb5dJf8hLgNa2eQiVoXtC6SBM')
    .set('cart', [
      { isbn: '9780141439518', copies: 1, added: 1_767_225_600_000 },
      { isbn: '9780140449136', copies: 2, added: 1_767_225_900_000 },
    ])
  await request.commit()
  return nameAndValue(request.outcome.setCookies[0]) ?? ''
}

/** A connection whose bytes go nowhere. */
class Nowhere extends Writable {
  override _write(_chunk: unknown, _encoding: unknown, done: () => void): void {
    done()
  }
  override _writev(_chunks: unknown, done: () => void): void {
    done()
  }
}

const socket = new Socket()

/** A request that came over no wire, until its answer is complete. */
function served(handler: (req: IncomingMessage, res: ServerResponse) => unknown, cookie: string | undefined) {
  const req = new IncomingMessage(socket)
  req.httpVersionMajor = 1
  req.httpVersionMinor = 1
  req.method = 'GET'
  if (cookie !== undefined) req.headers.cookie = cookie
  const res = new ServerResponse(req)
  const nowhere = new Nowhere() as unknown as Socket
  res.assignSocket(nowhere)
  handler(req, res)
  return new Promise<void>((resolve) => {
    res.on('finish', () => {
      res.detachSocket(nowhere)
      resolve()
    })
  })
}
