import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, expect, it } from 'vitest'
import { type Size, sizesOf } from '../../scripts/sizes.ts'
import { packed, root } from './packed.ts'

// What is loaded at the start must stay as small as docs/size.md says: each entry point, and what comes with it.

/** Bytes of the core when it is compressed by brotli: its own, and those of its dependencies. */
const CORE = { own: 16_500, dependencies: 9500 }
/**
 * How far an entry point may grow before `npm run size` has to be run, and its result defended: by a tenth, and by what
 * the names of other chunks, which are hashes, change in how well it is compressed.
 */
const grownFrom = (stated: number) => stated * 1.1 + 20

const page = readFileSync(join(root, 'docs/size.md'), 'utf8')
let sizes: Size[]

beforeAll(async () => {
  const { app } = await packed()
  sizes = await sizesOf(join(app, 'node_modules/sojourn'))
})

it('of the core keeps to its budget', () => {
  const core = sizes.find(({ entry }) => entry === 'sojourn')
  expect(core?.brotli).toBeLessThan(CORE.own)
  expect(core?.dependencies.brotli).toBeLessThan(CORE.dependencies)
})

it('of each entry point is what the page says, or less', () => {
  const stated = new Map(
    [...page.matchAll(/^\| (sojourn\S*) \|(.+)\|$/gm)].map(([, entry, cells = '']) => [
      entry,
      cells.split('|').map(Number),
    ]),
  )
  expect([...stated.keys()], 'run `npm run size`').toEqual(sizes.map(({ entry }) => entry))
  const grown = sizes.filter(({ entry, brotli, dependencies }) => {
    const [, , own = 0, , , others = 0] = stated.get(entry) ?? []
    return brotli > grownFrom(own) || dependencies.brotli > grownFrom(others)
  })
  expect(grown, 'run `npm run size`, and say why').toEqual([])
})
