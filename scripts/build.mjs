// Compiles src into dist. In place, since a server or a test may be running from dist meanwhile.
import { spawnSync } from 'node:child_process'
import { chmodSync, existsSync, readdirSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const dist = resolve(process.argv[2] ?? join(root, 'dist'))
const tsc = join(root, 'node_modules/typescript/bin/tsc')

const { status } = spawnSync(process.execPath, [tsc, '-p', 'tsconfig.build.json', '--outDir', dist], {
  cwd: root,
  stdio: 'inherit',
})
if (status !== 0) process.exit(status ?? 1)

// What a deleted or renamed source left behind would be published with the rest.
for (const file of readdirSync(dist, { recursive: true, encoding: 'utf8' })) {
  const source = file.replace(/(\.d\.ts|\.js)(\.map)?$/, '.ts')
  if (source !== file && !existsSync(join(root, 'src', source))) rmSync(join(dist, file))
}

const cli = join(dist, 'cli/main.js')
if (existsSync(cli)) chmodSync(cli, 0o755)
