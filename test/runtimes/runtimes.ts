import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Extent } from './program/extent.ts'
import type { Outcome } from './program/suite.ts'

/** A runtime that the contracts run on, as an npm package ships it. */
export interface Runtime {
  readonly name: string
  /** What has to be there, below `node_modules` of this folder. */
  readonly binary: string
  /** Runs the bundled program, and answers the version of the runtime and all outcomes. */
  run(program: string, extent: Extent): Promise<Report>
}

export interface Report {
  readonly version: string
  readonly outcomes: readonly Outcome[]
}

const modules = fileURLToPath(new URL('node_modules/', import.meta.url))

export const RUNTIMES: readonly Runtime[] = [
  onCommandLine('Node.js 20', `${modules}node20/bin/node`),
  onCommandLine('Node.js 22', `${modules}node22/bin/node`),
  // The one of the tools.
  onCommandLine('Node.js 24', process.execPath),
  onCommandLine('Node.js 26', `${modules}node26/bin/node`),
  onCommandLine('Bun', `${modules}@oven/bun-linux-x64/bin/bun`, [], {
    // Several sites have a hundred requests under way at once, and all of them must come through before any is answered.
    BUN_CONFIG_MAX_HTTP_REQUESTS: '1000',
  }),
  onCommandLine('Deno', `${modules}@deno/linux-x64-glibc/deno`, ['run', '-A']),
]

function onCommandLine(
  name: string,
  binary: string,
  args: readonly string[] = [],
  settings: Record<string, string> = {},
): Runtime {
  return {
    name,
    binary,
    async run(program, extent) {
      const env = { ...process.env, ...settings, SOJOURN_EXTENT: extent }
      const child = spawn(binary, [...args, program], { env, stdio: ['ignore', 'pipe', 'pipe'] })
      let [lines, errors] = ['', '']
      child.stdout.on('data', (chunk: Buffer) => {
        lines += chunk
      })
      child.stderr.on('data', (chunk: Buffer) => {
        errors += chunk
      })
      const [code] = await once(child, 'close')
      const last = lines.trimEnd().split('\n').at(-1) ?? ''
      // Some runtimes end without an error when nothing is left to wait for, be the program done or not.
      if (code !== 0 || !last.startsWith('{"version"')) {
        throw new Error(`${name} ended with ${code} before the program did: ${errors.slice(-4000)}${last}`)
      }
      return reportOf(lines)
    },
  }
}

/** The report that a program printed: a line for each outcome, and one with the version at the end. */
function reportOf(lines: string): Report {
  const all = linesOf(lines) as (Outcome & { version: string })[]
  const version = all.pop()?.version ?? ''
  return { version, outcomes: all }
}

export function linesOf(lines: string): Outcome[] {
  return lines
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))
}
