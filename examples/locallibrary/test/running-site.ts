import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from '../../../test/servers/server.ts'

const server = join(import.meta.dirname, '../src/server.ts')

/** The real server, as `npm start` runs it, in a process of its own. */
export class RunningSite {
  readonly url: string
  readonly #child: ChildProcess

  private constructor(url: string, child: ChildProcess) {
    this.url = url
    this.#child = child
  }

  /** Starts a server and waits until it says where it answers. */
  static async start(env: Record<string, string>): Promise<RunningSite> {
    const { child, output } = run({ PORT: String(await freePort()), ...env })
    const url = await new Promise<string>((resolve, reject) => {
      child.stdout?.on('data', () => {
        const [found] = /http:\/\/\S+/.exec(output()) ?? []
        if (found) resolve(found)
      })
      child.on('exit', () => reject(new Error(`The site did not start:\n${output()}`)))
    })
    return new RunningSite(url, child)
  }

  get port(): string {
    return new URL(this.url).port
  }

  async stop(signal: 'SIGTERM' | 'SIGINT' | 'SIGKILL' = 'SIGTERM'): Promise<number | null> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      const exit = once(this.#child, 'exit')
      this.#child.kill(signal)
      await exit
    }
    return this.#child.exitCode
  }
}

/** Runs a server that is expected to refuse to start. */
export async function runUntilExit(env: Record<string, string>): Promise<{ code: number; output: string }> {
  const { child, output } = run({ PORT: '0', ...env })
  const [code] = await once(child, 'close')
  return { code, output: output() }
}

export function tempFolder(): { path: string; remove: () => void } {
  const path = mkdtempSync(join(tmpdir(), 'locallibrary-'))
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) }
}

function run(env: Record<string, string>): { child: ChildProcess; output: () => string } {
  // Vitest's NODE_ENV=test is not how anybody runs the site.
  const { NODE_ENV: _, ...inherited } = process.env
  const child = spawn(process.execPath, [server], {
    env: { ...inherited, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let text = ''
  const collect = (chunk: Buffer) => {
    text += chunk
  }
  child.stdout.on('data', collect)
  child.stderr.on('data', collect)
  return { child, output: () => text }
}
