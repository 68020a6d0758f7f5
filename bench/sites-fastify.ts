import type { RequestListener } from 'node:http'
import cookies from '@fastify/cookie'
import secureSession from '@fastify/secure-session'
import session from '@fastify/session'
import type { Store as PeerStore } from 'express-session'
import fastify, { type FastifyInstance, type FastifyRequest } from 'fastify'
import { createSessions, type Store } from 'sojourn'
import type { CookieStore } from 'sojourn/cookie'
import { fastifySession } from 'sojourn/fastify'
import { type Data, prepared, profile, SECRET, visited } from './site-data.ts'

/** Fastify alone. */
export function bare(): Promise<RequestListener> {
  const app = site()
  let visits = 0
  app.get('/', async () => visited(++visits))
  app.get('/me', async () => profile.name)
  app.get('/prepare', async () => 'ok')
  return ready(app)
}

export async function sojourn(store: Store | CookieStore): Promise<RequestListener> {
  const sessions = createSessions<Data>({ store })
  const app = fastify()
  await app.register(fastifySession(sessions))
  site(app)
  app.get('/', async (request) => {
    const session = await sessions.of(request)
    return visited(session.update('num_visits', (n = 0) => n + 1))
  })
  app.get('/me', async (request) => {
    const session = await sessions.of(request)
    return session.get('user')?.name
  })
  app.get('/prepare', async (request) => {
    const session = await sessions.of(request)
    session.set('user', prepared.user).set('csrf', prepared.csrf).set('cart', prepared.cart)
    return 'ok'
  })
  return ready(app)
}

/** @param rolling - its default; without it no answer to a known visitor sets the cookie, and none extends the session */
export async function peer(store: PeerStore | undefined, rolling: boolean): Promise<RequestListener> {
  const app = fastify()
  await app.register(cookies)
  await app.register(session, {
    secret: SECRET,
    cookie: { secure: false },
    saveUninitialized: false,
    rolling,
    ...(store ? { store } : {}),
  })
  site(app)
  app.get('/', async (request) => {
    const data = sessionOf<Partial<Data>>(request)
    data.num_visits = (data.num_visits ?? 0) + 1
    return visited(data.num_visits)
  })
  app.get('/me', async (request) => sessionOf<Partial<Data>>(request).user?.name)
  app.get('/prepare', async (request) => {
    Object.assign(sessionOf<object>(request), prepared)
    return 'ok'
  })
  return ready(app)
}

interface SecureSession {
  get<Key extends keyof Data>(key: Key): Data[Key] | undefined
  set<Key extends keyof Data>(key: Key, value: Data[Key]): void
}

/** @fastify/secure-session: the whole session in the cookie, sealed by libsodium. */
export async function securePeer(): Promise<RequestListener> {
  const app = fastify()
  await app.register(secureSession, { key: Buffer.from(SECRET, 'base64url'), cookie: { path: '/' } })
  site(app)
  app.get('/', async (request) => {
    const data = sessionOf<SecureSession>(request)
    const visits = (data.get('num_visits') ?? 0) + 1
    data.set('num_visits', visits)
    return visited(visits)
  })
  app.get('/me', async (request) => sessionOf<SecureSession>(request).get('user')?.name)
  app.get('/prepare', async (request) => {
    const data = sessionOf<SecureSession>(request)
    data.set('user', prepared.user)
    data.set('csrf', prepared.csrf)
    data.set('cart', prepared.cart)
    return 'ok'
  })
  return ready(app)
}

/** What a plugin puts on the request; each declares another type for it. */
function sessionOf<Session>(request: FastifyRequest): Session {
  return (request as unknown as { session: Session }).session
}

function site(app: FastifyInstance = fastify()): FastifyInstance {
  app.get('/health', async () => 'ok')
  return app
}

async function ready(app: FastifyInstance): Promise<RequestListener> {
  await app.ready()
  return (req, res) => app.routing(req, res)
}
