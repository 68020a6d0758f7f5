/*
 * Sojourn in a program that has another session package too, which claims the same properties: that one keeps its types, and
 * ours are those of our data, `eager: true` included. Compiled against the tarball, never run; see `types.test.ts`.
 */
import secureSession from '@fastify/session'
import express, { type Request } from 'express'
import expressSessionPackage from 'express-session'
import fastify, { type FastifyRequest } from 'fastify'
import { Hono } from 'hono'
import { MemoryStore, sessionMiddleware, type Session as TheirSession } from 'hono-sessions'
import Koa, { type Context } from 'koa'
import theirKoaSession from 'koa-session'
import { createSessions, type Session } from 'sojourn'
import { expressSession, type WithSession as WithExpress } from 'sojourn/express'
import { fastifySession, type WithSession as WithFastify } from 'sojourn/fastify'
import { honoSession, type SessionVariables } from 'sojourn/hono'
import { koaSession, type WithSession as WithKoa } from 'sojourn/koa'

interface Shop {
  num_visits: number
}

const sessions = createSessions<Shop>()

function check(session: Session<Shop>): string {
  // @ts-expect-error: there is no such key
  session.get('num_visit')
  return String(session.update('num_visits', (n = 0) => n + 1))
}

const ofExpress = express()
ofExpress.use(expressSessionPackage({ secret: 'theirs' }))
ofExpress.use(expressSession(sessions))
ofExpress.use(expressSession(sessions, { eager: true }))
ofExpress.get('/', async (req, res) => {
  const theirs: string = req.session.id
  res.send(theirs + check(await sessions.of(req)))
})
ofExpress.get('/eager', (req, res) => {
  const { session, path } = req as object as WithExpress<Request, Shop>
  res.send(path + check(session))
  // @ts-expect-error: the other package's session is not ours
  check(req.session)
})

const ofFastify = fastify()
await ofFastify.register(secureSession, { secret: 'theirs' })
await ofFastify.register(fastifySession(sessions))
await ofFastify.register(fastifySession(sessions, { eager: true }))
ofFastify.get('/', async (request) => {
  const theirs: string = request.session.sessionId
  return theirs + check(await sessions.of(request))
})
ofFastify.get('/eager', (request) => {
  const { session, url } = request as object as WithFastify<FastifyRequest, Shop>
  // @ts-expect-error: the other package's session is not ours
  check(request.session)
  return url + check(session)
})

const ofKoa = new Koa()
ofKoa.use(theirKoaSession(ofKoa))
ofKoa.use(koaSession(sessions))
ofKoa.use(koaSession(sessions, { eager: true }))
ofKoa.use(async (ctx, next) => {
  const theirs: boolean | undefined = ctx.session?.isNew
  ctx.body = String(theirs) + check(await sessions.of(ctx))
  await next()
})
ofKoa.use((ctx) => {
  const { session, path } = ctx as object as WithKoa<Context, Shop>
  ctx.body = path + check(session)
  // @ts-expect-error: the other package's session is not ours
  check(ctx.session)
})

export const besideHono = new Hono<{ Variables: { session: TheirSession } }>()
  .use('*', sessionMiddleware({ store: new MemoryStore() }))
  .use(honoSession(sessions))
  .get('/', async (c) => {
    const theirs = c.get('session').sessionValid()
    return c.text(String(theirs) + check(await sessions.of(c)))
  })
  // @ts-expect-error: the other package's session is not ours
  .get('/wrong', (c) => c.text(check(c.get('session'))))

export const eagerOnHono = new Hono<{ Variables: SessionVariables<Shop> }>()
  .use(honoSession(sessions, { eager: true }))
  .get('/', (c) => c.text(check(c.get('session'))))
