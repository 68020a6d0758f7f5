// npm run bench: sets up what is missing, the packages of bench/ included, and measures, on the pinned Node whatever Node
// the machine has.
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { findNode, setUp } from './setup.mjs'

const args = process.argv.slice(2)
// The session layer by itself has no peers.
setUp(...(args[0] === 'layer' ? [] : ['bench']))

const bench = join(fileURLToPath(new URL('..', import.meta.url)), 'bench')
// Memory is counted while nothing is collected: the young generation holds all of it.
const command =
  args[0] === 'layer'
    ? [
        '--expose-gc',
        '--min-semi-space-size=256',
        '--max-semi-space-size=256',
        join(bench, 'layer.ts'),
        ...args.slice(1),
      ]
    : [join(bench, 'main.ts'), ...args]
// What a site runs, without the checks for developers. (What \`main.ts\` starts is told so by itself.)
const env = args[0] === 'layer' ? { ...process.env, NODE_ENV: 'production' } : process.env
const { status } = spawnSync(findNode(), command, { stdio: 'inherit', env })
process.exitCode = status ?? 1
