import { setTimeout as sleep } from 'node:timers/promises'
import { inspect } from 'node:util'
import { createSessions, type Session, SessionError } from '../../../src/index.ts'
import type { Attempt, Failure, Job } from '../job.ts'
import { type Ledger, noted } from '../ledger.ts'
import { open } from '../source.ts'

// One process of a site: adds one to the session that all share and to one of its own, again and again, and prints what
// became of each update. It stops when its standard input ends; that it ends then is left to it.
interface Data {
  whose: string
  n: number
  [process: `process ${string}`]: Ledger
}

const job = JSON.parse(process.argv[2] ?? '') as Job
const { store, close } = await open(job.source)
const sessions = createSessions<Data>({ store, storeTimeout: job.storeTimeout })
let stopped = false
process.stdin.resume().once('end', () => {
  stopped = true
})

const own = `process ${job.name}` as const

async function updates(of: Attempt['of']): Promise<void> {
  for (let number = 1; !stopped; number++) {
    const start = performance.now()
    const outcome = await attempt(of, number)
    const report: Attempt = { of, number, ms: performance.now() - start, ...outcome }
    process.stdout.write(`${JSON.stringify(report)}\n`)
    await sleep(outcome.outcome === 'acknowledged' ? job.pace : 50)
  }
}

async function attempt(of: Attempt['of'], number: number): Promise<Pick<Attempt, 'outcome' | 'failure'>> {
  let session: Session<Data> | undefined
  try {
    session = await sessions.resume(job.ids[of])
  } catch (error) {
    // Nothing has been written so far.
    return { outcome: 'refused', failure: failure(error) }
  }
  if (!session) return { outcome: 'gone' }
  if (session.get('whose') !== job.whose[of]) return { outcome: 'wrong' }
  session.update('n', (n = 0) => n + 1)
  session.update(own, (ledger) => noted(ledger, number))
  const first = await save(session)
  if (first.outcome !== 'unknown') return first
  await sleep(50)
  // As handlers do that want it saved: it must not be counted twice if it was written the first time. Whether that was
  // so is not known any more when the second one fails, whatever it says.
  const second = await save(session)
  const outcome = second.outcome === 'refused' ? 'unknown' : second.outcome
  return { ...first, ...second, outcome }
}

async function save(session: Session<Data>): Promise<Pick<Attempt, 'outcome' | 'failure'>> {
  try {
    await session.save()
    return { outcome: 'acknowledged' }
  } catch (error) {
    // A store that failed may have written all the same; whatever else there is, the core knows that it did not.
    const unknown = error instanceof SessionError && error.code === 'ERR_SESSION_STORE'
    return { outcome: unknown ? 'unknown' : 'refused', failure: failure(error) }
  }
}

function failure(error: unknown): Failure {
  const code = error instanceof SessionError ? error.code : undefined
  const chain: string[] = []
  for (let at = error; at instanceof Error; at = at.cause) chain.push(`${at.name}: ${at.message}`)
  return {
    code,
    chain,
    leaks: [...leaks('message', chain.join('\n'), job.secrets.messages), ...shown(error)],
  }
}

/** What `console.error(error)` writes into the log of a site: all that hangs on the error, too. */
function shown(error: unknown): string[] {
  return leaks('printed error', inspect(error, { depth: 20 }), job.secrets.logs)
}

function leaks(where: string, text: string, secrets: Readonly<Record<string, string>>): string[] {
  return Object.entries(secrets)
    .filter(([, secret]) => text.includes(secret))
    .map(([name]) => `${name} in the ${where}`)
}

await Promise.all([updates('shared'), updates('own')])
await close()
