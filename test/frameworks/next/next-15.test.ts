import { rmSync } from 'node:fs'
import { afterAll, beforeAll, describe } from 'vitest'
import type { Followed } from '../../package/follow.ts'
import { describeSite } from './describe-site.ts'
import { layOutFor15 } from './next-15.ts'
import type { LaidOut } from './served.ts'

// The page of Next on Next 15, from an empty folder with the tarball: it is built and started, then served with other sessions.

let page: LaidOut
let site: Followed

beforeAll(async () => {
  page = await layOutFor15()
  const started = await page.follow()
  await started.stop()
  site = await page.serveBench()
})
afterAll(async () => {
  await site?.stop()
  rmSync(page.folder, { recursive: true })
})

describe('on Next 15, with sessions that the test controls, the site of the page', () =>
  describeSite(() => site))
