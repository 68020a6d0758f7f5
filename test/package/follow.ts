import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { delimiter, dirname, join } from 'node:path'
import { createInterface } from 'node:readline'

const FREE_PORT = join(import.meta.dirname, 'free-port.mjs')

/** Does what a page says in a folder, up to a site that serves, on a free port. @param binary - the runtime that serves */
export async function serve(commands: string, folder: string, binary: string) {
  // Deno takes the port from its own command line, beside which no other may be used.
  const child = spawn('sh', ['-ec', commands.replace('--port 3000', '--port 0')], {
    cwd: folder,
    // No more than a new user has: NODE_ENV, say, is the test runner's.
    env: {
      PATH: [dirname(binary), dirname(process.execPath), process.env['PATH']].join(delimiter),
      HOME: process.env['HOME'],
      NODE_OPTIONS: `--import=${FREE_PORT}`,
      BUN_OPTIONS: `--preload=${FREE_PORT}`,
    },
    // A group of its own, since what serves may be a child of the shell.
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  return {
    origin: `http://localhost:${await portOf(child)}`,
    async stop(): Promise<void> {
      if (child.exitCode !== null || !child.pid) return
      process.kill(-child.pid)
      await once(child, 'exit')
    },
  }
}

/** The port that a program says it listens on: by what was loaded in front of it, or by Deno itself. */
function portOf(child: ChildProcess): Promise<string> {
  const { stdout, stderr } = child
  if (!stdout || !stderr) throw new Error('It has no output')
  let output = ''
  return new Promise((resolve, reject) => {
    for (const stream of [stdout, stderr]) {
      createInterface(stream).on('line', (line) => {
        output += `${line}\n`
        const port = /listens on port (\d+)$|Listening on http:\/\/[\d.]+:(\d+)\//.exec(line)
        if (port) resolve(port[1] ?? port[2] ?? '')
      })
    }
    child.once('close', () => reject(new Error(`It ended before it served: ${output}`)))
  })
}
