import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { onTestFinished } from 'vitest'

/** The stores that several processes share, and what they are called in a folder. */
export const STORES = [
  { kind: 'path', name: 'sessions.db' },
  { kind: 'file', name: 'sessions' },
]

function start(program: string, args: string[]): ChildProcess {
  const path = new URL(`./workers/${program}.ts`, import.meta.url).pathname
  return spawn(process.execPath, ['--no-warnings', path, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
}

/** Runs a program in a process of its own, and answers what it printed. */
export async function run(program: string, args: string[]): Promise<string> {
  const child = start(program, args)
  if (!child.stdout || !child.stderr) throw new Error('There are no pipes')
  const [output, errors, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close'),
  ])
  if (code !== 0) throw new Error(`The worker ended with ${code}: ${errors}`)
  return output
}

/** A web server in a process of its own. */
export class Server {
  readonly #child: ChildProcess
  readonly origin: string

  private constructor(child: ChildProcess, origin: string) {
    this.#child = child
    this.origin = origin
  }

  static async start(args: string[]): Promise<Server> {
    const child = start('server', args)
    onTestFinished(() => void child.kill('SIGKILL'))
    let errors = ''
    child.stderr?.on('data', (chunk) => {
      errors += chunk
    })
    const port = await Promise.race([
      once(child.stdout ?? child, 'data').then(([chunk]) => Number(chunk)),
      once(child, 'close').then(() => Promise.reject(new Error(errors))),
    ])
    return new Server(child, `http://127.0.0.1:${port}`)
  }

  /** Kills it in the middle of whatever it does. */
  async kill(): Promise<void> {
    const closed = once(this.#child, 'close')
    this.#child.kill('SIGKILL')
    await closed
  }
}

/** All bytes under a folder, as a thief copies them. */
export function bytesUnder(folder: string): string {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, name))
    .filter((path) => statSync(path).isFile())
    .map((path) => `${path}\n${readFileSync(path, 'latin1')}`)
    .join('\n')
}

/** What a text of base64url spells, as it would stand in there: so are keys of sessions kept in SQLite. */
export function spelledBy(text: string): string {
  return Buffer.from(text, 'base64url').toString('latin1')
}
