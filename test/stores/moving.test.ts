import express, { type RequestHandler } from 'express'
import oldSession from 'express-session'
import { expect, it, onTestFinished } from 'vitest'
import { expressSession } from '../../src/adapters/express.ts'
import { createSessions } from '../../src/index.ts'
import { memoryStore } from '../../src/stores/memory.ts'
import { listen } from '../adapters/serve.ts'

// What the page "Moving from express-session" tells to do, in a real site.

declare module 'express-session' {
  interface SessionData {
    userId: string
    books: string[]
  }
}

interface Data {
  books: string[]
}

const sessions = createSessions<Data>({ store: memoryStore() })

const move: RequestHandler = async (req, res, next) => {
  const { userId, books } = req.session
  if (userId === undefined && books === undefined) return next()
  const session = await sessions.of(req)
  if (session.isNew) {
    if (books) session.set('books', books)
    if (userId) session.login(userId)
    await session.save()
  }
  req.session.destroy((error) => {
    res.clearCookie('connect.sid')
    next(error)
  })
}

async function site(store: oldSession.Store) {
  const old = oldSession({ store, secret: 'x'.repeat(32), resave: false, saveUninitialized: false })
  const app = express()
  // The site as it was.
  app.get('/old', old, (req, res) => {
    req.session.userId = 'alice'
    req.session.books = ['Emma']
    res.send('signed in')
  })
  // The site as it is now.
  app.use(expressSession(sessions), old, move)
  app.get('/', async (req, res) => {
    const session = await sessions.of(req)
    session.update('books', (books = []) => [...books, 'Persuasion'])
    res.json({ userId: session.userId ?? null, books: session.get('books') })
  })
  app.get('/logout', async (req, res) => {
    const session = await sessions.of(req)
    session.destroy()
    res.send('signed out')
  })
  const { origin, close } = await listen(app)
  onTestFinished(close)
  return visitor(origin)
}

/** A browser that keeps cookies. */
function visitor(origin: string) {
  const cookies = new Map<string, string>()
  return {
    cookies,
    async get(path: string): Promise<string> {
      const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ')
      const answer = await fetch(origin + path, { headers: { cookie } })
      for (const header of answer.headers.getSetCookie()) {
        const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(header) ?? []
        if (value === '' || /Max-Age=0|Expires=Thu, 01 Jan 1970/.test(header)) cookies.delete(name)
        else cookies.set(name, value)
      }
      return answer.text()
    },
  }
}

it('takes a visitor of express-session over, once, with what he had', async () => {
  const store = new oldSession.MemoryStore()
  const { get, cookies } = await site(store)
  await get('/old')
  expect([...cookies.keys()]).toEqual(['connect.sid'])
  expect(JSON.parse(await get('/'))).toEqual({ userId: 'alice', books: ['Emma', 'Persuasion'] })
  expect([...cookies.keys()]).toEqual(['sid'])
  expect(JSON.parse(await get('/'))).toEqual({ userId: 'alice', books: ['Emma', 'Persuasion', 'Persuasion'] })
  const left = await new Promise((resolve) => store.length((_error, length) => resolve(length)))
  expect(left).toBe(0)
})

it('does not sign in again who has signed out, even with the old cookie', async () => {
  const { get, cookies } = await site(new oldSession.MemoryStore())
  await get('/old')
  const old = cookies.get('connect.sid') ?? ''
  await get('/')
  await get('/logout')
  cookies.set('connect.sid', old)
  expect(JSON.parse(await get('/'))).toEqual({ userId: null, books: ['Persuasion'] })
})
