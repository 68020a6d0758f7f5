import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'

const run = promisify(execFile)

/**
 * Bytes that one request may allocate, with what the bare server needs for it: counted, not timed, so the machine does not
 * matter. Somewhat above what was counted when they were set; express-session needs 14,000 to 15,000 of its own.
 */
const LIMITS: Record<string, number> = {
  'core, read only': 3300,
  'core, visit': 8200,
  'core, first visit': 8700,
  'core, sealed cookie, read only': 8500,
  'core, sealed cookie, visit': 17_500,
  'core, sealed cookie, first visit': 11_500,
  'node:http, session not touched': 5000,
  'node:http, read only': 9500,
  'node:http, visit': 14_000,
  'node:http, first visit': 17_000,
}

it('a request allocates no more than it did', async () => {
  const { stdout } = await run(process.execPath, ['scripts/bench.mjs', 'layer', '--json'])
  const bytes: Record<string, number> = JSON.parse(stdout)
  for (const [name, limit] of Object.entries(LIMITS)) expect(bytes[name], name).toBeLessThan(limit)
  // Whoever does not ask for the session pays for one small object.
  const bare = bytes['node:http, no sessions'] ?? 0
  expect((bytes['node:http, session not touched'] ?? 0) - bare).toBeLessThan(1000)
})
