import { mkdirSync, readdirSync, rmSync } from 'node:fs'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { storeContract } from '../../src/testing/store-contract.ts'
import type { StoreHarness } from '../../src/testing/store-harness.ts'
import { note, type Table } from '../tested/note.ts'
import { TESTED_RUNTIMES } from '../tested/runtimes.ts'
import { ADAPTER_RULES } from '../tested/tables.ts'
import { bundleProgram } from './bundle.ts'
import { describeOn } from './describe-on.ts'
import { type Extent, LONG, VITEST_ONLY } from './program/extent.ts'
import type { Outcome } from './program/suite.ts'
import { type Report, RUNTIMES, type Runtime } from './runtimes.ts'
import { WORKERD } from './workerd.ts'

// The tests of the core and both contracts, on every runtime. Each runs one program, in which a few lines of our own run
// the rules, since not every runtime has a test runner; that every one came to its end is checked here.

const { RUNTIMES: wanted } = process.env
const extent: Extent = wanted === 'all' || wanted === 'contracts' ? wanted : 'usual'
const folder = fileURLToPath(new URL('dist/', import.meta.url))
const program = join(folder, `program-${process.pid}.mjs`)

beforeAll(() => {
  mkdirSync(folder, { recursive: true })
  return bundleProgram(program)
})

afterAll(() => {
  for (const file of [program, program.replace('/program-', '/worker-')]) rmSync(file, { force: true })
})

for (const runtime of [...RUNTIMES, WORKERD]) {
  // What is usual the other test files run on the Node of the tools anyway.
  if (extent === 'usual' && runtime.binary === process.execPath) continue
  describeOn(runtime, () => describeRuntime(runtime))
}

function describeRuntime(runtime: Runtime): void {
  const tested = TESTED_RUNTIMES[runtime.name]
  let report: Report

  beforeAll(
    async () => {
      report = await runtime.run(program, extent)
    },
    extent === 'all' ? 3_600_000 : 1_200_000,
  )

  it('the tests of the core pass', () => {
    const outcomes = report.outcomes.filter(({ kind }) => kind === 'core')
    expect(notHeld(outcomes)).toEqual([])
    expect(new Set(outcomes.map(({ subject }) => subject))).toEqual(new Set(coreFiles()))
    expect(outcomes.length).toBeGreaterThan(800)
  })

  it('every adapter holds to the contract', () => {
    const subjects = grouped(report, 'adapter')
    expectAll(tested?.adapters, [...subjects.keys()])
    for (const outcomes of subjects.values()) {
      expect(notHeld(outcomes)).toEqual([])
      expect(outcomes.map(({ rule }) => rule)).toEqual(ADAPTER_RULES.map(({ name }) => name))
    }
    noteAll(report, 'adapter', 'runtimes, adapters')
  })

  it('every store holds to the contract', () => {
    const subjects = grouped(report, 'store')
    const named = tested?.stores.map(({ subject }) => subject)
    expectAll(named, [...subjects.keys()])
    for (const outcomes of subjects.values()) {
      expect(notHeld(outcomes.filter(({ result }) => result !== 'skipped'))).toEqual([])
      expect(outcomes.map(({ rule }) => rule)).toEqual(STORE_RULES)
    }
    noteAll(report, 'store', 'runtimes, stores')
  })
}

/** What is usual ran, as the documentation has it, and nothing else but when all is wanted. */
function expectAll(named: readonly string[] = [], subjects: readonly string[]): void {
  const found = extent === 'all' ? subjects.filter((subject) => named.includes(subject)) : subjects
  // Several begin at once, and any of them may be the first to tell.
  expect(new Set(found)).toEqual(new Set(named))
}

function noteAll({ version: column, outcomes }: Report, kind: Outcome['kind'], table: Table): void {
  for (const outcome of outcomes) {
    if (outcome.kind !== kind) continue
    const skip = outcome.result === 'skipped' ? outcome.why : undefined
    note({ page: 'runtimes', table, column, way: outcome.subject, rule: outcome.rule, skip })
  }
}

const STORE_RULES = storeContract({ abilities: {} } as StoreHarness).map(({ name }) => name)

function notHeld(outcomes: readonly Outcome[]): string[] {
  return outcomes
    .filter(({ result }) => result !== 'held')
    .map(({ subject, rule, result, why }) => `${subject}: ${rule}: ${result}: ${why}`)
}

function grouped({ outcomes }: Report, kind: Outcome['kind']): Map<string, Outcome[]> {
  const groups = new Map<string, Outcome[]>()
  for (const outcome of outcomes) {
    if (outcome.kind !== kind) continue
    const group = groups.get(outcome.subject)
    if (group) group.push(outcome)
    else groups.set(outcome.subject, [outcome])
  }
  return groups
}

/** A new file of tests is run on the runtimes, too, or this fails. */
function coreFiles(): string[] {
  const left = extent === 'all' ? VITEST_ONLY : [...VITEST_ONLY, ...LONG]
  const files = readdirSync(new URL('../core/', import.meta.url)).filter((file) => file.endsWith('.test.ts'))
  return files.map((file) => basename(file, '.test.ts')).filter((name) => !left.includes(name))
}
