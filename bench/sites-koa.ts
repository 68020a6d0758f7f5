import type { RequestListener } from 'node:http'
import Koa, { type Context, type Next } from 'koa'
import session from 'koa-session'
import { createSessions, type Store } from 'sojourn'
import type { CookieStore } from 'sojourn/cookie'
import { koaSession } from 'sojourn/koa'
import { type Data, prepared, profile, SECRET, visited } from './site-data.ts'

type Page = (ctx: Context) => unknown

/** Koa alone. */
export function bare(): RequestListener {
  let visits = 0
  return site(
    new Koa(),
    (ctx) => {
      ctx.body = visited(++visits)
    },
    (ctx) => {
      ctx.body = profile.name
    },
    (ctx) => {
      ctx.body = 'ok'
    },
  )
}

export function sojourn(store: Store | CookieStore): RequestListener {
  const sessions = createSessions<Data>({ store })
  const app = new Koa()
  app.use(koaSession(sessions))
  return site(
    app,
    async (ctx) => {
      const session = await sessions.of(ctx)
      ctx.body = visited(session.update('num_visits', (n = 0) => n + 1))
    },
    async (ctx) => {
      const session = await sessions.of(ctx)
      ctx.body = session.get('user')?.name
    },
    async (ctx) => {
      const session = await sessions.of(ctx)
      session.set('user', prepared.user).set('csrf', prepared.csrf).set('cart', prepared.cart)
      ctx.body = 'ok'
    },
  )
}

/** What koa-session asks of a store, as its README has it. */
export interface KoaStore {
  get(key: string): Promise<object | undefined>
  set(key: string, session: object, maxAge: number): Promise<void>
  destroy(key: string): Promise<void>
}

/** koa-session: the whole session in a signed cookie, or in a store. */
export function peer(store?: KoaStore): RequestListener {
  const app = new Koa()
  app.keys = [SECRET]
  app.use(session(store ? { store } : {}, app))
  return site(
    app,
    (ctx) => {
      const data = sessionOf(ctx)
      data.num_visits = (data.num_visits ?? 0) + 1
      ctx.body = visited(data.num_visits)
    },
    (ctx) => {
      ctx.body = sessionOf(ctx).user?.name
    },
    (ctx) => {
      Object.assign(sessionOf(ctx), prepared)
      ctx.body = 'ok'
    },
  )
}

/** There is no usual store in memory: this keeps what one on a server would be sent. */
export function memory(): KoaStore {
  const sessions = new Map<string, { text: string; expiresAt: number }>()
  return {
    async get(key) {
      const kept = sessions.get(key)
      return kept && kept.expiresAt > Date.now() ? JSON.parse(kept.text) : undefined
    },
    async set(key, session, maxAge) {
      sessions.set(key, { text: JSON.stringify(session), expiresAt: Date.now() + maxAge })
    },
    async destroy(key) {
      sessions.delete(key)
    },
  }
}

/** The usual one for Redis is for ioredis; this does the same by node-redis, as the others here. */
export async function redis(url: string): Promise<KoaStore> {
  const { createClient } = await import('redis')
  const client = createClient({ url })
  client.on('error', () => undefined)
  await client.connect()
  return {
    async get(key) {
      const text = await client.get(key)
      return text === null ? undefined : JSON.parse(text)
    },
    async set(key, session, maxAge) {
      await client.sendCommand(['SET', key, JSON.stringify(session), 'PX', String(maxAge)])
    },
    async destroy(key) {
      await client.del(key)
    },
  }
}

function sessionOf(ctx: Context): Partial<Data> {
  return (ctx as unknown as { session: Partial<Data> }).session
}

function site(app: Koa, visit: Page, read: Page, prepare: Page): RequestListener {
  const pages: Record<string, Page> = { '/': visit, '/me': read, '/prepare': prepare }
  app.use((ctx: Context, _next: Next) => {
    const page = pages[ctx.path]
    if (page) return page(ctx)
    ctx.body = 'ok'
    return undefined
  })
  return app.callback()
}
