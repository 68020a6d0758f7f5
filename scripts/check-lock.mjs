// What npm leaves in the lock file or out of it, and shouldn't:
//   - download addresses send everybody to the registry of whoever wrote them;
//   - a binary for another platform that npm could not fetch is left out, and `npm ci` then refuses the whole file, or
//     installs a tool without its binary on that platform (npm/cli#4828).
// With --fix it puts both right.
import { readFileSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { packagesIn } from './setup.mjs'

const fixes = process.argv.includes('--fix')

for (const folder of packagesIn('.')) {
  const file = join(folder, 'package-lock.json')
  const lock = JSON.parse(readFileSync(file, 'utf8'))
  const faults = [...addresses(lock), ...missingBinaries(lock)]
  if (faults.length === 0) continue
  if (fixes) {
    for (const { fix } of faults) fix()
    lock.packages = Object.fromEntries(
      Object.entries(lock.packages).sort(([a], [b]) => a.localeCompare(b, 'en')),
    )
    writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`)
  } else {
    for (const { text } of faults) console.error(`${relative('.', file)}: ${text}`)
    process.exitCode = 1
  }
}
if (process.exitCode) console.error('Put it right: node scripts/check-lock.mjs --fix')

function addresses(lock) {
  return Object.entries(lock.packages)
    .filter(([, { resolved }]) => resolved?.includes(':'))
    .map(([path, entry]) => ({
      text: `${path} is fetched from an address`,
      fix: () => delete entry.resolved,
    }))
}

function missingBinaries(lock) {
  const found = []
  for (const [path, { optionalDependencies = {}, dev, peer }] of Object.entries(lock.packages)) {
    for (const [name, version] of Object.entries(optionalDependencies)) {
      if ([`node_modules/${name}`, `${path}/node_modules/${name}`].some((place) => lock.packages[place]))
        continue
      const entry = { version, ...platformOf(name), dev, optional: true, peer }
      found.push({
        text: `${name} is missing, which ${path} needs on that platform`,
        fix: () => (lock.packages[`node_modules/${name}`] = entry),
      })
    }
  }
  return found
}

/** What the name of a binary's package says of its platform: `cli-linux-x64-musl`, `binding-win32-ia32-msvc`. */
function platformOf(name) {
  const [, os, cpu, rest = ''] =
    /-(android|darwin|freebsd|linux|openharmony|win32)-(arm64|arm|ia32|ppc64|riscv64|s390x|x64)(-\w+)?$/.exec(
      name,
    ) ?? []
  if (!os) throw new Error(`The name of ${name} tells no platform: write its entry by hand`)
  const libc = rest.endsWith('musl') ? ['musl'] : ['glibc']
  return { os: [os], cpu: [cpu], ...(os === 'linux' && rest.match(/gnu$|musl$/) ? { libc } : {}) }
}
