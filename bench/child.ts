import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { availableParallelism } from 'node:os'

/** Whether a process can be kept on one core, which leaves another one to the load. */
export const canPin =
  process.platform === 'linux' &&
  availableParallelism() > 1 &&
  spawnSync('taskset', ['-c', '0,1', 'true']).status === 0

/** Keeps a process, and what it starts from now on, on one core. */
export function pin(pid: number, core: number): void {
  if (canPin) spawnSync('taskset', ['-a', '-cp', String(core), String(pid)])
}

/** A script of this folder in a process of its own that gives one answer to each question, and none before the other. */
export class Child<Question, Answer> {
  readonly #process: ChildProcess
  #complaints = ''

  private constructor(process: ChildProcess) {
    this.#process = process
    process.stderr?.setEncoding('utf8').on('data', (text) => {
      this.#complaints += text
    })
  }

  static async start<Question, Answer>(
    script: string,
    args: string[],
    core: number,
    nodeOptions: string[] = [],
  ): Promise<{ child: Child<Question, Answer>; greeting: unknown }> {
    const node = [process.execPath, ...nodeOptions, new URL(script, import.meta.url).pathname, ...args]
    const [command = '', ...rest] = canPin ? ['taskset', '-c', String(core), ...node] : node
    const child = new Child<Question, Answer>(
      spawn(command, rest, {
        stdio: ['ignore', 'inherit', 'pipe', 'ipc'],
        env: { ...process.env, NODE_ENV: 'production' },
      }),
    )
    return { child, greeting: await child.#answer() }
  }

  ask(question: Question): Promise<Answer> {
    this.#process.send(question as object)
    return this.#answer()
  }

  async stop(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return
    const exit = once(this.#process, 'exit')
    // What has no channel to its parent any more ends by itself.
    this.#process.disconnect()
    await exit
  }

  #answer(): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const done = () => {
        this.#process.off('message', answered).off('exit', ended).off('error', ended)
      }
      const answered = (answer: unknown) => {
        done()
        resolve(answer as Answer)
      }
      const ended = (reason: unknown) => {
        done()
        reject(new Error(`A child process ended (${reason}):\n${this.#complaints}`))
      }
      this.#process.on('message', answered).on('exit', ended).on('error', ended)
    })
  }
}
