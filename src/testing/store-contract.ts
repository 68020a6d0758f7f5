import type { CloseableStore, Store } from '../store.ts'
import { type ContractCase, contractCase } from './contract-case.ts'
import { abilityCases } from './store-contract-abilities.ts'
import { backendCases } from './store-contract-backend.ts'
import { type Case, Scene } from './store-contract-case.ts'
import { expiryCases } from './store-contract-expiry.ts'
import { raceCases } from './store-contract-races.ts'
import { verbCases } from './store-contract-verbs.ts'
import type { StoreHarness } from './store-harness.ts'

/** The rules by what they are about. */
const GROUPS: Readonly<Record<string, readonly Case[]>> = {
  'One caller at a time': verbCases,
  'Several callers at once': raceCases,
  'What ends by itself': expiryCases,
  'What only some stores can do': abilityCases,
  'What may befall a backend': backendCases,
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
export function storeContract<Backend>(harness: StoreHarness<Backend>): ContractCase[] {
  return Object.entries(GROUPS).flatMap(([group, cases]) =>
    cases.map((one) => {
      const rule = { name: one.name, run: () => run(one, harness) }
      return contractCase(group, rule, one.unless?.(harness as StoreHarness))
    }),
  )
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
