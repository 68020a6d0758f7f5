import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createAdaptorServer } from '@hono/node-server'
import express from 'express'
import fastify, { type FastifyInstance } from 'fastify'
import { type Context, Hono } from 'hono'
import Koa from 'koa'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { expressSession } from '../../src/adapters/express.ts'
import { fastifySession } from '../../src/adapters/fastify.ts'
import { withSession } from '../../src/adapters/fetch.ts'
import { honoSession } from '../../src/adapters/hono.ts'
import { koaSession } from '../../src/adapters/koa.ts'
import { nodeSession } from '../../src/adapters/node.ts'
import { createSessions, type Session, type Sessions } from '../../src/index.ts'
import { memoryStore } from '../../src/stores/memory.ts'
import type { ServedSite } from '../../src/testing/adapter-site.ts'
import { failingStore } from '../../src/testing/failing-store.ts'
import { Visitor } from '../recipes/visitor.ts'
import { close, listen } from './serve.ts'

interface User {
  visits: number
  outer: string
  inner: string
}

interface Admin {
  actions: number
}

/** Two definitions of sessions in one app. */
class Pair {
  readonly userStore = failingStore(memoryStore())
  readonly user: Sessions<User> = createSessions<User>({ store: this.userStore, cookie: { name: 'user' } })
  readonly admin: Sessions<Admin> = createSessions<Admin>({ store: memoryStore(), cookie: { name: 'admin' } })

  /** What each page does with what its framework hands over. Answers the body, or where to redirect to. */
  async page(
    path: string,
    request: object,
    cookie: string,
    origin: string,
  ): Promise<{ body: string } | { to: string }> {
    const user = (): Promise<Session<User>> => this.user.of(request)
    const admin = (): Promise<Session<Admin>> => this.admin.of(request)
    if (path === '/both') {
      const visits = (await user()).update('visits', (n = 0) => n + 1)
      return { body: `${visits} ${(await admin()).update('actions', (n = 0) => n + 1)}` }
    }
    if (path === '/redirect') {
      ;(await user()).update('visits', (n = 0) => n + 1)
      ;(await admin()).update('actions', (n = 0) => n + 1)
      return { to: '/show' }
    }
    if (path === '/show') return { body: `${(await user()).get('visits')} ${(await admin()).get('actions')}` }
    if (path === '/user') return { body: String((await user()).update('visits', (n = 0) => n + 1)) }
    if (path === '/admin/logout') {
      ;(await admin()).destroy()
      return { body: 'signed out' }
    }
    if (path === '/sub/page') {
      const session = await user()
      session.set('inner', 'kept')
      return { body: `${session.get('outer')} ${session.get('inner')}` }
    }
    if (path === '/asks-itself') {
      const session = await user()
      session.set('outer', 'mine')
      const inner = await fetch(`${origin}/sub/page`, { headers: { cookie } })
      await inner.text()
      await session.save()
      return { body: `${session.get('outer')} ${session.get('inner')}` }
    }
    return { body: 'nothing' }
  }

  /** What the outer app does before the sub-app: with the same session. */
  async before(path: string, request: object): Promise<void> {
    if (path.startsWith('/sub')) (await this.user.of(request)).set('outer', 'kept')
  }
}

const REDIRECT = 303

type Start = (pair: Pair) => Promise<ServedSite>

const onExpress: Start = (pair) => {
  const handler: express.Handler = async (req, res) => {
    const path = req.baseUrl + req.path
    const answer = await pair.page(path, req, req.headers.cookie ?? '', `http://${req.headers.host}`)
    if ('to' in answer) res.redirect(REDIRECT, answer.to)
    else res.send(answer.body)
  }
  const app = express()
  app.use(expressSession(pair.user), expressSession(pair.admin))
  app.use(async (req, _res, next) => {
    await pair.before(req.path, req)
    next()
  })
  app.use('/sub', express().use(expressSession(pair.user)).use(handler))
  app.use(handler)
  app.use(
    ((error, _req, res, _next) => void res.status(error.status).end()) satisfies express.ErrorRequestHandler,
  )
  return listen(app)
}

const onFastify: Start = async (pair) => {
  const app = fastify()
  await app.register(fastifySession(pair.user))
  await app.register(fastifySession(pair.admin))
  app.addHook('preHandler', async (request) => pair.before(request.url, request))
  const pages = (scope: FastifyInstance, path: string): unknown =>
    scope.get(path, async (request, reply) => {
      const { cookie = '', host } = request.headers
      const answer = await pair.page(request.url, request, cookie, `http://${host}`)
      return 'to' in answer ? reply.redirect(answer.to, REDIRECT) : answer.body
    })
  await app.register((sub, _options, done) => {
    void sub.register(fastifySession(pair.user))
    pages(sub, '/sub/*')
    done()
  })
  pages(app, '/*')
  const address = await app.listen({ port: 0, host: '127.0.0.1' })
  return { origin: address.replace('127.0.0.1', 'localhost'), close: () => app.close() }
}

const onKoa: Start = (pair) => {
  const app = new Koa()
  app.silent = true
  app.use(koaSession(pair.user)).use(koaSession(pair.admin))
  app.use(async (ctx, next) => {
    await pair.before(ctx.path, ctx)
    await next()
  })
  const again = koaSession(pair.user)
  app.use((ctx, next) => (ctx.path.startsWith('/sub') ? again(ctx, next) : next()))
  app.use(async (ctx) => {
    const answer = await pair.page(ctx.path, ctx, ctx.get('Cookie'), `http://${ctx.host}`)
    if ('to' in answer) {
      ctx.redirect(answer.to)
      ctx.status = REDIRECT
    } else ctx.body = answer.body
  })
  return listen(app.callback())
}

