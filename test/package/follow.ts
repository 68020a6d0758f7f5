import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { delimiter, dirname, join } from 'node:path'
import { createInterface } from 'node:readline'

const FREE_PORT = join(import.meta.dirname, 'free-port.mjs')

/** A site that serves. */
export interface Followed {
  readonly origin: string
  /** What all commands have printed so far. */
  readonly output: string
  stop(): Promise<void>
}

/**
 * Does what a page says in a folder, up to a site that serves, on a free port.
 * @param binary - the runtime that serves
 * @param settings - what is added to the environment of a new user
 */
export async function serve(
  commands: string,
  folder: string,
  binary: string,
  { NODE_OPTIONS = '', ...settings }: Record<string, string> = {},
): Promise<Followed> {
  const child = spawn('sh', ['-ec', onFreePort(commands)], {
    cwd: folder,
    // No more than a new user has: NODE_ENV, say, is the test runner's.
    env: {
      PATH: [dirname(binary), dirname(process.execPath), process.env['PATH']].join(delimiter),
      HOME: process.env['HOME'],
      NODE_OPTIONS: `--import=${FREE_PORT} ${NODE_OPTIONS}`,
      BUN_OPTIONS: `--preload=${FREE_PORT}`,
      ...settings,
    },
    // A group of its own, since what serves may be a child of the shell.
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const lines: string[] = []
  const port = await portOf(child, lines)
  return {
    origin: `http://localhost:${port}`,
    get output() {
      return lines.join('\n')
    },
    async stop(): Promise<void> {
      if (child.exitCode !== null || !child.pid) return
      process.kill(-child.pid)
      // Not when the shell has ended, before what it had started.
      await once(child, 'close')
    },
  }
}

/** What is said on the command line of Deno only, which knows no options of the environment. */
function onFreePort(commands: string): string {
  // Its own server takes the port from there, beside which no other may be used.
  return commands.replace('--port 3000', '--port 0').replace('deno run ', `deno run --preload=${FREE_PORT} `)
}

/**
 * The port that a program says it listens on: by what was loaded in front of it, or by Deno itself.
 * @param lines - where all that it prints is put
 */
function portOf(child: ChildProcess, lines: string[]): Promise<string> {
  const { stdout, stderr } = child
  if (!stdout || !stderr) throw new Error('It has no output')
  return new Promise((resolve, reject) => {
    for (const stream of [stdout, stderr]) {
      createInterface(stream).on('line', (line) => {
        lines.push(line)
        const port = /listens on port (\d+)$|Listening on http:\/\/[\d.]+:(\d+)\//.exec(line)
        if (port) resolve(port[1] ?? port[2] ?? '')
      })
    }
    child.once('close', () => reject(new Error(`It ended before it served: ${lines.join('\n')}`)))
  })
}
