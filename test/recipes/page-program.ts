import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { blocksOf } from '../../scripts/page-blocks.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** A server for the handler of the Fetch standard that a file of the page exports. */
export const SERVE = (file: string): string =>
  `import { serve } from '@hono/node-server'
import { handler } from '${file}'
serve({ fetch: handler, port: 3000 })`

const freePort = join(root, 'test/package/free-port.mjs')
const runtimes = join(root, 'test/runtimes/node_modules')

/** What runs programs: as `test/runtimes` has them, beside Node. Each loads what makes the port a free one. */
export const RUNTIMES = {
  node: { program: process.execPath, args: ['--import', freePort] },
  bun: { program: join(runtimes, '@oven/bun-linux-x64/bin/bun'), args: ['--preload', freePort] },
  deno: {
    program: join(runtimes, '@deno/linux-x64-glibc/deno'),
    args: ['run', '--allow-all', '--no-check', '--node-modules-dir=manual', '--preload', freePort],
  },
}

/** A program of the documentation that is running, as its page has it. */
export interface PageProgram {
  origin: string
  /** Where it runs, with the files that it makes. */
  folder: string
  /** All that it has printed so far. */
  output(): string
  stop(): Promise<void>
}

/**
 * Runs a program of a page: the blocks with names are its files, and the packages are those of the repository. It listens on a
 * free port instead of 3000.
 * @param files - More files of the page's program, which a reader brings himself.
 * @param runtime - What runs it; Node when it is left out.
 */
export async function startPage(
  page: string,
  main: string,
  files: Record<string, string> = {},
  { program, args }: (typeof RUNTIMES)[keyof typeof RUNTIMES] = RUNTIMES.node,
): Promise<PageProgram> {
  const top = mkdtempSync(join(tmpdir(), 'sojourn-page-'))
  const folder = join(top, 'site/program')
  mkdirSync(folder, { recursive: true })
  for (const { name, code } of blocksOf(readFileSync(join(root, page), 'utf8'))) {
    if (name) writeFileSync(join(folder, name), code)
  }
  for (const [name, code] of Object.entries(files)) writeFileSync(join(folder, name), code)
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
  linkPackages(top, folder)
  const child = spawn(program, [...args, main], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
    // No more than a new user has: NODE_ENV, say, is the test runner's.
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'] },
  })
  let output = ''
  child.stderr.on('data', (chunk) => {
    output += chunk
  })
  const port = await new Promise<string>((resolve, reject) => {
    createInterface(child.stdout).on('line', (line) => {
      output += `${line}\n`
      const found = /^listens on port (\d+)$/.exec(line)?.[1]
      if (found) resolve(found)
    })
    child.once('exit', () => reject(new Error(`${page}: ${main} ended before it served: ${output}`)))
  })
  return {
    origin: `http://localhost:${port}`,
    folder,
    output: () => output,
    stop: () => stop(child, top),
  }
}

/** This package as it is built, what `test/recipes` has, and what the root has: each in a folder further up. */
function linkPackages(top: string, program: string): void {
  symlinkSync(join(root, 'node_modules'), join(top, 'node_modules'), 'junction')
  mkdirSync(join(top, 'site/node_modules'))
  symlinkSync(root, join(top, 'site/node_modules/sojourn'), 'junction')
  symlinkSync(join(import.meta.dirname, 'node_modules'), join(program, 'node_modules'), 'junction')
}

async function stop(child: ChildProcess, folder: string): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) {
    child.kill()
    await once(child, 'exit')
  }
  rmSync(folder, { recursive: true })
}
