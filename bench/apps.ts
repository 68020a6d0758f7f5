import { join } from 'node:path'
import Database from 'better-sqlite3'
import express, { type Express } from 'express'
import session from 'express-session'
import { createSessions, type Store } from 'sojourn'
import { expressSession } from 'sojourn/express'
import { memoryStore } from 'sojourn/memory'
import { sqliteStore } from 'sojourn/sqlite'
import { peerStore, withWal } from './peer-sqlite.ts'

/** What is compared: the same site, without sessions and with each kind of them. */
export interface Variant {
  title: string
  /** The app; its files, if it has any, go to the folder. */
  app(folder: string): Express
  /** The other package's variant on the same kind of store and with the same settings. */
  peer?: VariantName
}

export type VariantName =
  | 'bare'
  | 'sojourn-memory'
  | 'peer-memory'
  | 'sojourn-sqlite'
  | 'sojourn-better-sqlite3'
  | 'peer-sqlite-wal'
  | 'peer-sqlite'

export const variants: Record<VariantName, Variant> = {
  bare: { title: 'Express alone', app: bareApp },
  'sojourn-memory': {
    title: 'Sojourn, memory',
    app: () => sojournApp(memoryStore()),
    peer: 'peer-memory',
  },
  'peer-memory': {
    title: 'express-session, MemoryStore',
    app: () => peerApp(new session.MemoryStore()),
  },
  'sojourn-sqlite': {
    title: 'Sojourn, SQLite',
    app: (folder) => sojournApp(sqliteStore(join(folder, 'sessions.db'))),
    peer: 'peer-sqlite-wal',
  },
  'sojourn-better-sqlite3': {
    title: 'Sojourn, SQLite by better-sqlite3',
    app: (folder) => sojournApp(sqliteStore(withWal(join(folder, 'sessions.db')))),
    peer: 'peer-sqlite-wal',
  },
  'peer-sqlite-wal': {
    title: 'express-session, better-sqlite3-session-store, WAL',
    app: (folder) => peerApp(peerStore(withWal(join(folder, 'sessions.db')))),
  },
  'peer-sqlite': {
    title: 'express-session, better-sqlite3-session-store as in its README',
    app: (folder) => peerApp(peerStore(new Database(join(folder, 'sessions.db')))),
  },
}

export const variantNames = Object.keys(variants) as VariantName[]

interface Profile {
  name: string
  email: string
  roles: string[]
}

/** About 280 bytes of JSON with the counter: what a signed-in visitor's session may hold. */
const profile: Profile = { name: 'Ada Lovelace', email: 'ada@example.org', roles: ['reader', 'editor'] }
const csrf = 'kPq3v0T7mZs1YxWc9uRb5dJf8hLgNa2eQiVoXtC6SBM'
const cart = [
  { isbn: '9780141439518', copies: 1, added: 1_767_225_600_000 },
  { isbn: '9780140449136', copies: 2, added: 1_767_225_900_000 },
]

function visited(times: number): string {
  return `You have visited this page ${times} times.`
}

function bareApp(): Express {
  const app = express()
  let visits = 0
  app.get('/', (_req, res) => {
    res.send(visited(++visits))
  })
  app.get('/me', (_req, res) => {
    res.send(profile.name)
  })
  app.get('/health', (_req, res) => {
    res.send('ok')
  })
  app.get('/prepare', (_req, res) => {
    res.send('ok')
  })
  return app
}

function sojournApp(store: Store): Express {
  const sessions = createSessions<{ num_visits: number; user: Profile; csrf: string; cart: typeof cart }>({
    store,
  })
  const app = express()
  app.use(expressSession(sessions))
  app.get('/', async (req, res) => {
    const session = await sessions.of(req)
    const visits = session.update('num_visits', (n = 0) => n + 1)
    res.send(visited(visits))
  })
  app.get('/me', async (req, res) => {
    const session = await sessions.of(req)
    res.send(session.get('user')?.name)
  })
  app.get('/health', (_req, res) => {
    res.send('ok')
  })
  app.get('/prepare', async (req, res) => {
    const session = await sessions.of(req)
    session.set('user', profile).set('csrf', csrf).set('cart', cart)
    res.send('ok')
  })
  return app
}

declare module 'express-session' {
  interface SessionData {
    num_visits: number
    user: Profile
    csrf: string
    cart: typeof cart
  }
}

function peerApp(store: session.Store): Express {
  const app = express()
  app.use(session({ store, secret: 'keyboard cat', resave: false, saveUninitialized: false }))
  app.get('/', (req, res) => {
    req.session.num_visits = (req.session.num_visits || 0) + 1
    res.send(visited(req.session.num_visits))
  })
  app.get('/me', (req, res) => {
    res.send(req.session.user?.name)
  })
  app.get('/health', (_req, res) => {
    res.send('ok')
  })
  app.get('/prepare', (req, res) => {
    Object.assign(req.session, { user: profile, csrf, cart })
    res.send('ok')
  })
  return app
}
