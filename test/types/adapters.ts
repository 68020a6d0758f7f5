/*
 * What the types of the adapters promise: whatever a framework hands over gives the session with its own keys. Compiled,
 * never run: each `@ts-expect-error` is a mistake that the compiler must find.
 */
import express from 'express'
import fastify from 'fastify'
import { Hono } from 'hono'
import Koa from 'koa'
import { expressSession } from '../../src/adapters/express.ts'
import { fastifySession } from '../../src/adapters/fastify.ts'
import { runWithSession, withSession } from '../../src/adapters/fetch.ts'
import { honoSession, type SessionVariables } from '../../src/adapters/hono.ts'
import { koaSession } from '../../src/adapters/koa.ts'
import { nodeSession } from '../../src/adapters/node.ts'
import type { Session, Sessions } from '../../src/index.ts'

interface Shop {
  num_visits: number
}

declare const sessions: Sessions<Shop>

function check(session: Session<Shop>): string {
  // @ts-expect-error: there is no such key
  session.get('num_visit')
  // @ts-expect-error: not a number
  session.set('num_visits', 'three')
  return String(session.update('num_visits', (n = 0) => n + 1))
}

export const onExpress = express()
  .use(expressSession(sessions))
  .get('/', async (req, res) => {
    res.send(check(await sessions.of(req)))
  })

export async function onFastify(): Promise<void> {
  const app = fastify()
  await app.register(fastifySession(sessions))
  app.get('/', async (request) => check(await sessions.of(request)))
  // @ts-expect-error: the session has no such key
  app.get('/wrong', async (request) => (await sessions.of(request)).get('num_visit'))
}

export const onKoa = new Koa().use(koaSession(sessions)).use(async (ctx) => {
  ctx.body = check(await sessions.of(ctx))
  // @ts-expect-error: the session has no such key
  ctx.body = (await sessions.of(ctx)).get('num_visit')
})

export const onHono = new Hono<{ Variables: SessionVariables<Shop> }>()
  .use(honoSession(sessions, { eager: true }))
  .get('/', async (c) => c.text(check(await sessions.of(c))))
  .get('/eager', (c) => c.text(check(c.get('session'))))
  // @ts-expect-error: the session has no such key
  .get('/wrong', (c) => c.text(String(c.get('session').get('num_visit'))))

export const onNode = nodeSession(sessions, async (req, res) => {
  res.end(check(await sessions.of(req)))
})

export const onFetch = withSession(
  sessions,
  async (request: Request, env: { greeting: string }) =>
    new Response(env.greeting + check(await sessions.of(request))),
)

export function wrongCalls(request: Request): void {
  // @ts-expect-error: the handler wants its environment
  void onFetch(request)
  // @ts-expect-error: a handler of the Fetch standard answers a Response
  withSession(sessions, () => 'Hello')
  // @ts-expect-error: no such option
  withSession(sessions, () => new Response('Hello'), { trustProxies: true })
  // @ts-expect-error: no such option
  expressSession(sessions, { lazy: true })
  void runWithSession(sessions, request, () => new Response('Hello'))
}
