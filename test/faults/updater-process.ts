import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import type { Attempt, Job } from './job.ts'

const PROGRAM = new URL('./workers/updater.ts', import.meta.url).pathname
const running = new Set<ChildProcess>()
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})

/** An update that has been heard of: of which process, in the session of which id, and what became of it. */
export interface Update extends Omit<Attempt, 'of'> {
  process: string
  id: string
}

/** One process of a site, and what it has printed. */
export class UpdaterProcess {
  readonly job: Job
  readonly attempts: Attempt[] = []
  /** When each attempt was reported, by the monotonic clock. */
  readonly #times: number[] = []
  readonly #child: ChildProcess
  readonly #closed: Promise<unknown>
  #errors = ''
  #isKilled = false
  endedByItself = true

  constructor(job: Job) {
    this.job = job
    const args = ['--no-warnings', PROGRAM, JSON.stringify(job)]
    this.#child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'pipe'] })
    running.add(this.#child)
    const { stdin, stdout, stderr } = this.#child
    if (!stdout || !stderr) throw new Error('There are no pipes')
    // A process that has died does not listen any more; `isRunning` says so.
    stdin?.on('error', () => undefined)
    stderr.on('data', (chunk) => {
      this.#errors = (this.#errors + chunk).slice(-10_000)
    })
    const lines = createInterface({ input: stdout }).on('line', (line) => this.#note(line))
    this.#closed = Promise.all([once(this.#child, 'close'), once(lines, 'close')])
    this.#child.once('close', () => running.delete(this.#child))
  }

  get isKilled(): boolean {
    return this.#isKilled
  }

  /** @throws when the process ended although nobody had told it to. */
  expectRunning(): void {
    const { exitCode, signalCode } = this.#child
    if (this.#isKilled || (exitCode === null && signalCode === null)) return
    throw new Error(`Process ${this.job.name} ended with ${exitCode ?? signalCode}:\n${this.#errors}`)
  }

  acknowledged(of: Attempt['of']): number {
    return this.attempts.filter((attempt) => attempt.of === of && attempt.outcome === 'acknowledged').length
  }

  get updates(): Update[] {
    const { name, ids } = this.job
    return this.attempts.map(({ of, ...attempt }) => ({ process: name, id: ids[of], ...attempt }))
  }

  /** How many updates have failed so far. */
  get failures(): number {
    return this.attempts.filter(({ failure }) => failure).length
  }

  /** The longest time, in milliseconds, in which no update of the session was acknowledged. */
  longestPause(of: Attempt['of']): number {
    const times = this.#times.filter((_, i) => {
      const attempt = this.attempts[i]
      return attempt?.of === of && attempt.outcome === 'acknowledged'
    })
    return Math.max(0, ...times.slice(1).map((time, i) => time - (times[i] ?? time)))
  }

  async kill(): Promise<void> {
    this.expectRunning()
    this.#isKilled = true
    this.#child.kill('SIGKILL')
    await this.#closed
  }

  /** Tells it to stop, and waits until it has ended by itself, or for so many milliseconds. */
  async stop(within: number): Promise<void> {
    if (this.#isKilled) return
    this.expectRunning()
    this.#child.stdin?.end()
    const late = setTimeout(() => {
      this.endedByItself = false
      this.#child.kill('SIGKILL')
    }, within)
    await this.#closed
    clearTimeout(late)
    if (this.endedByItself && this.#child.exitCode !== 0) {
      throw new Error(`Process ${this.job.name} ended with ${this.#child.exitCode}:\n${this.#errors}`)
    }
  }

  #note(line: string): void {
    // The last line of a process that was killed may be half a line.
    if (!line.endsWith('}')) return
    this.attempts.push(JSON.parse(line) as Attempt)
    this.#times.push(performance.now())
  }
}
