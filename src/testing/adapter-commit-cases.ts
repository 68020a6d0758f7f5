import assert from 'node:assert/strict'
import type { Store } from '../store.ts'
import { memoryStore } from '../stores/memory.ts'
import { read } from './adapter-identity-cases.ts'
import {
  barrier,
  count,
  type Page,
  pause,
  type Setup,
  type SiteOptions,
  type Stage,
  siteCase,
} from './adapter-site.ts'
import type { Browser } from './browser.ts'
import type { Rule } from './contract-case.ts'
import { type CountingStore, countingStore } from './counting-store.ts'
import { slowStore } from './slow-store.ts'

const PARALLEL = 100

/** When and how often the session is saved. */
export function commitCases(stage: Stage): Rule[] {
  const late = (): Setup => ({ pages: LATE_PAGES })

  return [
    siteCase(
      stage,
      'the session is saved before the answer begins, redirects included',
      () => ({ options: { store: slowStore(memoryStore(), 300) } }),
      async ({ browser }) => {
        const ann = browser()
        for (const [i, path] of ['/redirect', '/stream', '/login?user=ann'].entries()) {
          // The headers are enough: a browser follows a redirect without waiting for more.
          const response = await ann.begin(path, { method: 'POST' })
          const seen = (await read(ann)) as Record<string, unknown>
          assert.equal(seen['n'], Math.min(i + 1, 2), path)
          await response.body?.cancel()
        }
        assert.deepEqual(await read(ann), { user: 'ann', n: 2 })
      },
    ),

    siteCase(
      stage,
      '1,000 visits of anonymous visitors cost no store call, no row and no cookie',
      () => counted(memoryStore()),
      async ({ browser, store }) => {
        for (let i = 0; i < 1000; i += 50) {
          const visits = Array.from({ length: 50 }, (_, j) => browser().get(j % 2 ? '/nothing' : '/read'))
          for (const { setCookies } of await Promise.all(visits)) assert.deepEqual(setCookies, [])
        }
        assert.equal(store.total, 0)
      },
    ),

    siteCase(
      stage,
      'a request that ignores its session costs no store call, and one that only reads it costs one',
      () => counted(memoryStore()),
      async ({ browser, store }) => {
        const ann = browser()
        await ann.get('/count')
        store.reset()
        await ann.get('/nothing')
        assert.equal(store.total, 0)
        await ann.get('/read')
        assert.equal(store.total, 1)
      },
    ),

    ...parallelCases(stage),

    siteCase(
      stage,
      'a session that is changed after the headers have left is still saved',
      late,
      async ({ browser }) => {
        const ann = browser()
        await ann.get('/count')
        assert.equal((await ann.get('/late')).body, 'begins, goes on')
        assert.deepEqual(await readUntil(ann, 'late'), { n: 1, late: true })
      },
    ),

    siteCase(
      stage,
      'a change that needs a cookie after the headers have left is refused',
      late,
      async ({ browser }) => {
        const ann = browser()
        const answer = await ann.get('/late')
        assert.equal(answer.body, 'begins, ERR_SESSION_HEADERS_SENT')
        assert.deepEqual(answer.setCookies, [])
        assert.deepEqual(await read(ann), {})
      },
    ),

    siteCase(
      stage,
      'what a handler has changed is saved when its client has gone',
      () => {
        const client = { isServed: false, hasGone: false }
        return { client, pages: { '/patient': patient(client) } }
      },
      async ({ browser, client }) => {
        const ann = browser()
        await ann.get('/count')
        const leaving = new AbortController()
        const rejected = assert
          .rejects(ann.get('/patient', { signal: leaving.signal }))
          .finally(() => (client.hasGone = true))
        while (!client.isServed && !client.hasGone) await pause(1)
        leaving.abort()
        await rejected
        assert.deepEqual(await readUntil(ann, 'after'), { n: 1, before: true, after: true })
      },
    ),

    siteCase(
      stage,
      'a client that goes in the middle of a stream harms nobody',
      late,
      async ({ browser }) => {
        const ann = browser()
        const leaving = new AbortController()
        const response = await ann.begin('/long', { signal: leaving.signal })
        const reader = response.body?.getReader()
        await reader?.read()
        leaving.abort()
        await pause(50)
        assert.deepEqual(await read(ann), { n: 1 })
        assert.equal((await ann.get('/count')).body, '2')
      },
    ),
  ]
}

/** A site whose store counts its calls. */
function counted(kept: Store): { store: CountingStore; options: SiteOptions } {
  const store = countingStore(kept)
  return { store, options: { store } }
}

function parallelCases(stage: Stage): Rule[] {
  const parallel = (name: string, path: string, expected: Record<string, unknown>): Rule =>
    siteCase(
      stage,
      name,
      () => ({ ...counted(slowStore(memoryStore(), 5)), pages: parallelPages(barrier(PARALLEL)) }),
      async ({ browser, store }) => {
        const ann = browser()
        await ann.get('/set?key=first')
        store.reset()
        await Promise.all(Array.from({ length: PARALLEL }, (_, i) => ann.post(`${path}?i=${i}`)))
        const { create, update } = store.calls
        assert.ok(create + update <= 8, `made ${create + update} writes, where 8 must do`)
        assert.deepEqual(await read(ann), { first: 1, ...expected })
      },
    )
  const keys = Object.fromEntries(Array.from({ length: PARALLEL }, (_, i) => [`key${i}`, 1]))
  return [
    parallel(
      '100 requests at once that each set another key lose none, in a few writes',
      '/parallel-set',
      keys,
    ),
    parallel('100 updates at once of one key all count, in a few writes', '/parallel-update', {
      n: PARALLEL,
    }),
  ]
}

function parallelPages(allIn: () => Promise<void>): Record<string, Page> {
  return {
    '/parallel-set': async (visit) => {
      const session = await visit.session()
      await allIn()
      session.set(`key${visit.query.get('i')}`, 1)
      return { body: 'set' }
    },
    '/parallel-update': async (visit) => {
      const session = await visit.session()
      await allIn()
      return { body: String(count(session)) }
    },
  }
}

/** A page that takes longer than its client has patience. */
function patient(client: { isServed: boolean; hasGone: boolean }): Page {
  return async (visit) => {
    const session = await visit.session()
    session.set('before', true)
    client.isServed = true
    while (!client.hasGone) await pause(1)
    await pause(200)
    session.set('after', true)
    return { body: 'Nobody hears this.' }
  }
}

/** What the session holds as soon as it has the key, or in the end if it never has: nobody tells when it is saved. */
async function readUntil(browser: Browser, key: string): Promise<unknown> {
  const until = Date.now() + 10_000
  for (;;) {
    const seen = await read(browser)
    if (Object.hasOwn(seen as object, key) || Date.now() > until) return seen
    await pause(10)
  }
}

const LATE_PAGES: Record<string, Page> = {
  '/late': async (visit) => {
    const session = await visit.session()
    async function* body(): AsyncIterable<string> {
      yield 'begins, '
      await pause(50)
      try {
        session.set('late', true)
        yield 'goes on'
      } catch (error) {
        yield String(error instanceof Error && 'code' in error ? error.code : error)
      }
    }
    return { headers: [['Content-Type', 'text/plain']], body: body() }
  },
  '/long': async (visit) => {
    count(await visit.session())
    async function* body(): AsyncIterable<string> {
      for (let i = 0; i < 100; i++) {
        yield 'a chunk of a long answer, '
        await pause(5)
      }
    }
    return { headers: [['Content-Type', 'text/plain']], body: body() }
  },
}
