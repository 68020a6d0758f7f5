import assert from 'node:assert/strict'
import { memoryStore } from '../stores/memory.ts'
import { read } from './adapter-identity-cases.ts'
import { ERROR_PAGE, type SiteOptions, type Stage, siteCase, type Visited } from './adapter-site.ts'
import type { Answer, Browser } from './browser.ts'
import type { Rule } from './contract-case.ts'
import { type FailingStore, failingStore } from './failing-store.ts'
import { slowStore } from './slow-store.ts'

type OnStoreError = 'error' | 'anonymous'

const PATHS = ['/read', '/count', '/set', '/redirect', '/stream', '/login?user=ann', '/logout']

/** What a visitor sees while the store is down or slow: an error or a page without a session, as configured. */
export function failureCases(stage: Stage): Rule[] {
  const cases: Rule[] = []
  for (const onStoreError of ['error', 'anonymous'] satisfies OnStoreError[]) {
    const [what, check] =
      onStoreError === 'error'
        ? (['is an error page', isErrorPage] as const)
        : (['serves the visitor without a session', isServed] as const)

    cases.push(
      siteCase(
        stage,
        `a store that fails, at each of its calls in turn, ${what} and sets no cookie`,
        () => failing(onStoreError),
        async (site) => {
          for (const path of PATHS) await failAtEachCall(site, path, check)
        },
      ),
      siteCase(
        stage,
        `a store that does not answer in time ${what} and sets no cookie`,
        () => ({
          // So far apart that no busy machine can take the one for the other.
          options: { onStoreError, storeTimeout: '50ms' as const, store: slowStore(memoryStore(), 3000) },
        }),
        async ({ browser }) => {
          for (const path of ['/count', '/redirect', '/stream']) check(await browser().post(path), path)
        },
      ),
    )
  }
  return cases
}

type FailingSite = Visited & ReturnType<typeof failing>

function failing(onStoreError: OnStoreError): { store: FailingStore; options: SiteOptions } {
  const store = failingStore(memoryStore())
  return { store, options: { store, onStoreError } }
}

async function failAtEachCall(
  { browser, store }: FailingSite,
  path: string,
  check: (answer: Answer, path: string) => void,
): Promise<void> {
  for (const isNew of [true, false]) {
    for (let n = 1; ; n++) {
      const ann = browser()
      if (!isNew) await ann.get('/count')
      const { cookie } = ann
      store.failWhen((call) => call === n)
      const answer = await ann.post(path)
      const { failures } = store
      store.failWhen(() => false)
      // The page makes fewer calls than that: each has failed once.
      if (failures === 0) break
      check(answer, path)
      assert.deepEqual(answer.setCookies, [], `${path} with a failing store must set no cookie`)
      assert.equal(ann.cookie, cookie)
      await isBack(ann, isNew ? 1 : 2)
    }
  }
}

/** The store is back, and so is the visitor's session, with what was saved before. */
async function isBack(browser: Browser, n: number): Promise<void> {
  assert.equal((await browser.get('/count')).body, String(n))
  assert.deepEqual(await read(browser), { n })
}

function isErrorPage(answer: Answer, path: string): void {
  assert.equal(answer.status, 503, `${path} with a failing store`)
  assert.equal(answer.body, ERROR_PAGE)
  assert.equal(answer.headers.get('Location'), null)
  assert.deepEqual(answer.setCookies, [])
}

function isServed(answer: Answer, path: string): void {
  assert.ok(answer.status < 400, `${path} with a failing store`)
  assert.deepEqual(answer.setCookies, [])
}
