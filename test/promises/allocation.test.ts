import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'

const run = promisify(execFile)

/**
 * Bytes that one request may allocate, with what the bare server needs for it: counted, not timed, so the machine does not
 * matter. Somewhat above what was counted when they were set; express-session needs 14,000 to 15,000 of its own.
 */
const LIMITS: Record<string, number> = {
  'core, read only': 2500,
  'core, visit': 4850,
  'core, first visit': 4850,
  'core, promising store, read only': 4900,
  'core, promising store, visit': 10_500,
  'core, promising store, first visit': 7700,
  'core, sealed cookie, read only': 7500,
  'core, sealed cookie, visit': 14_500,
  'core, sealed cookie, first visit': 8100,
  'node:http, session not touched': 4500,
  'node:http, read only': 7900,
  'node:http, visit': 10_100,
  'node:http, first visit': 11_000,
}

it('a request allocates no more than it did', async () => {
  const { stdout } = await run(process.execPath, ['scripts/bench.mjs', 'layer', '--json'])
  const bytes: Record<string, number> = JSON.parse(stdout)
  for (const [name, limit] of Object.entries(LIMITS)) expect(bytes[name], name).toBeLessThan(limit)
  // Whoever does not ask for the session pays for one small object.
  const bare = bytes['node:http, no sessions'] ?? 0
  expect((bytes['node:http, session not touched'] ?? 0) - bare).toBeLessThan(1000)
})
