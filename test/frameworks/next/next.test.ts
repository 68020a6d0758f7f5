import { rmSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { describeAdapter } from '../../adapters/contract.ts'
import type { Followed } from '../../package/follow.ts'
import { describeSite } from './describe-site.ts'
import { addRoutes, contractServer, type LaidOut, layOutPage, takeOther } from './served.ts'
import { Visitor, visitsOf } from './visitor.ts'

// The page of Next, followed from an empty folder with the tarball: built by `next build`, which takes most of the time, and
// served by `next start`. Beside it, in the same build, are routes of the test, served with sessions that it controls.

/** What `create-next-app` 16.4 sets of itself: what is read of a visitor outside of `<Suspense>` is an error, then. */
const OF_NEW_SITES = { cacheComponents: true, partialPrefetching: true }

const pages: LaidOut[] = []
const sites: Followed[] = []
let followed: Followed
let bench: Followed
let ofNewSites: Followed
let contract: Awaited<ReturnType<typeof contractServer>>

beforeAll(async () => {
  const [page, newSite] = [await layOutPage(), await layOutPage(OF_NEW_SITES)]
  pages.push(page, newSite)
  addRoutes(page)
  addRoutes(newSite, 'app/sign-in')
  takeOther('proxy.ts', newSite)
  followed = await started(page.follow())
  bench = await started(page.serveBench())
  ofNewSites = await started(newSite.follow())
  // Next is told by the environment; the contract's sessions are those of any other test.
  vi.stubEnv('NODE_ENV', 'production')
  contract = await contractServer(page.folder)
  vi.unstubAllEnvs()
})
afterAll(async () => {
  await contract?.close()
  for (const site of sites) await site.stop()
  for (const { folder } of pages) rmSync(folder, { recursive: true })
})

async function started(starting: Promise<Followed>): Promise<Followed> {
  const site = await starting
  sites.push(site)
  return site
}

describeAdapter('Next', (served) => contract.serve(served))

describe.each([
  ['in an empty folder', () => followed],
  ['with the settings of new sites', () => ofNewSites],
])('the page, %s,', (_, site) => {
  it('counts what a form and a Route Handler do, for each visitor', async () => {
    const [ann, bob] = [new Visitor(site().origin), new Visitor(site().origin)]
    for (const visits of [1, 2, 3]) expect(visitsOf(await ann.submit('visit'))).toBe(visits)
    expect((await ann.post('/api/visits')).body).toBe('{"visits":4}')
    expect(await ann.visits()).toBe(4)
    expect(await bob.visits()).toBe(0)
    expect(ann.cookie).toMatch(/^__Host-Http-sid=/)
  })

  it('keeps the count over a sign-in, and forgets it with the sign-out', async () => {
    const ann = new Visitor(site().origin)
    await ann.submit('visit')
    for (const [action, visits] of [
      ['signIn', 1],
      ['signOut', 0],
    ] as const) {
      const answer = await ann.submit(action)
      expect([answer.status, answer.headers.get('Location')]).toEqual([303, '/'])
      expect(await ann.visits()).toBe(visits)
    }
  })
})

it('the page, with the proxy of its own, sends a visitor to sign in who has not', async () => {
  const ann = new Visitor(ofNewSites.origin)
  const answer = await ann.get('/account')
  expect([answer.status, answer.headers.get('Location')]).toEqual([307, '/sign-in'])
  await ann.submit('signIn')
  // There is no such page.
  expect((await ann.get('/account')).status).toBe(404)
})

describe('with sessions that the test controls, its site', () => describeSite(() => bench))
