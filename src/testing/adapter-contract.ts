import type { SessionsOptions } from '../options.ts'
import type { Store } from '../store.ts'
import { answerCases } from './adapter-answer-cases.ts'
import { commitCases } from './adapter-commit-cases.ts'
import { failureCases } from './adapter-failure-cases.ts'
import { identityCases } from './adapter-identity-cases.ts'
import type { Serve, Stage } from './adapter-site.ts'
import { type ContractCase, contractCase, type Rule } from './contract-case.ts'

/** How the cases run, when not every one of them can hold. */
export interface AdapterContractOptions {
  /**
   * Makes what is given to `createSessions` of the store that a case has for it.
   * @defaultValue the store itself
   */
  carriedBy?: (store: Store) => NonNullable<SessionsOptions['store']>
  /** The cases that cannot hold then, by name, and why: they say so as `skip`. @defaultValue none */
  exceptions?: Readonly<Record<string, string>>
}

/** The rules by what they are about. */
const GROUPS: Readonly<Record<string, (stage: Stage) => Rule[]>> = {
  'Whose session it is': identityCases,
  'What answers carry': answerCases,
  'When and how often the session is saved': commitCases,
  'A store that fails or is slow': failureCases,
}

/**
 * What every adapter must hold to, as cases for any test runner. Each serves a small site over real HTTP and visits it
 * as a browser would.
 * @example
 * for (const { name, skip, run } of adapterContract(serveWithMyFramework)) {
 *   if (skip) test.skip(`${name} (${skip})`)
 *   else test(name, run)
 * }
 * @param serve - Serves a site with the adapter under test.
 */
export function adapterContract(serve: Serve, options: AdapterContractOptions = {}): ContractCase[] {
  const { carriedBy = (store) => store, exceptions = {} } = options
  const stage = { serve, carriedBy }
  const why = new Map(Object.entries(exceptions))
  const cases = Object.entries(GROUPS).flatMap(([group, rulesOf]) =>
    rulesOf(stage).map((rule) => contractCase(group, rule, why.get(rule.name))),
  )
  const unknown = Object.keys(exceptions).find((exception) => !cases.some(({ name }) => name === exception))
  if (unknown !== undefined) throw new TypeError(`No case of the contract is called "${unknown}"`)
  return cases
}
