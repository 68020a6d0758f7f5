import type { CloseableStore, Store } from '../store.ts'
import type { ContractCase } from './contract-case.ts'
import { abilityCases } from './store-contract-abilities.ts'
import { backendCases } from './store-contract-backend.ts'
import { type Case, Scene } from './store-contract-case.ts'
import { expiryCases } from './store-contract-expiry.ts'
import { raceCases } from './store-contract-races.ts'
import { verbCases } from './store-contract-verbs.ts'
import type { StoreHarness } from './store-harness.ts'

/** One rule of the store contract. */
export interface StoreContractCase extends ContractCase {
  /** Why the rule does not apply to this store; then `run` rejects, so that it cannot pass unnoticed. */
  skip: string | undefined
}

/**
 * What every store has to keep, as named cases for any test runner. Each case opens a store of its own.
 *
 * @example
 * ```ts
 * for (const { name, skip, run } of storeContract(harness)) {
 *   if (skip) test.skip(`${name} (${skip})`)
 *   else test(name, run)
 * }
 * ```
 */
export function storeContract<Backend>(harness: StoreHarness<Backend>): StoreContractCase[] {
  const cases = [...verbCases, ...raceCases, ...expiryCases, ...abilityCases, ...backendCases]
  return cases.map((contractCase) => {
    const skip = contractCase.unless?.(harness as StoreHarness)
    return {
      name: contractCase.name,
      skip,
      run: () => (skip ? Promise.reject(new Error(`Not applicable: ${skip}`)) : run(contractCase, harness)),
    }
  })
}

async function run<Backend>({ run }: Case, harness: StoreHarness<Backend>): Promise<void> {
  const backend = await harness.prepare()
  const opened: Store[] = []
  try {
    await run(new Scene(harness as StoreHarness, backend, opened))
  } finally {
    for (const store of opened) await (store as Partial<CloseableStore>).close?.()
    await harness.dispose?.(backend)
  }
}
