import { randomBytes } from 'node:crypto'
import { expect, it } from 'vitest'
import { runWithSession } from '../../src/adapters/fetch.ts'
import { createSessions, type Sessions, type SessionsOptions } from '../../src/index.ts'
import { cookieStore } from '../../src/stores/cookie.ts'
import { memoryStore } from '../../src/stores/memory.ts'

// Middleware that a framework runs again for the same request, as Astro does for the page of an error or of an empty 404.

type Data = { n: number }

const cookiesOf = (response: Response) => response.headers.getSetCookie()

/** The next request of who got that answer. */
const after = (response: Response) =>
  new Request('http://localhost/', { headers: { Cookie: String(cookiesOf(response)).split(';', 1).join() } })

async function count(sessions: Sessions<Data>, request: Request): Promise<string> {
  return String((await sessions.of(request)).update('n', (n = 0) => n + 1))
}

/** One run for the request, which answers how many visits it counted. */
function run(sessions: Sessions<Data>, request: Request): Promise<Response> {
  return runWithSession(sessions, request, async () => new Response(await count(sessions, request)))
}

async function textOf(answering: Promise<Response>): Promise<string> {
  return (await answering).text()
}

it('goes on with the session of what was thrown', async () => {
  const sessions = createSessions<Data>({ store: memoryStore() })
  const request = new Request('http://localhost/')
  const failing = runWithSession(sessions, request, async () => {
    await count(sessions, request)
    throw new Error('The page failed')
  })
  await expect(failing).rejects.toThrow('The page failed')
  const page = await run(sessions, request)
  expect([await page.text(), cookiesOf(page).length]).toEqual(['2', 1])
  expect(await textOf(run(sessions, after(page)))).toBe('3')
})

it('begins a session where the first answer has none', async () => {
  const sessions = createSessions<Data>({ store: memoryStore() })
  const request = new Request('http://localhost/')
  const first = await runWithSession(sessions, request, async () => new Response())
  const page = await run(sessions, request)
  expect([cookiesOf(first), await page.text()]).toEqual([[], '1'])
  expect(await textOf(run(sessions, after(page)))).toBe('2')
})

it('changes the session that the first answer began, time and again', async () => {
  const sessions = createSessions<Data>({ store: memoryStore() })
  const request = new Request('http://localhost/')
  const first = await run(sessions, request)
  for (const n of [2, 3]) {
    const page = await run(sessions, request)
    expect([cookiesOf(page), await page.text()]).toEqual([[], String(n)])
  }
  expect(await textOf(run(sessions, after(first)))).toBe('4')
})

it.each<[string, NonNullable<SessionsOptions['store']>]>([
  ['a store', memoryStore()],
  ['the cookie', cookieStore({ keys: [randomBytes(32).toString('base64url')] })],
])('does not bring back what the first answer ended, with sessions in %s', async (_, store) => {
  const sessions = createSessions<Data>({ store })
  const began = await run(sessions, new Request('http://localhost/'))
  const request = after(began)
  await runWithSession(sessions, request, async () => {
    const session = await sessions.of(request)
    expect(session.get('n')).toBe(1)
    session.destroy()
    return new Response()
  })
  expect(await textOf(run(sessions, request))).toBe('1')
})
