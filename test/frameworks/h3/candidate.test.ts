import { H3, type H3Event, HTTPError } from 'h3rc'
import { expect, it } from 'vitest'
import { h3Session } from '../../../src/adapters/h3.ts'
import { createSessions } from '../../../src/index.ts'
import { memoryStore } from '../../../src/stores/memory.ts'

// The candidate of h3 2 that Nitro 3.0 stands on. Its events have no headers for error pages alone.

function siteOf() {
  const sessions = createSessions<{ n: number }>({ store: memoryStore() })
  const count = async (event: H3Event) => (await sessions.of(event)).update('n', (n = 0) => n + 1)
  const app = new H3({ silent: true })
    .use(h3Session(sessions))
    .get('/', async (event) => String(await count(event)))
    .get('/fails', async (event) => {
      await count(event)
      throw new HTTPError({ status: 418 })
    })
  return async (path: string, cookie = ''): Promise<{ status: number; cookies: string[]; body: string }> => {
    const answer = await app.request(`http://localhost${path}`, { headers: { cookie } })
    const cookies = answer.headers.getSetCookie().map((line) => line.split(';', 1)[0] ?? '')
    return { status: answer.status, cookies, body: await answer.text() }
  }
}

it('counts visits', async () => {
  const visit = siteOf()
  const { cookies, body } = await visit('/')
  expect([cookies.length, body]).toEqual([1, '1'])
  for (const visits of ['2', '3']) expect((await visit('/', cookies[0])).body).toBe(visits)
  expect((await visit('/')).body).toBe('1')
})

it('keeps what was changed before an error, and answers with its page', async () => {
  const visit = siteOf()
  const { cookies } = await visit('/')
  expect((await visit('/fails', cookies[0])).status).toBe(418)
  expect((await visit('/', cookies[0])).body).toBe('3')
})

it('gives the cookie to an error page that onError answers', async () => {
  const sessions = createSessions<{ n: number }>({ store: memoryStore() })
  const app = new H3({ silent: true, onError: () => new Response('page', { status: 418 }) })
    .use(h3Session(sessions))
    .get('/', async (event) => {
      ;(await sessions.of(event)).set('n', 1)
      throw new HTTPError({ status: 418 })
    })
  const answer = await app.request('http://localhost/')
  // It merges what was prepared twice by itself.
  expect(new Set(answer.headers.getSetCookie()).size).toBe(1)
  expect(answer.headers.getSetCookie()).toHaveLength(2)
})

it('100 visits of one session at once all count', async () => {
  const visit = siteOf()
  const { cookies } = await visit('/')
  await Promise.all(Array.from({ length: 100 }, () => visit('/', cookies[0])))
  expect((await visit('/', cookies[0])).body).toBe('102')
})
