import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import { createAdaptorServer } from '@hono/node-server'
import fastify, { type FastifyReply } from 'fastify'
import Koa from 'koa'
import { fastifySession } from '../../src/adapters/fastify.ts'
import { koaSession } from '../../src/adapters/koa.ts'
import type { PageAnswer, Serve, ServedSite } from '../../src/testing/adapter-site.ts'
import { type FetchSite, fetchSite, honoSite } from './fetch-sites.ts'
import { close, listen } from './serve.ts'

/** Serves a handler of the Fetch standard on Node. */
async function listenFetch(handler: FetchSite): Promise<ServedSite> {
  const server = createAdaptorServer({ fetch: (request) => handler(request), overrideGlobalObjects: false })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    origin: `http://localhost:${(server.address() as AddressInfo).port}`,
    close: () => close(server as never),
  }
}

/** Serves the contract's site with a handler of the Fetch standard. */
export const serveFetch: Serve = (site) => listenFetch(fetchSite(site))

/** Serves the contract's site with Hono. */
export const serveHono: Serve = (site) => listenFetch(honoSite(site))

/** Serves the contract's site with Koa. */
export const serveKoa: Serve = ({ sessions, pages, errorPage }) => {
  const app = new Koa()
  app.silent = true
  const answer = (ctx: Koa.Context, { status = 200, headers = [], body }: PageAnswer) => {
    for (const [name, value] of headers) {
      if (name === 'Set-Cookie') ctx.append(name, value)
      else ctx.set(name, value)
    }
    ctx.body = typeof body === 'object' ? Readable.from(body, { objectMode: false }) : (body ?? null)
    ctx.status = status
  }
  app.use(async (ctx, next) => {
    try {
      await next()
    } catch (error) {
      answer(ctx, errorPage(error))
    }
  })
  app.use(koaSession(sessions))
  app.use(async (ctx) => {
    const page = pages[ctx.path]
    if (page) answer(ctx, await page({ session: () => sessions.of(ctx), query: ctx.URL.searchParams }))
  })
  return listen(app.callback())
}

/** Serves the contract's site with Fastify. */
export const serveFastify: Serve = async ({ sessions, pages, errorPage }) => {
  const app = fastify({ forceCloseConnections: true })
  await app.register(fastifySession(sessions))
  const answer = (reply: FastifyReply, { status = 200, headers = [], body }: PageAnswer) => {
    reply.code(status)
    for (const [name, value] of headers) reply.header(name, value)
    return reply.send(typeof body === 'object' ? Readable.from(body, { objectMode: false }) : body)
  }
  for (const [path, page] of Object.entries(pages)) {
    app.all(path, async (request, reply) => {
      const query = new URL(request.url, 'http://localhost').searchParams
      return answer(reply, await page({ session: () => sessions.of(request), query }))
    })
  }
  app.setErrorHandler((error, _request, reply) => answer(reply, errorPage(error)))
  await app.listen({ port: 0, host: '127.0.0.1' })
  const { port } = app.server.address() as AddressInfo
  return { origin: `http://localhost:${port}`, close: () => app.close() }
}
