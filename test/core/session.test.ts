import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Session } from '../../src/index.ts'
import type { UnderWay } from './browser.ts'
import { type Anything, TestSite } from './test-site.ts'

type Live = Session<Anything>

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

/** One request of a new visitor, with what it answers. */
function request<Result>(handler: (session: Live) => Result | Promise<Result>): Promise<Result> {
  return new TestSite().browser().visit(handler)
}

describe('as a Map', () => {
  /** A session in the middle of a request, and the Map that it is held against. */
  interface Real {
    session: Live
    next(): Promise<void>
  }
  type Deed = fc.AsyncCommand<Map<string, unknown>, Real>

  const command = (name: string, run: (map: Map<string, unknown>, real: Real) => unknown): Deed => ({
    check: () => true,
    async run(map, real) {
      await run(map, real)
      // In the order of insertion within a request; a store may order keys that are numbers anew.
      expect(new Map(real.session)).toEqual(map)
      expect(real.session.size).toBe(map.size)
      expect(real.session.isEmpty).toBe(map.size === 0)
      expect(new Set(real.session.keys())).toEqual(new Set(map.keys()))
    },
    toString: () => name,
  })

  const key = fc.constantFrom('a', 'b', 'c', '__proto__', 'constructor', '', '1')
  const value = fc.oneof(
    fc.integer(),
    fc.constantFrom<unknown>(null, false, '', [1], { a: 1 }, new Date(0), 1n),
  )

  const set = fc.tuple(key, value).map(([k, v]) =>
    command(`set(${k}, ${fc.stringify(v)})`, (map, { session }) => {
      map.set(k, v)
      expect(session.set(k, v)).toBe(session)
    }),
  )
  const get = key.map((k) =>
    command(`get(${k})`, (map, { session }) => {
      expect(session.get(k)).toEqual(map.get(k))
      expect(session.get(k, 'fallback')).toEqual(map.has(k) ? map.get(k) : 'fallback')
      expect(session.has(k)).toBe(map.has(k))
    }),
  )
  const remove = key.map((k) =>
    command(`delete(${k})`, (map, { session }) => expect(session.delete(k)).toBe(map.delete(k))),
  )
  const pop = key.map((k) =>
    command(`pop(${k})`, (map, { session }) => {
      expect(session.pop(k, 'fallback')).toEqual(map.has(k) ? map.get(k) : 'fallback')
      map.delete(k)
    }),
  )
  const getOrInsert = fc.tuple(key, value).map(([k, v]) =>
    command(`getOrInsert(${k}, ${fc.stringify(v)})`, (map, { session }) => {
      if (!map.has(k)) map.set(k, v)
      expect(session.getOrInsert(k, v)).toEqual(map.get(k))
    }),
  )
  const update = fc.tuple(key, fc.option(value, { nil: undefined })).map(([k, v]) =>
    command(`update(${k}, ${fc.stringify(v)})`, (map, { session }) => {
      const before = map.get(k)
      const result = session.update(k, (current) => {
        expect(current).toEqual(before)
        return v
      })
      expect(result).toEqual(v)
      if (v === undefined) map.delete(k)
      else map.set(k, v)
    }),
  )
  const clear = fc.constant(
    command('clear()', (map, { session }) => {
      session.clear()
      map.clear()
    }),
  )
  const destroy = fc.constant(
    command('destroy()', (map, { session }) => {
      session.destroy()
      map.clear()
    }),
  )
  const save = fc.constant(command('save()', (_, { session }) => session.save()))
  const next = fc.constant(command('next request', (_, real) => real.next()))
  const login = fc.constant(command('login()', (_, { session }) => session.login('ada')))
  const regenerateId = fc.constant(command('regenerateId()', (_, { session }) => session.regenerateId()))

  it('holds what a Map would hold, within a request and across requests', async () => {
    const commands = fc.commands(
      [set, set, get, remove, pop, getOrInsert, update, clear, destroy, save, next, login, regenerateId],
      { maxCommands: 30 },
    )
    const property = fc.asyncProperty(commands, async (deeds) => {
      const browser = new TestSite().browser()
      let { session, finish }: UnderWay<Anything> = await browser.begin()
      const real: Real = {
        get session() {
          return session
        },
        async next() {
          for (const header of await finish()) browser.receive(header)
          ;({ session, finish } = await browser.begin())
        },
      }
      await fc.asyncModelRun(() => ({ model: new Map<string, unknown>(), real }), deeds)
    })
    await fc.assert(property, { numRuns: 500 })
  })

  it('goes through its values in the order in which they came', async () => {
    const visitor = new TestSite().browser()
    await visitor.visit((session) => session.set('b', 1).set('a', 2).set('c', 3).set('b', 4))
    const seen = await visitor.visit((session) => {
      session.delete('a')
      session.set('a', 5)
      return [[...session.keys()], [...session.values()], [...session.entries()], [...session]]
    })
    const entries = [
      ['b', 4],
      ['c', 3],
      ['a', 5],
    ]
    expect(seen).toEqual([['b', 'c', 'a'], [4, 3, 5], entries, entries])
  })

  it('may be changed while somebody goes through it, who sees it as it was', async () => {
    await request((session) => {
      session.set('a', 1).set('b', 2)
      const seen: string[] = []
      for (const [key] of session) {
        seen.push(key)
        session.set(`${key}${key}`, 0)
        session.delete('b')
      }
      for (const key of session.keys()) session.delete(key)
      expect(seen).toEqual(['a', 'b'])
      expect(session.size).toBe(0)
    })
  })

  it('tells null, false, 0 and "" from nothing', async () => {
    await request((session) => {
      for (const value of [null, false, 0, '']) {
        session.set('key', value)
        expect(session.get('key', 'fallback')).toBe(value)
        expect(session.getOrInsert('key', 'inserted')).toBe(value)
        expect(session.pop('key', 'fallback')).toBe(value)
        expect(session.pop('key', 'fallback')).toBe('fallback')
      }
    })
  })
})

