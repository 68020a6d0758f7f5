import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { onTestFinished } from 'vitest'
import { JOB, type Job } from '../../src/testing/store-contract-worker.ts'

function program(name: string): string {
  return new URL(`./workers/${name}.ts`, import.meta.url).pathname
}

/** Runs a job of the store contract in a process of its own. */
export async function runJob(args: string[], job: Job): Promise<void> {
  const child = spawn(process.execPath, [program('contract'), ...args], {
    env: { ...process.env, [JOB]: JSON.stringify(job) },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  const [errors, [code]] = await Promise.all([text(child.stderr), once(child, 'close')])
  if (code !== 0) throw new Error(`The worker ended with ${code}: ${errors}`)
}

/** A process that writes until it is killed. */
export class Writer {
  readonly #child: ChildProcess
  #output = ''
  #errors = ''

  constructor(args: string[]) {
    this.#child = spawn(process.execPath, [program('writer'), ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
    this.#child.stdout?.on('data', (chunk) => {
      this.#output += chunk
    })
    this.#child.stderr?.on('data', (chunk) => {
      this.#errors += chunk
    })
    onTestFinished(() => void this.#child.kill('SIGKILL'))
  }

  /** The last number that the store has acknowledged to it. */
  get acknowledged(): number {
    return Number(this.#output.split('\n').at(-2) ?? 0)
  }

  async started(): Promise<void> {
    while (this.#output === '') {
      if (this.#child.exitCode !== null) throw new Error(this.#errors)
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
  }

  /** Kills it in the middle of whatever it does, and answers the last number that was acknowledged. */
  async kill(): Promise<number> {
    if (this.#child.exitCode !== null) throw new Error(this.#errors)
    this.#child.kill('SIGKILL')
    await once(this.#child, 'close')
    return this.acknowledged
  }
}

/** Opens a store in a process that is not root, and tells how opening, reading and creating went. */
export async function attemptAsNobody(args: string[]): Promise<Record<'open' | 'read' | 'create', string>> {
  const nobody = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {}
  const child = spawn(process.execPath, ['--no-warnings', program('attempt'), ...args], {
    ...nobody,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [output] = await Promise.all([text(child.stdout), once(child, 'close')])
  return JSON.parse(output)
}
