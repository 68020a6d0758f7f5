import { expect } from 'vitest'
import type { Sessions } from '../../src/index.ts'
import { contents, type Data, upTo, visitor } from '../core/site.ts'

/**
 * A hundred requests of one session at once that each set a key of their own, and a hundred that each add one, spread
 * over sites that share a store: all of it is there afterwards.
 */
export async function expectNothingLost(sites: readonly Sessions<Data>[]): Promise<void> {
  const [first] = sites as [Sessions<Data>]
  const browser = await visitor(first, { n: 0 })
  const at = (i: number) => browser.at(sites[i % sites.length] ?? first)
  const add = (n: unknown) => ((n as number | undefined) ?? 0) + 1
  await Promise.all(
    upTo(100).flatMap((i) => [
      at(i).visit((session) => session.set(`k${i}`, i)),
      at(i).visit((session) => session.update('n', add)),
    ]),
  )
  expect(await contents(browser)).toEqual({
    n: 100,
    ...Object.fromEntries(upTo(100).map((i) => [`k${i}`, i])),
  })
}
