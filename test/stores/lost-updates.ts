import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { describe, expect, it } from 'vitest'
import { createSessions } from '../../src/index.ts'
import { Browser } from '../core/browser.ts'
import { open, type StoreSource } from '../faults/source.ts'

const PROGRAM = new URL('../faults/workers/requests.ts', import.meta.url).pathname
const REQUESTS = 100

/** What the requests leave in the session. */
interface Data {
  n: number
  [key: `key ${string}`]: number
}

/**
 * 100 parallel requests with 100 keys, and 100 parallel updates, through the real core, from one process and from four.
 * @param source how to open the store, asked for when the tests run
 */
export function describeLostUpdates(name: string, source: () => StoreSource): void {
  describe(`100 parallel requests of one session: ${name}`, () => {
    it.each([1, 4])('from %i process(es) keep 100 keys, and count to 100', async (processes) => {
      const { store, close } = await open(source())
      const sessions = createSessions<Data>({ store, storeTimeout: '100s' })
      const browser = new Browser(sessions)
      await browser.visit((session) => session.set('n', 0))
      const job = { source: source(), cookie: browser.cookie ?? '', requests: REQUESTS / processes }
      await allAtOnce(Array.from({ length: processes }, (_, i) => ({ ...job, name: String(i) })))
      const { n, ...keys } = await browser.visit((session) => Object.fromEntries(session))
      await close()
      expect(n).toBe(REQUESTS)
      expect(Object.keys(keys)).toHaveLength(REQUESTS)
    })
  })
}

/** What one of the processes does. */
export interface Requests {
  name: string
  source: StoreSource
  cookie: string
  requests: number
}

/** Starts the processes, and lets them go when all have opened their store. */
async function allAtOnce(jobs: readonly Requests[]): Promise<void> {
  const children = jobs.map((job) =>
    spawn(process.execPath, ['--no-warnings', PROGRAM, JSON.stringify(job)], {
      stdio: ['pipe', 'pipe', 'pipe'],
    }),
  )
  const ends = children.map(async (child) => {
    const [errors, [code]] = await Promise.all([text(child.stderr), once(child, 'close')])
    if (code !== 0) throw new Error(`A process ended with ${code}: ${errors}`)
  })
  const ready = children.map((child) => once(child.stdout, 'data'))
  await Promise.race([Promise.all(ready), Promise.all(ends)])
  for (const child of children) child.stdin.end()
  await Promise.all(ends)
}
