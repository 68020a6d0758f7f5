// Runs the contracts and writes down what they held with: adapters and runtimes by rule, stores by client and server.
//   npm run tested                     all of it
//   npm run tested -- adapters         the pages named: adapters, runtimes, stores
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { findNode, setUp } from './setup.mjs'

/** By page, the tests that note what it is made of. */
const TESTS = {
  adapters: ['test/adapters/contract-', 'test/frameworks'],
  runtimes: ['test/runtimes/runtimes'],
  stores: ['test/stores'],
}

const wanted = process.argv.slice(2)
const pages = wanted.length > 0 ? wanted : Object.keys(TESTS)
const unknown = pages.filter((page) => !(page in TESTS))
if (unknown.length > 0) {
  console.error(`No such page: ${unknown.join(', ')}. Pages: ${Object.keys(TESTS).join(', ')}`)
  process.exit(2)
}

setUp('test')
const root = fileURLToPath(new URL('..', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'sojourn-tested-'))
const report = join(folder, 'tested.jsonl')
// Nothing is left out in silence: what is missing on this machine fails.
const env = { ...process.env, CI: 'true', RUNTIMES: 'contracts', TESTED_REPORT: report }
const vitest = join(root, 'node_modules/vitest/vitest.mjs')
const tests = pages.flatMap((page) => TESTS[page])
process.exitCode =
  run([vitest, 'run', ...tests, '-t', 'contract']) ||
  run([join(root, 'scripts/tested-pages.ts'), report, ...pages])
rmSync(folder, { recursive: true })

function run(args) {
  const { status } = spawnSync(findNode(), args, { cwd: root, env, stdio: 'inherit' })
  return status ?? 1
}
