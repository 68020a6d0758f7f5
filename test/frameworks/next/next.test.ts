import { rmSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { describeAdapter } from '../../adapters/contract.ts'
import type { Followed } from '../../package/follow.ts'
import { describeSite } from './describe-site.ts'
import { contractServer, type FollowedPage, layOutPage } from './served.ts'
import { Visitor, visitsOf } from './visitor.ts'

// The page of Next, followed from an empty folder with the tarball: built by `next build`, which takes most of the time, and
// served by `next start`. First as it stands, then with sessions that the test controls.

let page: FollowedPage
let followed: Followed
let bench: Followed
let contract: Awaited<ReturnType<typeof contractServer>>

beforeAll(async () => {
  page = await layOutPage()
  followed = await page.follow()
  bench = await page.serveBench()
  // Next is told by the environment; the contract's sessions are those of any other test.
  vi.stubEnv('NODE_ENV', 'production')
  contract = await contractServer(page.folder)
  vi.unstubAllEnvs()
})
afterAll(async () => {
  await contract?.close()
  await bench?.stop()
  await followed?.stop()
  if (page) rmSync(page.folder, { recursive: true })
})

describeAdapter('Next', (served) => contract.serve(served))

describe('the page, followed', () => {
  it('counts what a form and a Route Handler do, for each visitor', async () => {
    const [ann, bob] = [new Visitor(followed.origin), new Visitor(followed.origin)]
    for (const visits of [1, 2, 3]) expect(visitsOf(await ann.submit('visit'))).toBe(visits)
    expect((await ann.post('/api/visits')).body).toBe('{"visits":4}')
    expect(await ann.visits()).toBe(4)
    expect(await bob.visits()).toBe(0)
    expect(ann.cookie).toMatch(/^__Host-Http-sid=/)
  })

  it('keeps the count over a sign-in, and forgets it with the sign-out', async () => {
    const ann = new Visitor(followed.origin)
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

describe('its site, with sessions that the test controls', () => describeSite(() => bench))
