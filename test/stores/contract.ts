import { describe, it } from 'vitest'
import type { CloseableStore, PurgeableStore } from '../../src/store.ts'
import { storeContract } from '../../src/testing/store-contract.ts'
import type { StoreHarness } from '../../src/testing/store-harness.ts'
import { expectExactPurges } from './purge-property.ts'

/** Registers the store contract; what does not apply shows as skipped, with the reason. */
export function describeStore<Backend>(name: string, harness: StoreHarness<Backend>): void {
  describe(`the store contract: ${name}`, () => {
    for (const { name, skip, run } of storeContract(harness)) {
      // biome-ignore lint/suspicious/noSkippedTests: what does not apply is shown, not left out
      it(skip ? `${name} (${skip})` : name, (test) => (skip ? test.skip() : run()))
    }
    if (harness.abilities.purge && harness.expiry === 'given') {
      it('purges exactly what has expired, whatever was done before', () => purgeByChance(harness))
    }
  })
}

async function purgeByChance<Backend>(harness: StoreHarness<Backend>): Promise<void> {
  const backend = await harness.prepare()
  let store: Partial<CloseableStore> | undefined
  try {
    await expectExactPurges(async (clock) => {
      const opened = (await harness.open(backend, clock)) as PurgeableStore
      store = opened as Partial<CloseableStore>
      return opened
    })
  } finally {
    await store?.close?.()
    await harness.dispose?.(backend)
  }
}
