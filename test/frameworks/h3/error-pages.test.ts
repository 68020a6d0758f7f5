import { H3, type H3Event, HTTPError, HTTPResponse, onError } from 'h3'
import { expect, it } from 'vitest'
import { h3Session } from '../../../src/adapters/h3.ts'
import { createSessions } from '../../../src/index.ts'
import { memoryStore } from '../../../src/stores/memory.ts'

// Whoever makes the page of an error of h3 2, it has the cookie of the session that the failing handler began.

const sessions = createSessions<{ n: number }>({ store: memoryStore() })
const respond = (): Response => new Response('page', { status: 418 })
const page = (): HTTPResponse => new HTTPResponse('page', { status: 418 })
const plugin = (app: H3): H3 => app.register(h3Session(sessions))
const middleware = (app: H3): H3 => app.use(h3Session(sessions))

async function fails(event: H3Event): Promise<never> {
  const session = await sessions.of(event)
  session.update('n', (n = 0) => n + 1)
  throw new HTTPError({ status: 418, message: 'short and stout' })
}

it.each<[string, H3]>([
  ['h3', plugin(new H3())],
  ['a Response of onError', plugin(new H3({ onError: respond }))],
  ['a value of onError', plugin(new H3({ onError: page }))],
  ['an onError that answers nothing', plugin(new H3({ onError: () => undefined, silent: true }))],
  ['a middleware for errors', plugin(new H3()).use(onError(respond))],
  // Nitro 3 has an onError of its own, and takes middleware.
  ['h3, of a middleware', middleware(new H3())],
  ['a Response of onError, of a middleware', middleware(new H3({ onError: respond }))],
  ['a value of onError, of a middleware', middleware(new H3({ onError: page }))],
])('an error page by %s', async (_, app) => {
  app.get('/', fails)
  const visit = (cookie = '') => app.request('http://localhost/', { headers: { cookie } })
  // The second visitor as the first one.
  for (const first of [await visit(), await visit()]) {
    expect(first.status).toBe(418)
    const [cookie = '', ...more] = first.headers.getSetCookie()
    expect([cookie.slice(0, 4), more]).toEqual(['sid=', []])
    expect((await visit(cookie.split(';', 1)[0])).headers.getSetCookie()).toEqual([])
  }
})
