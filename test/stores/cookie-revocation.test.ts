import { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { SessionError, type SessionsOptions, type Store } from '../../src/index.ts'
import { memoryStore } from '../../src/stores/memory.ts'
import { redisStore } from '../../src/stores/redis.ts'
import { aroundStore } from '../../src/testing/around-store.ts'
import { countingStore } from '../../src/testing/counting-store.ts'
import { failingStore } from '../../src/testing/failing-store.ts'
import { describeWith } from '../servers/program.ts'
import { REDIS_7, type RedisServers, standaloneRedis } from '../servers/redis.ts'
import { type CookieBrowser, CookieSite } from './cookie-site.ts'

const HOUR = 3_600_000
const DAY = 24 * HOUR

type MakeStore = (clock: () => number) => Store
const inMemory: MakeStore = (clock) => memoryStore({ clock })

async function visitor(site: CookieSite, user?: string): Promise<CookieBrowser> {
  const browser = site.browser()
  await browser.visit((session) => session.set('mine', true))
  if (user !== undefined) await browser.visit((session) => session.login(user))
  return browser
}

function handleOf(browser: CookieBrowser): Promise<string> {
  return browser.copy().visit((session) => session.handle)
}

/**
 * What is promised whatever remembers it.
 * @param purged - How many of four entries a purge finds: none where they expire by themselves.
 */
function promises(makeStore: MakeStore, purged: number): void {
  const revocable = (options: SessionsOptions = {}) => new CookieSite({ ...options, revocation: makeStore })

  it('destroy() ends all copies of the session', async () => {
    const site = revocable()
    const ann = await visitor(site)
    const thief = ann.copy()
    await ann.visit((session) => session.set('more', 1))
    const later = ann.copy()
    await ann.visit((session) => session.destroy())
    for (const copy of [thief, later]) expect(await copy.contents()).toEqual({})
    expect(await (await visitor(site)).contents()).toEqual({ mine: true })
  })

  it('destroy() works after the headers have left, and outside requests', async () => {
    const site = revocable()
    const ann = await visitor(site)
    const late = await ann.begin()
    late.headersSent()
    late.session.destroy()
    expect(() => late.session.set('new', 1)).toThrow(
      expect.objectContaining({ code: 'ERR_SESSION_HEADERS_SENT' }),
    )
    await late.finish()
    expect(await ann.contents()).toEqual({})

    const bob = await visitor(site)
    const socket = await site.sessions.resume(bob.cookies.get('sid') ?? '')
    socket?.destroy()
    await socket?.save()
    expect(await bob.contents()).toEqual({})
  })

  it.each(['login', 'regenerateId'] as const)(
    '%s() ends the older copies, and keeps handle and data',
    async (how) => {
      const site = revocable()
      const ann = await visitor(site)
      const [thief, handle] = [ann.copy(), await handleOf(ann)]
      await ann.visit((session) => (how === 'login' ? session.login('ann') : session.regenerateId()))
      expect(await thief.contents()).toEqual({})
      expect(await ann.contents()).toEqual({ mine: true })
      expect(await handleOf(ann)).toBe(handle)
      // Again, from the id that there is now.
      const second = ann.copy()
      await ann.visit((session) => session.regenerateId())
      expect(await second.contents()).toEqual({})
      expect(await ann.contents()).toEqual({ mine: true })
    },
  )

  it('a request that is slow brings no ended session back', async () => {
    for (const end of ['destroy', 'revoke', 'revokeUser', 'login'] as const) {
      const site = revocable()
      const ann = await visitor(site, 'ann')
      const slow = await ann.begin()
      const saving = await ann.begin()
      if (end === 'destroy') await ann.visit((session) => session.destroy())
      if (end === 'revoke') await site.sessions.revoke(await handleOf(ann))
      if (end === 'revokeUser') await site.sessions.revokeUser('ann')
      if (end === 'login') await ann.visit((session) => session.login('bob'))
      slow.session.set('late', 1)
      expect(await slow.finish(), end).toEqual([])
      expect(site.heard()).toContain('discarded')
      saving.session.set('late', 1)
      await expect(saving.session.save()).rejects.toMatchObject({ code: 'ERR_SESSION_ENDED' })
    }
  })

  it('revoke() ends the session of that handle alone', async () => {
    const site = revocable()
    const [ann, bob] = [await visitor(site), await visitor(site)]
    await site.sessions.revoke(await handleOf(ann))
    expect(await ann.contents()).toEqual({})
    expect(await bob.contents()).toEqual({ mine: true })
    await site.sessions.revoke('no handle')
    await site.sessions.revoke(await handleOf(ann))
  })

  it('revoke() ends a session that has changed its id', async () => {
    const site = revocable()
    const ann = await visitor(site, 'ann')
    await site.sessions.revoke(await handleOf(ann))
    expect(await ann.contents()).toEqual({})
  })

  it('revokeUser() ends all sessions of that user, and no later one', async () => {
    const site = revocable()
    const [one, two] = [await visitor(site, 'ann'), await visitor(site, 'ann')]
    const [bob, nobody] = [await visitor(site, 'bob'), await visitor(site)]
    expect(await site.sessions.revokeUser('ann')).toBeNaN()
    // In the same millisecond.
    const again = await visitor(site, 'ann')
    expect([await one.contents(), await two.contents()]).toEqual([{}, {}])
    for (const other of [bob, nobody, again]) expect(await other.contents()).toEqual({ mine: true })
    await again.visit((session) => session.set('more', 1))
    expect(await again.user()).toBe('ann')
    await site.sessions.revokeUser('ann')
    expect(await again.contents()).toEqual({})
  })

  it('revokeUser() followed by login() in one request leaves the new sign-in', async () => {
    const site = revocable()
    const [ann, other] = [await visitor(site), await visitor(site, 'ann')]
    await ann.visit(async (session) => {
      await site.sessions.revokeUser('ann')
      session.login('ann')
    })
    expect(await ann.user()).toBe('ann')
    expect(await other.user()).toBeUndefined()
  })

  it('revokeUser() is exact when the clocks of two processes disagree', async () => {
    const site = revocable()
    const ahead = site.process({ clock: () => site.now + 300_000 })
    const early = site.browser(ahead)
    await early.visit((session) => session.login('ann'))
    await site.sessions.revokeUser('ann')
    const behind = site.process({ clock: () => site.now - 300_000 })
    const late = site.browser(behind)
    await late.visit((session) => session.login('ann'))
    expect(await early.user()).toBeUndefined()
    expect(await late.user()).toBe('ann')
  })

  it('revokeUser() spares one session, again and again', async () => {
    const site = revocable()
    const ann = await visitor(site, 'ann')
    const except = await handleOf(ann)
    const untouched = ann.copy()
    for (let i = 0; i < 3; i++) {
      const other = await visitor(site, 'ann')
      await site.sessions.revokeUser('ann', { except })
      expect(await other.contents()).toEqual({})
      expect(await ann.contents()).toEqual({ mine: true })
      expect(await untouched.contents()).toEqual({ mine: true })
      if (i === 1) await ann.visit((session) => session.set('mine', true))
    }
    await site.sessions.revokeUser('ann')
    for (const copy of [ann, untouched]) expect(await copy.contents()).toEqual({})
  })

  it('revokeUser() that spares a session brings back none that had ended', async () => {
    const site = revocable()
    const ann = await visitor(site, 'ann')
    const except = await handleOf(ann)
    await site.sessions.revokeUser('ann')
    await site.sessions.revokeUser('ann', { except })
    await site.sessions.revokeUser('ann', { except })
    expect(await ann.contents()).toEqual({})
    const bob = await visitor(site, 'bob')
    const other = await handleOf(await visitor(site, 'bob'))
    await site.sessions.revokeUser('bob', { except: other })
    await site.sessions.revokeUser('bob', { except: await handleOf(bob) })
    expect(await bob.contents()).toEqual({})
  })

  it('a sign-in submitted twice at once leaves both answers signed in, and the old id dead', async () => {
    const site = revocable()
    const ann = await visitor(site)
    const before = ann.copy()
    const [one, two] = [await ann.begin(), await ann.begin()]
    one.session.login('ann')
    two.session.login('ann')
    const [first, second] = [ann.copy(), ann.copy()]
    const answers = await Promise.all([one.finish(), two.finish()])
    first.receive(answers[0])
    second.receive(answers[1])
    for (const browser of [first, second]) {
      expect(await browser.user()).toBe('ann')
      expect(await browser.contents()).toEqual({ mine: true })
    }
    expect(await before.contents()).toEqual({})
  })

  it('of two plain changes of id at once the second is too late', async () => {
    const site = revocable()
    const ann = await visitor(site)
    const [one, two] = [await ann.begin(), await ann.begin()]
    one.session.regenerateId()
    two.session.regenerateId()
    const answer = await one.finish()
    expect(await two.finish()).toEqual([])
    ann.receive(answer)
    expect(await ann.contents()).toEqual({ mine: true })
  })

  it('a sign-in from an id that somebody else has changed first takes nothing of theirs along', async () => {
    const site = revocable()
    const ann = await visitor(site)
    const [one, two] = [await ann.begin(), await ann.begin()]
    one.session.login('ann')
    two.session.set('own', 1)
    two.session.login('bob')
    const [first, second] = [ann.copy(), ann.copy()]
    first.receive(await one.finish())
    second.receive(await two.finish())
    expect(await first.contents()).toEqual({})
    expect(await second.user()).toBe('bob')
    expect(await second.contents()).not.toHaveProperty('mine')
  })

  it('nothing too large ends the id that there is', async () => {
    const site = revocable()
    const ann = await visitor(site)
    const saved = ann.visit((session) => {
      session.login('ann')
      session.set('text', 'x'.repeat(10_000))
    })
    await expect(saved).rejects.toMatchObject({ code: 'ERR_SESSION_TOO_LARGE' })
    expect(await ann.contents()).toEqual({ mine: true })
  })

  it('what was ended stays so for as long as a copy could open, and is forgotten afterwards', async () => {
    const site = revocable({ idleTimeout: '2d', absoluteTimeout: '400d' })
    const ann = await visitor(site, 'ann')
    const remembered = site.browser()
    await remembered.visit((session) => {
      session.set('mine', true)
      session.setTimeouts({ idle: '90d' })
    })
    // An older copy may live longer than the newest one says.
    const old = remembered.copy()
    await remembered.visit((session) => session.setTimeouts({ idle: '1h' }))
    const [bob, never] = [await visitor(site, 'bob'), ann.copy()]
    await ann.visit((session) => session.destroy())
    await remembered.visit((session) => session.destroy())
    await site.sessions.revokeUser('bob')
    for (const days of [1, 1, 3, 40, 44, 0.99, 300]) {
      site.now += days * DAY
      for (const copy of [never, old, bob]) expect(await copy.copy().contents()).toEqual({})
    }
    site.now += 100 * DAY
    expect(await site.sessions.purge()).toBe(purged)
  })

  it('a request that was admitted just before the end leaves no copy that outlives what is remembered', async () => {
    const site = revocable({ idleTimeout: '2d' })
    const ann = await visitor(site)
    site.now += 4 * HOUR
    const racing = ann.copy()
    await racing.visit((session) => session.set('late', 1))
    await ann.visit((session) => session.destroy())
    for (let hour = 0; hour < 72; hour++) {
      expect(await racing.copy().contents()).toEqual({})
      site.now += HOUR
    }
  })

  it('shares its store with the sessions of another definition without harm', async () => {
    const site = revocable()
    const [user, admin] = ['user', 'admin'].map((name) => site.process({ cookie: { name } }))
    const ann = site.browser(user)
    const root = site.browser(admin)
    await ann.visit((session) => session.login('ann'))
    await root.visit((session) => session.login('root'))
    await user?.revokeUser('ann')
    expect([await ann.user(), await root.user()]).toEqual([undefined, 'root'])
  })
}

describe('with a revocation store in memory', () => promises(inMemory, 4))

describeWith([REDIS_7], 'with a revocation store in Redis', () => {
  let server: RedisServers
  let client: Redis
  let sites = 0
  beforeAll(async () => {
    server = await standaloneRedis()
    client = new Redis([...server.servers.keys()][0] ?? 0)
  })
  afterAll(async () => {
    client?.disconnect()
    await server?.stop()
  })
  promises((clock) => redisStore(client, { clock, prefix: `site-${++sites}:` }), 0)
})

describe('with a revocation store', () => {
  it('costs as many calls, and waits as often, as its page says', async () => {
    let store = countingStore(memoryStore())
    let [underWay, waits] = [0, 0]
    const site = new CookieSite({
      revocation: (clock) => {
        store = countingStore(
          aroundStore(memoryStore({ clock }), async (_verb, call) => {
            if (underWay++ === 0) waits++
            return call().finally(() => underWay--)
          }),
        )
        return store
      },
    })
    const costs = async (visit: () => Promise<unknown>) => {
      store.reset()
      waits = 0
      await visit()
      return { calls: store.total, waits }
    }
    const ann = site.browser()
    const logout = (browser: CookieBrowser) => browser.visit((session) => session.destroy())
    expect(await costs(() => ann.contents())).toEqual({ calls: 0, waits: 0 })
    expect(await costs(() => ann.visit((session) => session.set('n', 1)))).toEqual({ calls: 0, waits: 0 })
    expect(await costs(() => ann.contents())).toEqual({ calls: 1, waits: 1 })
    expect(await costs(() => ann.visit((session) => session.set('n', 2)))).toEqual({ calls: 2, waits: 2 })
    expect(await costs(() => logout(ann.copy()))).toEqual({ calls: 2, waits: 2 })
    const bob = site.browser()
    await bob.visit((session) => session.set('n', 1))
    expect(await costs(() => bob.visit((session) => session.login('bob')))).toEqual({ calls: 3, waits: 3 })
    expect(await costs(() => bob.contents())).toEqual({ calls: 2, waits: 1 })
    expect(await costs(() => bob.visit((session) => session.set('n', 3)))).toEqual({ calls: 4, waits: 2 })
    expect(await costs(() => bob.visit((session) => session.login('bob')))).toEqual({ calls: 4, waits: 3 })
    expect(await costs(() => logout(bob))).toEqual({ calls: 3, waits: 2 })
  })

  it('keeps nothing that tells who had signed in, or that opens anything', async () => {
    const entries: unknown[] = []
    const site = new CookieSite({
      revocation: (clock) => {
        const store = memoryStore({ clock })
        const create: Store['create'] = (key, entry) => {
          entries.push([key, entry])
          return store.create(key, entry)
        }
        const update: Store['update'] = (key, entry, version) => {
          entries.push([key, entry])
          return store.update(key, entry, version)
        }
        return { read: (key) => store.read(key), delete: (key) => store.delete(key), create, update }
      },
    })
    const ann = await visitor(site, 'ann@example.com')
    await site.sessions.revokeUser('ann@example.com', { except: await handleOf(ann) })
    await ann.visit((session) => session.destroy())
    expect(entries).toHaveLength(3)
    expect(JSON.stringify(entries)).not.toMatch(/ann@|mine/)
    for (const [key] of entries as [string][]) expect(key).toMatch(/^[\w-]{22}$/)
  })

  it('fails closed: while the store is down nobody comes in, and a damaged entry lets nobody in', async () => {
    let store = failingStore(memoryStore())
    const site = new CookieSite({
      revocation: (clock) => {
        store = failingStore(memoryStore({ clock }))
        return store
      },
    })
    const ann = await visitor(site, 'ann')
    store.failWhen(() => true)
    await expect(ann.contents()).rejects.toThrow(SessionError)
    const served = ann.copy(site.process({ onStoreError: 'anonymous' }))
    expect(await served.contents()).toEqual({})
    expect(served.received).toEqual([])
    store.failWhen(() => false)
    expect(await ann.contents()).toEqual({ mine: true })
    const handle = await handleOf(ann)
    const entry = await store.read(handle)
    if (!entry) throw new Error('Nothing is kept')
    await store.update(handle, { ...entry, value: '{' }, entry.version)
    expect(await ann.contents()).toEqual({})
  })

  it('changes an id though the answer of the store got lost', async () => {
    let fails = 0
    const site = new CookieSite({
      revocation: (clock) => {
        const store = memoryStore({ clock })
        const create: Store['create'] = async (key, entry) => {
          const version = await store.create(key, entry)
          if (fails-- > 0) throw new Error('The connection was cut')
          return version
        }
        return {
          create,
          read: (key) => store.read(key),
          update: (key, entry, version) => store.update(key, entry, version),
          delete: (key) => store.delete(key),
        }
      },
    })
    for (const login of [true, false]) {
      const ann = await visitor(site)
      fails = 1
      await ann.visit(async (session) => {
        if (login) session.login('ann')
        else session.regenerateId()
        await expect(session.save()).rejects.toMatchObject({ code: 'ERR_SESSION_STORE' })
        await session.save()
      })
      expect(await ann.contents()).toEqual({ mine: true })
    }
  })

  it('closes the store', async () => {
    const site = new CookieSite({ revocation: inMemory })
    expect(site.sessions.supports).toEqual({ ofUser: false, revoke: true, revokeUser: true })
    await site.sessions.close()
    await expect(site.revocation?.read('A'.repeat(22))).rejects.toThrow()
  })
})
