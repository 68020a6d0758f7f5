import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { adaptersPage, runtimesPage } from '../../scripts/tested-pages.ts'
import { ADAPTERS } from './adapters.ts'
import { TESTED_RUNTIMES } from './runtimes.ts'
import { expectedNotes } from './tables.ts'

// The pages are written by a run of the contracts. Here, without a run: that they are still what such a run would write, by the
// rules, adapters, runtimes and versions that are there now.

const at = (path: string) => new URL(`../../${path}`, import.meta.url)
const read = (path: string) => readFileSync(at(path), 'utf8')

describe('the pages of what was tested', () => {
  it('of adapters is what `npm run tested -- adapters` would write now', () => {
    expect(read('docs/frameworks/tested.md')).toBe(adaptersPage(expectedNotes('adapters')))
  })

  it('of runtimes is what `npm run tested -- runtimes` would write now', () => {
    expect(read('docs/runtimes-tested.md')).toBe(runtimesPage(expectedNotes('runtimes')))
  })

  it('stand beside the versions of runtimes that are run', () => {
    const page = read('docs/runtimes.md')
    for (const { column } of Object.values(TESTED_RUNTIMES))
      expect(page).toContain(/[\d.]+/.exec(column)?.[0])
  })

  it('have a column for each entry point of an adapter', () => {
    const { exports } = JSON.parse(read('package.json'))
    const entries = Object.entries<{ default?: string }>(exports)
      .filter(([, target]) => target.default?.startsWith('./dist/adapters/'))
      .map(([path]) => path.slice(2))
    const columns = Object.values(ADAPTERS).map(({ entry }) => entry)
    expect([...new Set(columns)].sort()).toEqual(entries.sort())
  })
})

describe('a run that does not show all of it writes no page', () => {
  const notes = expectedNotes('adapters')
  const [first, ...others] = notes

  it('when a rule was not run', () => {
    expect(() => adaptersPage(others)).toThrow(`missing: adapters, on ${first?.column}: ${first?.rule}`)
  })

  it('when a rule was left out that should hold', () => {
    const leftOut = notes.map((one) => (one === first ? { ...one, skip: 'no time' } : one))
    expect(() => adaptersPage(leftOut)).toThrow('(not applicable: no time)')
  })

  it('when a rule was left out for no reason', () => {
    const excused = notes.find(({ skip }) => skip)
    const silent = notes.map((one) => (one === excused ? { ...one, skip: '' } : one))
    expect(() => adaptersPage(silent)).toThrow(`missing: cookie, on ${excused?.column}`)
  })

  it('when it ran on another version', () => {
    const another = notes.map((one) => (one === first ? { ...one, column: 'Express 3' } : one))
    expect(() => adaptersPage(another)).toThrow('unknown: adapters, on Express 3: ')
  })
})
