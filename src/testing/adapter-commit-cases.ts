import assert from 'node:assert/strict'
import type { SessionsOptions } from '../options.ts'
import type { Store } from '../store.ts'
import { memoryStore } from '../stores/memory.ts'
import { read } from './adapter-identity-cases.ts'
import { barrier, count, type Page, pause, type Serve, type Setup, siteCase } from './adapter-site.ts'
import type { ContractCase } from './contract-case.ts'
import { type CountingStore, countingStore } from './counting-store.ts'
import { slowStore } from './slow-store.ts'

const PARALLEL = 100

/** When and how often the session is saved. */
export function commitCases(serve: Serve): ContractCase[] {
  const late = (): Setup => ({ pages: LATE_PAGES })

  return [
    siteCase(
      serve,
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
      serve,
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
      serve,
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

    ...parallelCases(serve),

    siteCase(
      serve,
      'a session that is changed after the headers have left is still saved',
      late,
      async ({ browser }) => {
        const ann = browser()
        await ann.get('/count')
        assert.equal((await ann.get('/late')).body, 'begins, goes on')
        const until = Date.now() + 2000
        let seen = await read(ann)
        while (Date.now() < until && !JSON.stringify(seen).includes('late')) seen = await read(ann)
        assert.deepEqual(seen, { n: 1, late: true })
      },
    ),

    siteCase(
      serve,
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
      serve,
      'what a handler has changed is saved when its client has gone',
      () => ({ pages: { '/patient': PATIENT } }),
      async ({ browser }) => {
        const ann = browser()
        await ann.get('/count')
        const leaving = new AbortController()
        const answer = ann.get('/patient', { signal: leaving.signal })
        setTimeout(() => leaving.abort(), 50)
        await assert.rejects(answer)
        await pause(400)
        assert.deepEqual(await read(ann), { n: 1, before: true, after: true })
      },
    ),

    siteCase(
      serve,
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
function counted(kept: Store): { store: CountingStore; options: SessionsOptions } {
  const store = countingStore(kept)
  return { store, options: { store } }
}

function parallelCases(serve: Serve): ContractCase[] {
  const parallel = (name: string, path: string, expected: Record<string, unknown>): ContractCase =>
    siteCase(
      serve,
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

const PATIENT: Page = async (visit) => {
  const session = await visit.session()
  session.set('before', true)
  await pause(200)
  session.set('after', true)
  return { body: 'Nobody hears this.' }
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