describe('facts', () => {
  it('of a session that begins', async () => {
    const site = new TestSite({ idleTimeout: '1h', absoluteTimeout: '1d' })
    await site.browser().visit((session) => {
      expect(session).toMatchObject({ isNew: true, isEmpty: true, size: 0, createdAt: site.now })
      expect(session).toMatchObject({ userId: undefined, authenticatedAt: undefined })
      expect(session.expiresAt).toBe(site.now + HOUR)
      expect(session.handle).toMatch(/^[\w-]{22}$/)
    })
  })

  it('of a session that goes on, and of its sign-in', async () => {
    const site = new TestSite({ idleTimeout: '1h', absoluteTimeout: '90m' })
    const visitor = await site.visitor()
    const createdAt = site.now
    const handle = await visitor.visit((session) => session.handle)
    site.now += 45 * MINUTE
    await visitor.visit((session) => {
      expect(session).toMatchObject({ isNew: false, isEmpty: false, createdAt, handle })
      expect(session.expiresAt).toBe(createdAt + HOUR)
      session.set('mine', false)
    })
    await visitor.visit((session) => {
      expect(session.expiresAt).toBe(createdAt + 90 * MINUTE)
      session.login('ada')
      expect(session).toMatchObject({ userId: 'ada', authenticatedAt: site.now, createdAt, handle })
      expect(session.expiresAt).toBe(site.now + HOUR)
    })
    site.now += 1
    await visitor.visit((session) => {
      expect(session).toMatchObject({ userId: 'ada', authenticatedAt: site.now - 1, createdAt, handle })
      expect(session.expiresAt).toBe(site.now - 1 + HOUR)
    })
  })

  it('of its own timeouts, from the moment they are set', async () => {
    const site = new TestSite({ idleTimeout: '1h', absoluteTimeout: '1d' })
    const visitor = await site.visitor()
    await visitor.visit((session) => {
      session.setTimeouts({ idle: '2d' })
      expect(session.expiresAt).toBe(site.now + DAY)
      session.setTimeouts({ absolute: '7d' })
      expect(session.expiresAt).toBe(site.now + 2 * DAY)
    })
    site.now += 2 * DAY - 1
    expect(await visitor.visit((session) => session.get('mine'))).toBe(true)
    site.now += 2 * DAY
    expect(await visitor.visit((session) => session.get('mine'))).toBeUndefined()
  })

  it('of a session with a flash alone: it is not empty, and has no value', async () => {
    await request((session) => {
      session.flash('note', 1)
      expect([session.isEmpty, session.size]).toEqual([false, 0])
      session.takeFlashes()
      expect(session.isEmpty).toBe(true)
    })
  })

  it('cannot be assigned', async () => {
    await request((session) => {
      for (const fact of ['userId', 'handle', 'size', 'isNew', 'createdAt', 'expiresAt']) {
        expect(() => Object.assign(session, { [fact]: 'forged' }), fact).toThrow(TypeError)
      }
    })
  })
})

