import { setImmediate } from 'node:timers/promises'
import { Hono } from 'hono'
import Koa from 'koa'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { honoSession, type SessionVariables } from '../../src/adapters/hono.ts'
import { koaSession, type WithSession } from '../../src/adapters/koa.ts'
import { createSessions } from '../../src/index.ts'
import { memoryStore } from '../../src/stores/memory.ts'
import { countingStore } from '../../src/testing/counting-store.ts'
import { failingStore } from '../../src/testing/failing-store.ts'
import { listen } from './serve.ts'

type Data = { n: number }

function increment(n = 0): number {
  return n + 1
}

describe('koaSession', () => {
  async function listening(app: Koa): Promise<string> {
    app.silent = true
    const { origin, close } = await listen(app.callback())
    onTestFinished(close)
    return origin
  }

  it('holds back what is written by hand until the session is saved', async () => {
    const store = failingStore(memoryStore())
    const sessions = createSessions<Data>({ store })
    const app = new Koa()
    app.use(koaSession(sessions))
    app.use(async (ctx) => {
      const session = await sessions.of(ctx)
      ctx.respond = false
      ctx.res.end(String(session.update('n', increment)))
    })
    const url = await listening(app)
    const answer = await fetch(url)
    expect([await answer.text(), answer.headers.getSetCookie().length]).toEqual(['1', 1])
    store.failWhen(() => true)
    const failed = await fetch(url)
    expect([failed.status, failed.headers.getSetCookie()]).toEqual([503, []])
  })

  it('gives an error that nobody handles to Koa, with its status', async () => {
    const store = failingStore(memoryStore())
    const sessions = createSessions<Data>({ store })
    const app = new Koa()
    app.use(koaSession(sessions))
    app.use(async (ctx) => {
      ;(await sessions.of(ctx)).update('n', increment)
      ctx.redirect('/next')
    })
    const url = await listening(app)
    store.failWhen(() => true)
    const failed = await fetch(url, { redirect: 'manual' })
    expect([failed.status, failed.headers.get('Location'), failed.headers.getSetCookie()]).toEqual([
      503,
      null,
      [],
    ])
  })

  it('puts the session on the context with "eager"', async () => {
    const sessions = createSessions<Data>()
    const app = new Koa()
    app.use(koaSession(sessions, { eager: true }))
    app.use((ctx) => {
      const { session } = ctx as object as WithSession<Koa.Context, Data>
      ctx.body = String(session.update('n', increment))
    })
    expect(await (await fetch(await listening(app))).text()).toBe('1')
  })
})

describe('honoSession', () => {
  it('has the runtime wait, where it can, until what the handler changes is saved', async () => {
    const store = countingStore(memoryStore())
    const sessions = createSessions<Data>({ store })
    let goOn = (): void => undefined
    const app = new Hono()
    app.use(honoSession(sessions))
    app.get('/', async (c) => {
      const session = await sessions.of(c)
      await new Promise<void>((resolve) => (goOn = resolve))
      return c.text(String(session.update('n', increment)))
    })
    app.get('/still', (c) => c.text('still'))
    const waits: Promise<unknown>[] = []
    const waitUntil = (work: Promise<unknown>) => void waits.push(work)
    const context = { waitUntil, passThroughOnException: () => undefined, props: {} }
    await app.fetch(new Request('http://localhost/still'), {}, context)
    expect(waits).toEqual([])
    void app.fetch(new Request('http://localhost/'), {}, context)
    await setImmediate()
    expect([waits.length, store.calls.create]).toEqual([1, 0])
    goOn()
    await waits[0]
    expect(store.calls.create).toBe(1)
  })

  it('hands on a change of protocol as it is, which nobody but the runtime can make', async () => {
    const sessions = createSessions<Data>()
    const upgrade = Object.defineProperty(new Response(null), 'status', { value: 101 })
    const app = new Hono()
    app.use(honoSession(sessions))
    app.get('/', async (c) => {
      expect((await sessions.of(c)).get('n')).toBeUndefined()
      return upgrade
    })
    expect(await app.request('/')).toBe(upgrade)
  })

  it('looks at no header of an answer that no session has to do with', async () => {
    const sessions = createSessions<Data>()
    const app = new Hono()
    app.use(honoSession(sessions))
    const answer = new Response('text')
    app.get('/', () => answer)
    const look = vi.spyOn(answer, 'headers', 'get')
    expect(await (await app.request('/')).text()).toBe('text')
    expect(look).not.toHaveBeenCalled()
  })

  it('is one session when a sub-app brings the middleware again', async () => {
    const sessions = createSessions<Data>()
    const inner = new Hono()
    inner.use(honoSession(sessions))
    inner.get('/', async (c) => c.text(String((await sessions.of(c)).update('n', increment))))
    const app = new Hono()
    app.use(honoSession(sessions))
    app.use(async (c, next) => {
      ;(await sessions.of(c.req.raw)).update('n', increment)
      await next()
    })
    app.route('/inner', inner)
    const answer = await app.request('/inner')
    expect(await answer.text()).toBe('2')
    expect(answer.headers.getSetCookie()).toHaveLength(1)
  })

  it('is a variable of the context with "eager"', async () => {
    const sessions = createSessions<Data>()
    const app = new Hono<{ Variables: SessionVariables<Data> }>()
    app.use(honoSession(sessions, { eager: true }))
    app.get('/', (c) => c.text(String(c.get('session').update('n', increment))))
    expect(await (await app.request('/')).text()).toBe('1')
  })

  it('keeps the headers of an answer that is not given out of the error page', async () => {
    const store = failingStore(memoryStore())
    const sessions = createSessions<Data>({ store })
    const app = new Hono()
    app.use(honoSession(sessions))
    app.get('/', async (c) => {
      ;(await sessions.of(c)).update('n', increment)
      return new Response('secret', { headers: { 'Content-Disposition': 'attachment', ETag: '"1"' } })
    })
    app.onError(() => new Response('sorry', { status: 503 }))
    store.failWhen(() => true)
    const answer = await app.request('/')
    expect([answer.status, await answer.text()]).toEqual([503, 'sorry'])
    expect(['Content-Disposition', 'ETag', 'Set-Cookie'].map((name) => answer.headers.get(name))).toEqual([
      null,
      null,
      null,
    ])
  })
})
