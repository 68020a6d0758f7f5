import { answerCases } from './adapter-answer-cases.ts'
import { commitCases } from './adapter-commit-cases.ts'
import { failureCases } from './adapter-failure-cases.ts'
import { identityCases } from './adapter-identity-cases.ts'
import type { Serve } from './adapter-site.ts'
import type { ContractCase } from './contract-case.ts'

/**
 * What every adapter must hold to, as cases for any test runner. Each serves a small site over real HTTP and visits it
 * as a browser would.
 * @example
 * for (const { name, run } of adapterContract(serveWithMyFramework)) it(name, run)
 * @param serve - Serves a site with the adapter under test.
 */
export function adapterContract(serve: Serve): ContractCase[] {
  return [...identityCases(serve), ...answerCases(serve), ...commitCases(serve), ...failureCases(serve)]
}