describe('flashes', () => {
  const take = (session: Live) => session.takeFlashes().map(({ key, value }) => [key, value])

  it('are handed out once, in order, several of one key among them', async () => {
    const visitor = new TestSite().browser()
    await visitor.visit((session) => {
      session.flash('info', 1)
      session.flash('error', { text: 2 })
      session.flash('info', 3)
    })
    const all = [
      ['info', 1],
      ['error', { text: 2 }],
      ['info', 3],
    ]
    expect(await visitor.visit(take)).toEqual(all)
    expect(await visitor.visit(take)).toEqual([])
  })

  it('wait for the page that takes them, however many come between', async () => {
    const visitor = new TestSite().browser()
    await visitor.visit((session) => session.flash('a', 1))
    await visitor.visit((session) => session.flash('b', 2))
    await visitor.visit((session) => session.set('mine', true))
    expect(await visitor.visit(take)).toEqual([
      ['a', 1],
      ['b', 2],
    ])
  })

  it('may be taken in the request that gave them, and are not kept then', async () => {
    const visitor = new TestSite().browser()
    await visitor.visit((session) => session.flash('a', 1))
    await visitor.visit((session) => {
      session.flash('b', 2)
      expect(take(session)).toEqual([
        ['a', 1],
        ['b', 2],
      ])
      session.flash('c', 3)
    })
    expect(await visitor.visit(take)).toEqual([['c', 3]])
  })

  it('are kept apart from values of the same key', async () => {
    const visitor = new TestSite().browser()
    await visitor.visit((session) => session.set('key', 'value').flash('key', 'flash'))
    await visitor.visit((session) => {
      expect(session.get('key')).toBe('value')
      expect(take(session)).toEqual([['key', 'flash']])
      expect([...session.keys()]).toEqual(['key'])
    })
  })

  it('survive a sign-in and a new id, and not clear(), destroy() or the sign-in of another user', async () => {
    const keeps: [(session: Live) => void, boolean][] = [
      [(session) => session.login('ada'), true],
      [(session) => session.regenerateId(), true],
      [(session) => session.login('grace'), false],
      [(session) => session.clear(), false],
      [(session) => session.destroy(), false],
    ]
    for (const [change, kept] of keeps) {
      const visitor = new TestSite().browser()
      await visitor.visit((session) => session.login('ada'))
      await visitor.visit((session) => session.flash('a', 1))
      await visitor.visit(change)
      expect(await visitor.visit(take), change.toString()).toEqual(kept ? [['a', 1]] : [])
    }
  })
})

describe('clear()', () => {
  it('empties the session and keeps its id, its user and its timeouts', async () => {
    const site = new TestSite({ idleTimeout: '1h' })
    const visitor = await site.visitor()
    await visitor.visit((session) => {
      session.login('ada')
      session.setTimeouts({ idle: '2h' })
    })
    const { id } = visitor
    await visitor.visit((session) => session.clear())
    expect(visitor.id).toBe(id)
    await visitor.visit((session) => {
      expect(session).toMatchObject({ isNew: false, isEmpty: true, userId: 'ada' })
      expect(session.expiresAt).toBe(site.now + 2 * HOUR)
    })
  })

  it('keeps what is set after it', async () => {
    const visitor = await new TestSite().visitor()
    await visitor.visit((session) => {
      session.clear()
      session.set('after', 1)
    })
    expect(await visitor.visit((session) => [...session])).toEqual([['after', 1]])
  })
})

describe('destroy()', () => {
  it('leaves a new, empty, anonymous session in its place', async () => {
    const site = new TestSite()
    const visitor = await site.visitor()
    await visitor.visit((session) => session.login('ada'))
    await visitor.visit((session) => {
      const { handle } = session
      session.setTimeouts({ idle: '1h' })
      session.destroy()
      expect(session).toMatchObject({ isNew: true, isEmpty: true, userId: undefined, createdAt: site.now })
      expect(session.authenticatedAt).toBeUndefined()
      expect(session.handle).not.toBe(handle)
      expect(session.expiresAt).toBe(site.now + 14 * DAY)
    })
    expect(site.store.entries.size).toBe(0)
  })

  it('begins another session with what is set after it', async () => {
    const site = new TestSite()
    const visitor = await site.visitor()
    const old = visitor.id
    await visitor.visit((session) => {
      session.set('before', 1)
      session.destroy()
      session.set('after', 1)
      session.flash('goodbye', 1)
    })
    expect(await visitor.visit((session) => [[...session], session.takeFlashes().length])).toEqual([
      [['after', 1]],
      1,
    ])
    expect(await site.sessions.resume(old)).toBeUndefined()
    expect(site.store.entries.size).toBe(1)
  })

  it('may come twice, and after save()', async () => {
    const site = new TestSite()
    const visitor = await site.visitor()
    await visitor.visit(async (session) => {
      session.destroy()
      session.set('between', 1)
      await session.save()
      session.destroy()
      session.destroy()
    })
    expect(visitor.cookie).toBeUndefined()
    expect(site.store.entries.size).toBe(0)
  })
})

