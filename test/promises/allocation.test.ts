import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'

const run = promisify(execFile)

/**
 * Bytes that one request may allocate, with what the bare server needs for it: counted, not timed, so the machine does not
 * matter. Somewhat above what was counted when they were set; express-session needs 14,000 to 15,000 of its own.
 */
const LIMITS: Record<string, number> = {
  'core, read only': 2600,
  'core, visit': 5000,
  'core, first visit': 5000,
  'core, sealed cookie, read only': 7800,
  'core, sealed cookie, visit': 15_200,
  'core, sealed cookie, first visit': 9500,
  'node:http, session not touched': 4700,
  'node:http, read only': 8600,
  'node:http, visit': 11_000,
  'node:http, first visit': 13_200,
}

it('a request allocates no more than it did', async () => {
  const { stdout } = await run(process.execPath, ['scripts/bench.mjs', 'layer', '--json'])
  const bytes: Record<string, number> = JSON.parse(stdout)
  for (const [name, limit] of Object.entries(LIMITS)) expect(bytes[name], name).toBeLessThan(limit)
  // Whoever does not ask for the session pays for one small object.
  const bare = bytes['node:http, no sessions'] ?? 0
  expect((bytes['node:http, session not touched'] ?? 0) - bare).toBeLessThan(1000)
})
