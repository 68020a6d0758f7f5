// Everything that can be said about the code without running it, in one command, cheap first.
//   npm run check              all of it
//   npm run check -- lint      the steps named
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const env = { ...process.env, PATH: join(root, 'node_modules/.bin') + delimiter + process.env.PATH }

const steps = [
  ['lock file', 'node scripts/check-lock.mjs'],
  // Who may import whom is the linter's too: see biome.json.
  ['lint', 'biome ci --error-on-warnings'],
  ['types', 'tsc --noEmit'],
  ['build', 'node scripts/build.mjs'],
  ['portable core', 'node scripts/check-portable.mjs'],
  ['example site', 'tsc --noEmit -p examples/locallibrary'],
  ['doc examples', 'node scripts/check-examples.mjs'],
  ['unused code', 'knip'],
  ['publint', 'publint --strict'],
  ['package types', 'attw --pack . --profile esm-only'],
]

const wanted = process.argv.slice(2)
const unknown = wanted.filter((name) => !steps.some(([step]) => step === name))
if (unknown.length > 0) {
  console.error(`No such step: ${unknown.join(', ')}. Steps: ${steps.map(([name]) => name).join(', ')}`)
  process.exit(2)
}

if (!existsSync(join(root, 'node_modules/.bin/biome'))) {
  console.error('The tools are not installed yet: run npm install first')
  process.exit(1)
}

const failed = []
for (const [name, command] of steps) {
  if (wanted.length > 0 && !wanted.includes(name)) continue
  const started = performance.now()
  const { status, output } = spawnSync(command, { cwd: root, env, shell: true, encoding: 'utf8' })
  const seconds = ((performance.now() - started) / 1000).toFixed(1)
  if (status === 0) {
    console.log(`ok      ${name} (${seconds} s)`)
    continue
  }
  failed.push(name)
  console.log(`FAILED  ${name} (${seconds} s): ${command}\n`)
  console.log(output.filter(Boolean).join('').trim(), '\n')
}

if (failed.length > 0) {
  console.log(`The check failed: ${failed.join(', ')}`)
  process.exitCode = 1
}
