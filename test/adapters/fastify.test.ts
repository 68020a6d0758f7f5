import fastify, { type FastifyInstance } from 'fastify'
import { describe, expect, it, onTestFinished } from 'vitest'
import { fastifySession } from '../../src/adapters/fastify.ts'
import { createSessions } from '../../src/index.ts'
import { memoryStore } from '../../src/stores/memory.ts'
import { failingStore } from '../../src/testing/failing-store.ts'

type Data = { n: number }

function increment(n = 0): number {
  return n + 1
}

async function listening(app: FastifyInstance): Promise<string> {
  onTestFinished(() => app.close())
  return app.listen({ port: 0, host: '127.0.0.1' })
}

describe('fastifySession', () => {
  it('belongs to the instance that it is registered on and to those inside it, and to no other', async () => {
    const sessions = createSessions<Data>()
    const app = fastify()
    const seen = async (request: object) => {
      const session = await sessions.of(request as never).catch((error) => error.code)
      return typeof session === 'string' ? session : String(session.update('n', increment))
    }
    app.register((inner, _, done) => {
      inner.register(fastifySession(sessions))
      inner.get('/inside', seen)
      inner.register((further, _, done) => {
        // Again, as a plugin might that brings its own.
        further.register(fastifySession(sessions))
        further.get('/further', seen)
        done()
      })
      done()
    })
    app.get('/outside', seen)
    const url = await listening(app)
    const text = async (path: string) => (await fetch(url + path)).text()
    expect(await text('/inside')).toBe('1')
    expect(await text('/further')).toBe('1')
    expect(await text('/outside')).toBe('ERR_SESSION_MISSING')
  })

  it('holds a hijacked reply until the session is saved, and answers the error when it cannot be', async () => {
    const store = failingStore(memoryStore())
    const sessions = createSessions<Data>({ store })
    const app = fastify()
    await app.register(fastifySession(sessions))
    app.get('/', async (request, reply) => {
      const session = await sessions.of(request)
      const n = session.update('n', increment)
      reply.hijack()
      reply.raw.writeHead(200, { 'Content-Type': 'text/plain' })
      reply.raw.end(String(n))
    })
    const url = await listening(app)
    const answer = await fetch(url)
    expect([answer.status, await answer.text()]).toEqual([200, '1'])
    const [cookie = ''] = answer.headers.getSetCookie()
    const next = await fetch(url, { headers: { cookie: cookie.split(';', 1)[0] ?? '' } })
    expect(await next.text()).toBe('2')
    store.failWhen(() => true)
    const failed = await fetch(url)
    expect([failed.status, await failed.text(), failed.headers.getSetCookie()]).toEqual([
      503,
      'Service Unavailable',
      [],
    ])
  })

  it('puts the session on the request with "eager", and fails the request when it cannot be loaded', async () => {
    const store = failingStore(memoryStore())
    const sessions = createSessions<Data>({ store })
    const app = fastify()
    await app.register(fastifySession(sessions, { eager: true }))
    app.get('/', (request) => {
      const { session } = request as unknown as { session: Awaited<ReturnType<typeof sessions.of>> }
      return String(session.update('n', increment))
    })
    const url = await listening(app)
    const answer = await fetch(url)
    expect(await answer.text()).toBe('1')
    store.failWhen(() => true)
    const cookie = answer.headers.getSetCookie()[0]?.split(';', 1)[0] ?? ''
    expect((await fetch(url, { headers: { cookie } })).status).toBeGreaterThanOrEqual(500)
  })

  it('keeps a Response that a handler sends, and its cookies', async () => {
    const sessions = createSessions<Data>()
    const app = fastify()
    await app.register(fastifySession(sessions))
    app.get('/', async (request, reply) => {
      const session = await sessions.of(request)
      session.update('n', increment)
      const headers = [
        ['Set-Cookie', 'theme=dark'],
        ['Cache-Control', 'public, max-age=60'],
      ] as [string, string][]
      return reply.send(new Response('a response', { headers }))
    })
    const answer = await fetch(await listening(app))
    expect(await answer.text()).toBe('a response')
    expect(answer.headers.getSetCookie().map((one) => one.split('=', 1)[0])).toEqual(['theme', 'sid'])
    expect(answer.headers.get('Cache-Control')).toBe('private, max-age=60')
  })
})
