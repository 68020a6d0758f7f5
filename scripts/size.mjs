// npm run size: sets up what is missing, measures the entry points and writes docs/size.md.
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { findNode, setUp } from './setup.mjs'

setUp()

const { status } = spawnSync(findNode(), [join(import.meta.dirname, 'sizes.ts')], { stdio: 'inherit' })
process.exitCode = status ?? 1