describe('login()', () => {
  it('keeps the basket of a visitor who signs in, and signs in again', async () => {
    const visitor = await new TestSite().visitor()
    await visitor.visit((session) => session.login('ada'))
    await visitor.visit((session) => session.login('ada'))
    expect(await visitor.visit((session) => [session.get('mine'), session.userId])).toEqual([true, 'ada'])
  })

  it('of another user empties what was there, and keeps what is set after it', async () => {
    const visitor = await new TestSite().visitor()
    await visitor.visit((session) => session.login('ada'))
    await visitor.visit((session) => {
      session.set('before', 1)
      session.login('grace')
      expect([...session]).toEqual([])
      session.set('after', 1)
    })
    expect(await visitor.visit((session) => [[...session], session.userId])).toEqual([
      [['after', 1]],
      'grace',
    ])
  })

  it('of another user does not inherit the wish of the former one to stay signed in', async () => {
    const site = new TestSite()
    const visitor = await site.visitor()
    await visitor.visit((session) => {
      session.login('ada')
      session.setTimeouts({ idle: '365d', absolute: '365d', persistent: true })
    })
    await visitor.visit((session) => {
      session.login('grace')
      expect(session.expiresAt).toBe(site.now + 14 * DAY)
    })
    expect(await visitor.visit((session) => session.expiresAt)).toBe(site.now + 14 * DAY)
    expect(visitor.received.at(-1)).toContain(`Max-Age=${30 * 86_400};`)
  })

  it('alone is worth a session', async () => {
    const visitor = new TestSite().browser()
    await visitor.visit((session) => session.login('ada'))
    expect(await visitor.visit((session) => [session.userId, session.isNew])).toEqual(['ada', false])
  })
})

describe('misuse is a TypeError, and changes nothing', () => {
  // What a call from JavaScript may hand over.
  // biome-ignore lint/suspicious/noExplicitAny: the calls are wrong on purpose
  const misuse: [string, (session: any) => unknown][] = [
    ...[undefined, null, 1, Symbol('s'), {}, ['a']].flatMap((key): typeof misuse => {
      const name = fc.stringify(key)
      return [
        [`set with the key ${name}`, (session) => session.set(key, 1)],
        [`update with the key ${name}`, (session) => session.update(key, () => 1)],
        [`getOrInsert with the key ${name}`, (session) => session.getOrInsert(key, 1)],
        [`flash with the key ${name}`, (session) => session.flash(key, 1)],
      ]
    }),
    ['update without a function', (session) => session.update('mine')],
    ['update with a value', (session) => session.update('mine', 1)],
    ['login without a user', (session) => session.login()],
    ['login with an empty user id', (session) => session.login('')],
    ['login with a number', (session) => session.login(7)],
    ['login with a user object', (session) => session.login({ id: 7 })],
    ['setTimeouts without an object', (session) => session.setTimeouts()],
    ['setTimeouts with a number', (session) => session.setTimeouts({ idle: 30 })],
    ['setTimeouts with a bare text', (session) => session.setTimeouts({ absolute: '30 minutes' })],
    ['setTimeouts with nothing', (session) => session.setTimeouts({ idle: '0m' })],
    ['setTimeouts with a text for persistent', (session) => session.setTimeouts({ persistent: 'no' })],
    ['setTimeouts with one that is wrong', (session) => session.setTimeouts({ idle: '1h', absolute: -1 })],
    ['setTimeouts with a misspelt name', (session) => session.setTimeouts({ idel: '1h' })],
  ]

  it.each(misuse)('%s', async (_, call) => {
    const site = new TestSite()
    const visitor = await site.visitor()
    const before = site.dump()
    await visitor.visit((session) => expect(() => call(session)).toThrow(TypeError))
    expect(site.dump()).toBe(before)
    expect(await visitor.visit((session) => [...session])).toEqual([['mine', true]])
  })
})