const onHono: Start = (pair) => {
  const handler = async (c: Context): Promise<Response> => {
    const { origin } = new URL(c.req.url)
    const answer = await pair.page(c.req.path, c, c.req.header('Cookie') ?? '', origin)
    return 'to' in answer ? c.redirect(answer.to, REDIRECT) : c.text(answer.body)
  }
  const app = new Hono()
  app.use(honoSession(pair.user)).use(honoSession(pair.admin))
  app.use(async (c, next) => {
    await pair.before(c.req.path, c)
    await next()
  })
  app.route('/sub', new Hono().use(honoSession(pair.user)).all('*', handler))
  app.all('*', handler)
  app.onError((error, c) => c.text('', 'status' in error ? (error.status as 503) : 500))
  return listenFetch((request) => app.fetch(request))
}

const onFetch: Start = (pair) => {
  const handler = async (request: Request): Promise<Response> => {
    const { pathname, origin } = new URL(request.url)
    const answer = await pair.page(pathname, request, request.headers.get('Cookie') ?? '', origin)
    if (!('to' in answer)) return new Response(answer.body)
    return new Response(null, { status: REDIRECT, headers: { Location: answer.to } })
  }
  const onError = (error: unknown): Response =>
    new Response('', { status: (error as { status: number }).status })
  const sub = withSession(pair.user, handler, { onError })
  const outer = async (request: Request): Promise<Response> => {
    const { pathname } = new URL(request.url)
    await pair.before(pathname, request)
    return pathname.startsWith('/sub') ? sub(request) : handler(request)
  }
  const options = { onError }
  return listenFetch(withSession(pair.user, withSession(pair.admin, outer, options), options))
}

const onNode: Start = (pair) => {
  const onError = (error: unknown, _req: object, res: ServerResponse): void => {
    res.statusCode = (error as { status: number }).status
    res.end()
  }
  const handler = async (req: IncomingMessage, res: ServerResponse): Promise<void> => {
    const { cookie = '', host } = req.headers
    const answer = await pair.page(req.url ?? '', req, cookie, `http://${host}`)
    if ('to' in answer) res.writeHead(REDIRECT, { Location: answer.to }).end()
    else res.end(answer.body)
  }
  const sub = nodeSession(pair.user, handler, { onError })
  const outer = nodeSession<Admin>(
    pair.admin,
    async (req, res) => {
      await pair.before(req.url ?? '', req)
      if (req.url?.startsWith('/sub')) sub(req, res)
      else await handler(req, res)
    },
    { onError },
  )
  return listen(nodeSession(pair.user, outer, { onError }))
}

async function listenFetch(handler: (request: Request) => Response | Promise<Response>): Promise<ServedSite> {
  const server = createAdaptorServer({ fetch: handler, overrideGlobalObjects: false })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    origin: `http://localhost:${(server.address() as AddressInfo).port}`,
    close: () => close(server as never),
  }
}

describe.each<[name: string, start: Start]>([
  ['Express', onExpress],
  ['Fastify', onFastify],
  ['Koa', onKoa],
  ['Hono', onHono],
  ['the Fetch standard', onFetch],
  ['Node', onNode],
])('two definitions of sessions on %s', (_, start) => {
  const pair = new Pair()
  let site: ServedSite
  beforeAll(async () => {
    site = await start(pair)
  })
  afterAll(() => site.close())

  it('are both kept by one request, each in its own cookie', async () => {
    const visitor = new Visitor(site.origin)
    const response = await visitor.fetch('/both')
    expect(await response.text()).toBe('1 1')
    expect(
      response.headers
        .getSetCookie()
        .map((line) => line.split('=')[0])
        .sort(),
    ).toEqual(['admin', 'user'])
    expect(await visitor.text('/both')).toBe('2 2')
    expect((await visitor.fetch('/both')).headers.getSetCookie()).toEqual([])
  })

  it('are both saved before a redirect', async () => {
    const visitor = new Visitor(site.origin)
    expect((await visitor.fetch('/redirect')).status).toBe(REDIRECT)
    expect(await visitor.text('/show')).toBe('1 1')
  })

  it('know nothing of each other: who uses one has no other', async () => {
    const visitor = new Visitor(site.origin)
    expect(await visitor.text('/user')).toBe('1')
    expect(visitor.cookie).toMatch(/^user=/)
    expect(visitor.cookie).not.toContain('admin=')
  })

  it('end one by one', async () => {
    const visitor = new Visitor(site.origin)
    await visitor.text('/both')
    const response = await visitor.fetch('/admin/logout')
    expect(response.headers.getSetCookie()).toEqual([expect.stringMatching(/^admin=; Max-Age=0/)])
    expect(await visitor.text('/both')).toBe('2 1')
  })

  it('are one session where a sub-app brings the adapter again, with one cookie', async () => {
    const visitor = new Visitor(site.origin)
    const response = await visitor.fetch('/sub/page')
    expect(await response.text()).toBe('kept kept')
    expect(response.headers.getSetCookie()).toHaveLength(1)
    expect(await visitor.text('/sub/page')).toBe('kept kept')
  })

  it('lose nothing where a page asks its own site with the cookie of its visitor', async () => {
    const visitor = new Visitor(site.origin)
    await visitor.text('/user')
    expect(await visitor.text('/asks-itself')).toBe('mine kept')
  })

  it('send an error and no cookie when one of them cannot be saved', async () => {
    const visitor = new Visitor(site.origin)
    pair.userStore.failWhen(() => true)
    try {
      const response = await visitor.fetch('/both')
      expect(response.status).toBe(503)
      expect(visitor.cookie).not.toContain('user=')
    } finally {
      pair.userStore.failWhen(() => false)
    }
    expect(await visitor.text('/both')).toMatch(/^1 /)
  })
})
