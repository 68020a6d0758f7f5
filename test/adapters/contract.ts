import { describe, it } from 'vitest'
import { type AdapterContractOptions, adapterContract } from '../../src/testing/adapter-contract.ts'
import type { Serve } from '../../src/testing/adapter-site.ts'
import { ADAPTERS, type AdapterName } from '../tested/adapters.ts'
import { note, type RuleNote } from '../tested/note.ts'

/**
 * Registers the adapter contract, for a column of `docs/frameworks/tested.md`.
 * @param way which of the ways of that adapter, where it has several
 */
export function describeAdapter(name: AdapterName, serve: Serve, way = ''): void {
  const { column } = ADAPTERS[name]
  describe(`the adapter contract: ${way ? `${name}, ${way}` : name}`, () => {
    registerCases({ table: 'adapters', column, way }, serve)
  })
}

/** Registers each rule, and notes that it held; what does not apply shows as skipped, with the reason. */
export function registerCases(
  place: Pick<RuleNote, 'table' | 'column' | 'way'>,
  serve: Serve,
  options?: AdapterContractOptions,
): void {
  for (const { name: rule, skip, run } of adapterContract(serve, options)) {
    const shown: RuleNote = { page: 'adapters', ...place, rule, skip }
    it(skip ? `${rule} (${skip})` : rule, async (test) => {
      if (!skip) await run()
      note(shown)
      // biome-ignore lint/suspicious/noSkippedTests: what does not apply is shown, not left out
      if (skip) test.skip()
    })
  }
}
