import type { RequestListener } from 'node:http'
import express, { type Express, type Response } from 'express'
import session from 'express-session'
import { createSessions, type Store } from 'sojourn'
import type { CookieStore } from 'sojourn/cookie'
import { expressSession } from 'sojourn/express'
import type { Floor } from './floors.ts'
import { type Data, prepared, profile, SECRET, visited } from './site-data.ts'

/** Express alone. */
export function bare(): RequestListener {
  const app = site()
  let visits = 0
  app.get('/', (_req, res) => {
    res.send(visited(++visits))
  })
  app.get('/me', (_req, res) => {
    res.send(profile.name)
  })
  app.get('/prepare', (_req, res) => {
    res.send('ok')
  })
  return app
}

export function sojourn(store: Store | CookieStore): RequestListener {
  const sessions = createSessions<Data>({ store })
  const app = express()
  app.use(expressSession(sessions))
  site(app)
  app.get('/', async (req, res) => {
    const session = await sessions.of(req)
    const visits = session.update('num_visits', (n = 0) => n + 1)
    res.send(visited(visits))
  })
  app.get('/me', async (req, res) => {
    const session = await sessions.of(req)
    res.send(session.get('user')?.name)
  })
  app.get('/prepare', async (req, res) => {
    const session = await sessions.of(req)
    session.set('user', prepared.user).set('csrf', prepared.csrf).set('cart', prepared.cart)
    res.send('ok')
  })
  return app
}

declare module 'express-session' {
  interface SessionData {
    num_visits: number
    user: Data['user']
    csrf: string
    cart: Data['cart']
  }
}

/** express-session, saving and setting cookies as seldom as it can. */
export function peer(store: session.Store = new session.MemoryStore()): RequestListener {
  const app = express()
  app.use(session({ store, secret: SECRET, resave: false, saveUninitialized: false }))
  site(app)
  app.get('/', (req, res) => {
    req.session.num_visits = (req.session.num_visits || 0) + 1
    res.send(visited(req.session.num_visits))
  })
  app.get('/me', (req, res) => {
    res.send(req.session.user?.name)
  })
  app.get('/prepare', (req, res) => {
    Object.assign(req.session, prepared)
    res.send('ok')
  })
  return app
}

export function floor(sessions: Floor): RequestListener {
  const app = site()
  app.get('/', (req, res) => {
    sessions.change(
      req.headers.cookie,
      (data) => {
        data.num_visits = (data.num_visits ?? 0) + 1
      },
      (data, setCookie) => send(res, visited(data.num_visits ?? 0), setCookie),
    )
  })
  app.get('/me', (req, res) => {
    sessions.read(req.headers.cookie, (data) => send(res, data.user?.name ?? ''))
  })
  app.get('/prepare', (req, res) => {
    sessions.change(
      req.headers.cookie,
      (data) => {
        Object.assign(data, prepared)
      },
      (_, setCookie) => send(res, 'ok', setCookie),
    )
  })
  return app
}

function send(res: Response, body: string, setCookie?: string): void {
  if (setCookie !== undefined) res.setHeader('Set-Cookie', setCookie)
  res.send(body)
}

/** The page that does not look at the session. */
function site(app: Express = express()): Express {
  return app.get('/health', (_req, res) => {
    res.send('ok')
  })
}
