import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import session from 'express-session'
import { describe, expect, it, vi } from 'vitest'
import { createSessions } from '../../src/index.ts'
import type { Store } from '../../src/store.ts'
import { type ExpressSessionStore, expressStore } from '../../src/stores/express-store.ts'
import type { Data } from '../core/site.ts'
import { describeStore } from './contract.ts'
import { EMBEDDED } from './express-stores.ts'
import { expectNothingLost } from './parallel.ts'
import { folderOfTest, temporaryFolder } from './temporary.ts'
import { tested } from './tested.ts'

const file = new URL('./workers/express-store.ts', import.meta.url).pathname

/** How to damage what a store keeps, where that is not in its own memory. */
const BREAK: Readonly<Record<string, (folder: string, key: string) => void>> = {
  'session-file-store': (folder, key) => writeFileSync(join(folder, 'sessions', `${key}.json`), '{"cookie":'),
}
/** Its timer keeps a process alive, whoever uses it. */
const RESTLESS = 'better-sqlite3-session-store'

for (const [name, open] of Object.entries(EMBEDDED)) {
  tested('expressStore', name, 'none')
  const stores = new Map<string, ExpressSessionStore>()
  const breakEntry = BREAK[name]
  describeStore(`express-session, ${name}`, {
    prepare() {
      const folder = temporaryFolder()
      stores.set(folder, open(folder))
      return folder
    },
    open: (folder, clock) => expressStore(stores.get(folder) as ExpressSessionStore, { clock }),
    dispose: (folder) => rmSync(folder, { recursive: true }),
    expiry: 'given',
    shared: true,
    atomic: 'process',
    abilities: { purge: false, ofUser: false, close: false },
    ...(breakEntry && { breakEntry }),
    ...(name !== RESTLESS && { worker: (folder: string) => ({ file, args: [name, folder] }) }),
  })
}

const HOUR = 3_600_000
const entry = (value = '{}') => ({ value, expiresAt: Date.now() + HOUR, userId: undefined })

/** A store of express-session made of what a test wants to see or to do. */
function made(verbs: Partial<ExpressSessionStore>): Store {
  const store = new session.MemoryStore()
  const bound = {
    get: store.get.bind(store),
    set: store.set.bind(store),
    destroy: store.destroy.bind(store),
  } satisfies ExpressSessionStore
  return expressStore({ ...bound, ...verbs })
}

describe('what a store of express-session is handed', () => {
  it('is a session with a cookie, from which each kind of store finds the lifetime, a minute longer', async () => {
    const set = vi.fn((_sid: string, _session: object, callback: (error?: unknown) => void) => callback())
    const before = Date.now()
    await made({ set }).create('key', { value: 'text', expiresAt: Date.now() + HOUR, userId: 'alice' })
    const [sid, { cookie, sojourn }] = set.mock.calls[0] as unknown as [string, Record<string, never>]
    expect(sid).toBe('key')
    expect(sojourn).toMatchObject({ value: 'text', userId: 'alice' })
    const { originalMaxAge, maxAge, expires } = cookie as unknown as Record<string, number | Date>
    expect(maxAge).toBe(originalMaxAge)
    expect(maxAge).toBeGreaterThan(HOUR)
    expect(Number(expires) - before).toBeGreaterThanOrEqual(Number(maxAge))
  })

  it('goes by the clock of this process, where the application goes by another one', async () => {
    const set = vi.fn((_sid: string, _session: object, callback: (error?: unknown) => void) => callback())
    const day = 24 * HOUR
    const store = expressStore(
      { ...new session.MemoryStore(), get: (_sid, callback) => callback(null), set, destroy: vi.fn() },
      {
        clock: () => Date.now() + day,
      },
    )
    await store.create('key', { value: 'text', expiresAt: Date.now() + day + HOUR, userId: undefined })
    const [, { cookie }] = set.mock.calls[0] as unknown as [
      string,
      { cookie: { expires: Date; maxAge: number } },
    ]
    expect(cookie.maxAge).toBeLessThan(2 * HOUR)
    expect(cookie.expires.getTime()).toBeLessThan(Date.now() + 2 * HOUR)
  })
})

