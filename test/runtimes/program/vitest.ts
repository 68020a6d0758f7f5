import {
  ASYMMETRIC_MATCHERS_OBJECT,
  chai,
  GLOBAL_EXPECT,
  JestAsymmetricMatchers,
  JestChaiExpect,
  JestExtend,
  setState,
} from '@vitest/expect'
import { fn, restoreAllMocks, spyOn } from '@vitest/spy'
import type { Rule } from './suite.ts'

// Stands for `vitest` where the tests of the core run on a runtime that cannot run vitest itself: the same tests, and the
// same `expect`, which vitest publishes as a package. What is missing here fails when the tests are loaded.

type Body = () => unknown

/** Where tests are registered at the moment, from the outermost `describe` inwards. */
interface Block {
  readonly name: string
  readonly before: Body[]
  readonly after: Body[]
}

let blocks: readonly Block[] = []
let rules: Rule[] = []
const finished: Body[] = []

/** The tests that a file registers when it is loaded. */
export async function testsOf(load: () => Promise<unknown>): Promise<Rule[]> {
  rules = []
  blocks = [block('')]
  await load()
  return rules
}

function block(name: string): Block {
  return { name, before: [], after: [] }
}

export function describe(name: string, body: Body): void {
  const outside = blocks
  blocks = [...outside, block(name)]
  body()
  blocks = outside
}

export function it(name: string, ...rest: unknown[]): void {
  const body = rest.find((part) => typeof part === 'function') as Body
  const around = blocks
  const [, ...names] = around.map((block) => block.name)
  rules.push({ name: [...names, name].join(' > '), run: () => run(around, body) })
}

describe.each = each(describe)
it.each = each(it)

async function run(around: readonly Block[], body: Body): Promise<void> {
  try {
    for (const { before } of around) for (const hook of before) await hook()
    await body()
  } finally {
    for (const { after } of around) for (const hook of after) await hook()
    for (const hook of finished.splice(0).reverse()) await hook()
    restoreAllMocks()
    for (const [name, value] of stubbed) setEnv(name, value)
    stubbed.clear()
  }
}

export function beforeEach(hook: Body): void {
  blocks.at(-1)?.before.push(hook)
}

export function afterEach(hook: Body): void {
  blocks.at(-1)?.after.push(hook)
}

export function onTestFinished(hook: Body): void {
  finished.push(hook)
}

type Register = (name: string, body: Body, ...rest: unknown[]) => void

function each(register: Register) {
  return (cases: readonly unknown[]) =>
    (name: string, body: (...values: unknown[]) => unknown, ...rest: unknown[]): void => {
      // As vitest has it: the cases are lists of arguments only when all of them are lists.
      const areLists = cases.every(Array.isArray)
      for (const [index, given] of cases.entries()) {
        const values = areLists ? (given as unknown[]) : [given]
        register(`${name} [${index}]`, () => body(...values), ...rest)
      }
    }
}

chai.use(JestExtend)
chai.use(JestChaiExpect)
chai.use(JestAsymmetricMatchers)

export const expect = Object.assign(
  (value: unknown, message?: string) => chai.expect(value, message),
  chai.expect,
  (globalThis as Record<symbol, object>)[ASYMMETRIC_MATCHERS_OBJECT],
  {
    unreachable(message = 'expected not to be reached'): never {
      throw new chai.AssertionError(message)
    },
  },
)
Object.defineProperty(globalThis, GLOBAL_EXPECT, { value: expect, configurable: true })
setState({ assertionCalls: 0 }, expect as never)

const stubbed = new Map<string, string | undefined>()

export const vi = {
  fn,
  spyOn,
  stubEnv(name: string, value: string): void {
    if (!stubbed.has(name)) stubbed.set(name, process.env[name])
    setEnv(name, value)
  },
}

function setEnv(name: string, value: string | undefined): void {
  if (value === undefined) delete process.env[name]
  else process.env[name] = value
}
