import { createServer, type Server } from 'node:http'
import fastify, { type FastifyReply } from 'fastify'
import { fastifySession } from 'sojourn/fastify'
import type { App, SiteAnswer } from '../app.ts'
import { sessions } from '../sessions.ts'

export async function serve(site: App): Promise<Server> {
  const server = createServer()
  const app = fastify({
    serverFactory: (handler) => server.on('request', handler),
  })
  // The site reads its forms itself.
  app.addContentTypeParser('application/x-www-form-urlencoded', (_request, body, done) => done(null, body))

  // All that Sojourn needs.
  await app.register(fastifySession(sessions))

  app.all('*', async (request, reply) => {
    const { method, url } = request
    const header = (name: string) => request.headers[name]?.toString()
    const body = (request.body ?? null) as AsyncIterable<Uint8Array> | null
    const session = () => sessions.of(request)
    return send(reply, await site.answer({ method, url, header, body, session }))
  })
  app.setErrorHandler((error, { url }, reply) => send(reply, site.errorPage(error, url)))
  await app.ready()
  return server
}

function send(reply: FastifyReply, { status, headers, body }: SiteAnswer): FastifyReply {
  return reply.code(status).headers(headers).send(body)
}
