import { describe, expect, it } from 'vitest'
import { runWithSession, withSession } from '../../src/adapters/fetch.ts'
import { createSessions, type SessionError, type Sessions } from '../../src/index.ts'
import { memoryStore } from '../../src/stores/memory.ts'
import { countingStore } from '../../src/testing/counting-store.ts'
import { failingStore } from '../../src/testing/failing-store.ts'

type Data = { n: number }

function increment(n = 0): number {
  return n + 1
}

const at = (url: string, headers: Record<string, string> = {}) => new Request(url, { headers })
const cookieOf = (response: Response) => response.headers.getSetCookie().join('; ')

async function count(sessions: Sessions<Data>, request: Request): Promise<number> {
  return (await sessions.of(request)).update('n', increment) ?? 0
}

describe('withSession', () => {
  it('has the runtime wait, where it can, until what the handler changes is saved', async () => {
    const store = countingStore(memoryStore())
    const sessions = createSessions<Data>({ store })
    const handler = withSession(sessions, async (request: Request, _env: object, _context: object) => {
      await count(sessions, request)
      return new Response()
    })
    const waits: Promise<unknown>[] = []
    const context = { waitUntil: (work: Promise<unknown>) => void waits.push(work) }
    void handler(at('http://localhost/'), {}, context)
    expect(waits).toHaveLength(1)
    await waits[0]
    expect(store.calls.create).toBe(1)
  })

  it('passes on what the runtime hands over beside the request', async () => {
    const sessions = createSessions<Data>()
    const handler = withSession(
      sessions,
      async (request: Request, env: { greeting: string }, now: number) => {
        return new Response(`${env.greeting} ${await count(sessions, request)} ${now}`)
      },
    )
    const response = await handler(at('http://localhost/'), { greeting: 'Hello' }, 5)
    expect(await response.text()).toBe('Hello 1 5')
  })

  it('gives its cookie to a response that cannot be changed, and to each visitor their own of a shared one', async () => {
    const sessions = createSessions<Data>()
    const shared = new Response(null, { status: 204 })
    for (const answer of [() => Response.redirect('http://localhost/next', 303), () => shared]) {
      const handler = withSession(sessions, async (request: Request) => {
        await count(sessions, request)
        return answer()
      })
      const [one, other] = [await handler(at('http://localhost/')), await handler(at('http://localhost/'))]
      for (const response of [one, other]) expect(response.headers.getSetCookie()).toHaveLength(1)
      expect(cookieOf(one)).not.toBe(cookieOf(other))
    }
    expect([...shared.headers]).toEqual([])
  })

  it('hands on the very response where nothing is to be told', async () => {
    const response = new Response('Hello')
    const handler = withSession(createSessions(), () => response)
    expect(await handler(at('http://localhost/'))).toBe(response)
  })

  it.each([
    ['https://shop.example/', {}, {}, true],
    ['http://shop.example/', {}, {}, false],
    ['http://shop.example/', { 'X-Forwarded-Proto': 'https' }, {}, false],
    ['http://shop.example/', { 'X-Forwarded-Proto': 'https, http' }, { trustProxy: true }, true],
    ['https://shop.example/', { 'X-Forwarded-Proto': 'http' }, { trustProxy: true }, false],
  ])('%s with %j and %j: a Secure cookie is %s', async (url, headers, options, isSecure) => {
    const sessions = createSessions<Data>()
    const handler = withSession(
      sessions,
      async (request: Request) => new Response(String(await count(sessions, request))),
      options,
    )
    const cookie = cookieOf(await handler(at(url, headers)))
    expect(cookie.startsWith('__Host-Http-sid=')).toBe(isSecure)
    expect(cookie.includes('; Secure')).toBe(isSecure)
  })

  it('asks for the error page again when the first one cannot be saved', async () => {
    const store = failingStore(memoryStore())
    const sessions = createSessions<Data>({ store })
    const errors: unknown[] = []
    const handler = withSession(
      sessions,
      async (request: Request) => {
        await count(sessions, request)
        throw new Error('The page failed')
      },
      {
        onError(error) {
          errors.push((error as SessionError).code ?? (error as Error).message)
          return new Response('sorry', { status: 500 })
        },
      },
    )
    store.failWhen(() => true)
    const response = await handler(at('http://localhost/'))
    expect([response.status, await response.text(), response.headers.getSetCookie()]).toEqual([
      500,
      'sorry',
      [],
    ])
    expect(errors).toEqual(['The page failed', 'ERR_SESSION_STORE'])
  })

  it('refuses what cannot work, by name', () => {
    const sessions = createSessions()
    const call = withSession as (...args: unknown[]) => unknown
    expect(() => call({}, () => new Response())).toThrow(/The first argument of withSession\(\)/)
    expect(() => call(sessions, 'handler')).toThrow(/The second argument/)
    expect(() => call(sessions, () => new Response(), { onerror: 1 })).toThrow(/did you mean "onError"/)
    expect(() => call(sessions, () => new Response(), { trustProxy: 'yes' })).toThrow(/"trustProxy"/)
    expect(() => call(sessions, () => new Response(), { onError: true })).toThrow(/"onError"/)
  })
})

describe('runWithSession', () => {
  it('gives its cookie to a response that is thrown, as to one that is returned', async () => {
    const sessions = createSessions<Data>()
    const request = at('http://localhost/')
    const running = runWithSession(sessions, request, async () => {
      await count(sessions, request)
      throw Response.redirect('http://localhost/next', 303)
    })
    const thrown = await running.catch((one: Response) => one)
    expect(thrown.status).toBe(303)
    expect(thrown.headers.getSetCookie()).toHaveLength(1)
  })

  it('throws on what was thrown, and has saved the session', async () => {
    const store = memoryStore()
    const sessions = createSessions<Data>({ store })
    const request = at('http://localhost/')
    let handle = ''
    const running = runWithSession(sessions, request, async () => {
      await count(sessions, request)
      handle = (await sessions.of(request)).handle
      throw new Error('The page failed')
    })
    await expect(running).rejects.toThrow('The page failed')
    expect(await store.read(handle)).toBeDefined()
  })

  it('throws when the session cannot be saved', async () => {
    const store = failingStore(memoryStore())
    const sessions = createSessions<Data>({ store })
    store.failWhen(() => true)
    const request = at('http://localhost/')
    const running = runWithSession(sessions, request, async () => {
      await count(sessions, request)
      return new Response('never seen')
    })
    await expect(running).rejects.toMatchObject({ code: 'ERR_SESSION_STORE', status: 503 })
  })

  it('saves once where middleware of the same sessions is inside another', async () => {
    const store = countingStore(memoryStore())
    const sessions = createSessions<Data>({ store })
    const request = at('http://localhost/')
    const inner = async () => new Response(String(await count(sessions, request)))
    const answer = await runWithSession(sessions, request, () => runWithSession(sessions, request, inner))
    expect(answer.headers.getSetCookie()).toHaveLength(1)
    expect(store.calls.create).toBe(1)
  })
})

it('two kinds of sessions live side by side', async () => {
  const users = createSessions<Data>({ cookie: { name: 'user' } })
  const admins = createSessions<Data>({ cookie: { name: 'admin' } })
  const handler = withSession(
    users,
    withSession(admins, async (request: Request) => {
      await count(users, request)
      await count(admins, request)
      return new Response(String(await count(admins, request)))
    }),
  )
  const response = await handler(at('http://localhost/'))
  expect(await response.text()).toBe('2')
  const names = response.headers.getSetCookie().map((cookie) => cookie.split('=', 1)[0])
  expect(names.sort()).toEqual(['admin', 'user'])
})
