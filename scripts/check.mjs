// Everything that can be said about the code without running it, in one command, cheap first.
//   npm run check              all of it
//   npm run check -- lint      the steps named
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const env = {
  ...process.env,
  PATH: join(root, 'node_modules/.bin') + delimiter + process.env.PATH,
  NO_COLOR: '1',
}

// Who may import whom is the linter's too: see biome.json.
const ON_SOURCES = [
  ['lock file', 'node scripts/check-lock.mjs'],
  ['lint', 'biome ci --error-on-warnings --colors=off'],
  ['types', 'tsc --noEmit'],
  ['build', 'node scripts/build.mjs'],
]
const ON_BUILD = [
  ['portable core', 'node scripts/check-portable.mjs'],
  ['example site', 'tsc --noEmit -p examples/locallibrary'],
  ['doc examples', 'node scripts/check-examples.mjs'],
  ['unused code', 'knip'],
  ['publint', 'publint --strict'],
  ['package types', 'attw --pack . --profile esm-only'],
]

const wanted = process.argv.slice(2)
const names = [...ON_SOURCES, ...ON_BUILD].map(([name]) => name)
const unknown = wanted.filter((name) => !names.includes(name))
if (unknown.length > 0) {
  console.error(`No such step: ${unknown.join(', ')}. Steps: ${names.join(', ')}`)
  process.exit(2)
}

// Set-up builds as well. Whether that works is no business of ours here: it is a step below.
const setup = [join(root, 'scripts/setup.mjs'), 'test']
const { stderr } = spawnSync(process.execPath, setup, { stdio: ['ignore', 'inherit', 'pipe'] })
if (!existsSync(join(root, 'node_modules/.bin/biome'))) {
  process.stderr.write(stderr)
  process.exit(1)
}

const failed = []
for (const step of ON_SOURCES) run(step)
if (failed.includes('build')) console.log('Skipped, for want of a build: the rest')
else for (const step of ON_BUILD) run(step)

if (failed.length > 0) {
  console.log(`The check failed: ${failed.join(', ')}`)
  process.exitCode = 1
}

function run([name, command]) {
  if (wanted.length > 0 && !wanted.includes(name)) return
  const started = performance.now()
  const { status, stdout, stderr } = spawnSync(command, { cwd: root, env, shell: true, encoding: 'utf8' })
  const seconds = ((performance.now() - started) / 1000).toFixed(1)
  if (status === 0) {
    console.log(`ok      ${name} (${seconds} s)`)
    return
  }
  failed.push(name)
  console.log(`FAILED  ${name} (${seconds} s): ${command}\n\n${`${stdout}${stderr}`.trim()}\n`)
}
