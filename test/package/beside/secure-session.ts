// As `most.ts`: a program can have `@fastify/session` or this one, since both claim the same property.
import secureSession from '@fastify/secure-session'
import fastify, { type FastifyRequest } from 'fastify'
import { createSessions, type Session } from 'sojourn'
import { fastifySession, type WithSession } from 'sojourn/fastify'

interface Shop {
  num_visits: number
}

const sessions = createSessions<Shop>()

function check(session: Session<Shop>): string {
  // @ts-expect-error: there is no such key
  session.get('num_visit')
  return String(session.update('num_visits', (n = 0) => n + 1))
}

const app = fastify()
await app.register(secureSession, { key: Buffer.alloc(32) })
await app.register(fastifySession(sessions, { eager: true }))
app.get('/', async (request) => {
  request.session.touch()
  return check(await sessions.of(request))
})
app.get('/eager', (request) => {
  const { session, url } = request as object as WithSession<FastifyRequest, Shop>
  // @ts-expect-error: the other package's session is not ours
  check(request.session)
  return url + check(session)
})
