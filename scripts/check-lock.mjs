// A lock file with download addresses sends everybody to the registry of whoever wrote it.
import { readFileSync } from 'node:fs'

const { packages } = JSON.parse(readFileSync(new URL('../package-lock.json', import.meta.url), 'utf8'))
const addressed = Object.entries(packages).filter(([, { resolved }]) => resolved?.includes(':'))
for (const [name, { resolved }] of addressed) console.error(`${name}: ${resolved}`)
if (addressed.length > 0) {
  console.error('package-lock.json holds download addresses: remove their "resolved" lines')
  process.exitCode = 1
}