describe('two stores around one', () => {
  it('wait for each other', async () => {
    const store = new session.MemoryStore()
    const [one, other] = [expressStore(store), expressStore(store)]
    const created = await Promise.all([one.create('key', entry('one')), other.create('key', entry('other'))])
    expect(created.filter((version) => version !== undefined)).toHaveLength(1)
  })
})

it('two processes lose one of two updates, as the page says: here two objects, which do not know each other', async () => {
  const memory = new session.MemoryStore()
  const process = () =>
    expressStore({
      get: memory.get.bind(memory),
      set: memory.set.bind(memory),
      destroy: memory.destroy.bind(memory),
    })
  const [one, other] = [process(), process()]
  const version = (await one.create('key', entry())) ?? ''
  const updated = await Promise.all([
    one.update('key', entry('one'), version),
    other.update('key', entry('other'), version),
  ])
  expect(updated.filter((result) => result && 'version' in result)).toHaveLength(2)
})

describe.each(Object.entries(EMBEDDED))('through the core, on %s,', (_name, open) => {
  it('100 parallel requests lose neither their keys nor their updates', async () => {
    const sessions = createSessions<Data>({ store: expressStore(open(folderOfTest())) })
    await expectNothingLost([sessions])
  })
})

describe('a store that misbehaves', () => {
  const failure = new Error('gone: key')

  it.each<[string, ExpressSessionStore['get']]>([
    ['answers an error', (_sid, callback) => callback(failure)],
    [
      'throws',
      () => {
        throw failure
      },
    ],
    [
      'rejects',
      async () => {
        throw failure
      },
    ],
    [
      'answers twice',
      (_sid, callback) => {
        callback(failure)
        callback(null)
      },
    ],
  ])('and %s is an error that quotes nothing, and the next call works', async (_what, get) => {
    const memory = new session.MemoryStore()
    let fails = true
    const store = made({ get: (sid, callback) => (fails ? get(sid, callback) : memory.get(sid, callback)) })
    const error = await store.read('key').catch((error: Error) => error)
    expect(error).toMatchObject({ message: 'The store of express-session failed to read', cause: failure })
    fails = false
    expect(await store.read('key')).toBeUndefined()
    expect(await store.create('key', entry())).toBeDefined()
  })

  it('and answers ENOENT has no session, as express-session takes it', async () => {
    const missing = Object.assign(new Error('no such file'), { code: 'ENOENT' })
    const store = made({ get: (_sid, callback) => callback(missing) })
    expect(await store.read('key')).toBeUndefined()
  })

  it('and never answers holds up that session alone', async () => {
    const memory = new session.MemoryStore()
    const store = made({ get: (sid, callback) => (sid === 'stuck' ? undefined : memory.get(sid, callback)) })
    void store.create('stuck', entry())
    expect(await store.create('key', entry())).toBeDefined()
  })
})

it('a session of express-session itself is none of ours, and stays', async () => {
  const memory = new session.MemoryStore()
  const theirs = { cookie: { originalMaxAge: null }, views: 3 } as unknown as session.SessionData
  memory.set('their-sid', theirs)
  const store = expressStore(memory)
  expect(await store.read('their-sid')).toBeUndefined()
  expect(await store.update('their-sid', entry(), 'version')).toBeUndefined()
  await store.create('key', entry())
  const kept = await new Promise((resolve) => memory.get('their-sid', (_error, session) => resolve(session)))
  expect(kept).toMatchObject({ views: 3 })
})

describe('misuse is refused at once:', () => {
  it.each([
    ['"store"', () => expressStore(undefined as never)],
    ['"store"', () => expressStore({ get: Date.now } as never)],
    ['"clock"', () => expressStore(new session.MemoryStore(), { clock: 5 as never })],
    ['"clock"', () => expressStore(new session.MemoryStore(), { clok: Date.now } as never)],
  ])('%s', (option, construct) => {
    expect(construct).toThrow(TypeError)
    expect(construct).toThrow(option)
  })
})
