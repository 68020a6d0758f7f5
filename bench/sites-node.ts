import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import { getIronSession } from 'iron-session'
import { createSessions, type Store } from 'sojourn'
import type { CookieStore } from 'sojourn/cookie'
import { nodeSession } from 'sojourn/node'
import type { Floor } from './floors.ts'
import { type Data, prepared, profile, SECRET, visited } from './site-data.ts'

type Page = (req: IncomingMessage, res: ServerResponse) => unknown

/** `node:http` alone. */
export function bare(): RequestListener {
  let visits = 0
  return site(
    (_req, res) => send(res, visited(++visits)),
    (_req, res) => send(res, profile.name),
    (_req, res) => send(res, 'ok'),
  )
}

export function sojourn(store: Store | CookieStore): RequestListener {
  const sessions = createSessions<Data>({ store })
  const pages = site(
    async (req, res) => {
      const session = await sessions.of(req)
      send(res, visited(session.update('num_visits', (n = 0) => n + 1)))
    },
    async (req, res) => {
      const session = await sessions.of(req)
      send(res, session.get('user')?.name ?? '')
    },
    async (req, res) => {
      const session = await sessions.of(req)
      session.set('user', prepared.user).set('csrf', prepared.csrf).set('cart', prepared.cart)
      send(res, 'ok')
    },
  )
  return nodeSession(sessions, pages)
}

/** iron-session: the whole session in the cookie, sealed with a password. */
export function peer(): RequestListener {
  const open = (req: IncomingMessage, res: ServerResponse) =>
    getIronSession<Data>(req, res, { password: SECRET, cookieName: 'sid' })
  return site(
    async (req, res) => {
      const session = await open(req, res)
      session.num_visits = (session.num_visits ?? 0) + 1
      await session.save()
      send(res, visited(session.num_visits))
    },
    async (req, res) => {
      const session = await open(req, res)
      send(res, session.user?.name ?? '')
    },
    async (req, res) => {
      const session = await open(req, res)
      Object.assign(session, prepared)
      await session.save()
      send(res, 'ok')
    },
  )
}

export function floor(sessions: Floor): RequestListener {
  return site(
    (req, res) =>
      sessions.change(
        req.headers.cookie,
        (data) => {
          data.num_visits = (data.num_visits ?? 0) + 1
        },
        (data, setCookie) => send(res, visited(data.num_visits ?? 0), setCookie),
      ),
    (req, res) => sessions.read(req.headers.cookie, (data) => send(res, data.user?.name ?? '')),
    (req, res) =>
      sessions.change(
        req.headers.cookie,
        (data) => {
          Object.assign(data, prepared)
        },
        (_, setCookie) => send(res, 'ok', setCookie),
      ),
  )
}

/** No page but the one asked for makes a promise. */
function site(
  visit: Page,
  read: Page,
  prepare: Page,
): (req: IncomingMessage, res: ServerResponse) => unknown {
  return (req, res) => {
    if (req.url === '/') return visit(req, res)
    if (req.url === '/me') return read(req, res)
    if (req.url === '/prepare') return prepare(req, res)
    return send(res, 'ok')
  }
}

function send(res: ServerResponse, body: string, setCookie?: string): void {
  res.setHeader('Content-Type', 'text/plain; charset=utf-8')
  if (setCookie !== undefined) res.setHeader('Set-Cookie', setCookie)
  res.end(body)
}
