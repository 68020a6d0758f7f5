// npm run bench: sets up what is missing and measures, on the pinned Node whatever Node the machine has.
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { findNode, setUp } from './setup.mjs'

setUp()

const main = join(fileURLToPath(new URL('..', import.meta.url)), 'bench/main.ts')
const { status } = spawnSync(findNode(), [main, ...process.argv.slice(2)], { stdio: 'inherit' })
process.exitCode = status ?? 1
