/** A rule of a contract, or a test of the core. */
export interface Rule {
  readonly name: string
  /** Why it does not apply. */
  readonly skip?: string | undefined
  run(): unknown
}

/** What runs on a runtime under one name. */
export interface Suite {
  readonly kind: 'core' | 'adapter' | 'store'
  /** The file, the adapter or the store. */
  readonly subject: string
  readonly rules: readonly Rule[]
}

/** What became of a rule. */
export interface Outcome {
  readonly kind: Suite['kind']
  readonly subject: string
  readonly rule: string
  readonly result: 'held' | 'broken' | 'skipped'
  /** Why it was skipped, or what broke it. */
  readonly why?: string | undefined
}

// Far above what a rule takes, and below the patience of who reads the outcomes: a hang is told by its name.
const PATIENCE = 240_000
const AT_ONCE = 3

/** Runs the suites, and tells the outcome of each rule. */
export async function runSuites(
  suites: readonly Suite[],
  tell: (outcome: Outcome) => void,
  atOnce = AT_ONCE,
): Promise<void> {
  // Tests of the core replace functions of the whole process, so each has it to itself. The contracts wait most of the
  // time, for a timeout or another process, so several run at once.
  const isCore = ({ kind }: Suite) => kind === 'core'
  for (const suite of suites.filter(isCore)) await runSuite(suite, tell)
  const left = suites.filter((suite) => !isCore(suite))
  const runSome = async (): Promise<void> => {
    for (let suite = left.shift(); suite; suite = left.shift()) await runSuite(suite, tell)
  }
  await Promise.all(Array.from({ length: atOnce }, runSome))
}

async function runSuite({ kind, subject, rules }: Suite, tell: (outcome: Outcome) => void): Promise<void> {
  for (const rule of rules) tell({ kind, subject, rule: rule.name, ...(await outcomeOf(rule)) })
}

async function outcomeOf({ skip, run }: Rule): Promise<Pick<Outcome, 'result' | 'why'>> {
  if (skip) return { result: 'skipped', why: skip }
  let timer: ReturnType<typeof setTimeout> | undefined
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`It did not end within ${PATIENCE} ms`)), PATIENCE)
  })
  try {
    await Promise.race([run(), limit])
    return { result: 'held' }
  } catch (error) {
    return { result: 'broken', why: told(error) }
  } finally {
    clearTimeout(timer)
  }
}

/** The message and where it was thrown: not every runtime has the message in the stack. */
function told(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const { stack = '' } = error
  const cause = error.cause === undefined ? '' : `\ncaused by ${told(error.cause)}`
  return (stack.includes(error.message) ? stack : `${String(error)}\n${stack}`) + cause
}
