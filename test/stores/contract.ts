import { describe, it } from 'vitest'
import { storeContract } from '../../src/testing/store-contract.ts'
import type { StoreHarness } from '../../src/testing/store-harness.ts'

/** Registers the store contract; what does not apply shows as skipped, with the reason. */
export function describeStore<Backend>(name: string, harness: StoreHarness<Backend>): void {
  describe(`the store contract: ${name}`, () => {
    for (const { name, skip, run } of storeContract(harness)) {
      // biome-ignore lint/suspicious/noSkippedTests: what does not apply is shown, not left out
      it(skip ? `${name} (${skip})` : name, (test) => (skip ? test.skip() : run()))
    }
  })
}
