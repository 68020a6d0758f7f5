import type { RequestListener } from 'node:http'
import { getRequestListener } from '@hono/node-server'
import { useSession } from '@hono/session'
import { type Context, Hono } from 'hono'
import { createSessions, type Store } from 'sojourn'
import type { CookieStore } from 'sojourn/cookie'
import { honoSession } from 'sojourn/hono'
import { type Data, prepared, profile, SECRET, visited } from './site-data.ts'

/** Hono alone. */
export function bare(): RequestListener {
  const app = site()
  let visits = 0
  app.get('/', (c) => c.text(visited(++visits)))
  app.get('/me', (c) => c.text(profile.name))
  app.get('/prepare', (c) => c.text('ok'))
  return listener(app)
}

export function sojourn(store: Store | CookieStore): RequestListener {
  const sessions = createSessions<Data>({ store })
  const app = new Hono()
  app.use(honoSession(sessions))
  site(app)
  app.get('/', async (c) => {
    const session = await sessions.of(c)
    return c.text(visited(session.update('num_visits', (n = 0) => n + 1)))
  })
  app.get('/me', async (c) => {
    const session = await sessions.of(c)
    return c.text(session.get('user')?.name ?? '')
  })
  app.get('/prepare', async (c) => {
    const session = await sessions.of(c)
    session.set('user', prepared.user).set('csrf', prepared.csrf).set('cart', prepared.cart)
    return c.text('ok')
  })
  return listener(app)
}

interface PeerSession {
  get(): Promise<Partial<Data> | null>
  update(change: (data: Partial<Data> | null) => Partial<Data>): Promise<void>
}

/** @hono/session: the whole session in the cookie, as an encrypted JSON Web Token. */
export function peer(): RequestListener {
  const app = new Hono()
  app.use(useSession({ secret: Buffer.from(SECRET, 'base64url'), duration: { absolute: 86_400 } }))
  site(app)
  app.get('/', async (c) => {
    const session = sessionOf(c)
    const visits = ((await session.get())?.num_visits ?? 0) + 1
    await session.update((data) => ({ ...data, num_visits: visits }))
    return c.text(visited(visits))
  })
  app.get('/me', async (c) => c.text((await sessionOf(c).get())?.user?.name ?? ''))
  app.get('/prepare', async (c) => {
    await sessionOf(c).update((data) => ({ ...data, ...prepared }))
    return c.text('ok')
  })
  return listener(app)
}

function sessionOf(c: Context): PeerSession {
  return c.get('session' as never)
}

function site(app: Hono = new Hono()): Hono {
  return app.get('/health', (c) => c.text('ok')) as unknown as Hono
}

function listener(app: Hono): RequestListener {
  const answer = getRequestListener(app.fetch)
  return (req, res) => void answer(req, res)
}
