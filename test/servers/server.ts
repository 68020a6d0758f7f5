import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { chownSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

/** How to run a server. */
export interface ServerOptions {
  /** The path of the program. */
  program: string
  args: readonly string[]
  /** Resolves when the server answers; rejects, or answers false, while it does not. */
  isReady: () => Promise<unknown>
  env?: Readonly<Record<string, string>>
}

// Far above what any of them takes, as it may share its core with many; one that has ended is noticed at once.
const READY_WITHIN = 200_000
const STOP_WITHIN = 30_000

// Servers refuse to run as root, or ought to.
const user = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {}

const running = new Set<ChildProcess>()
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})

/** A real server on this machine, for as long as a test needs it: started, killed, paused and restarted by its process id. */
export class Server {
  readonly #options: ServerOptions
  #child: ChildProcess | undefined
  #output = ''

  constructor(options: ServerOptions) {
    this.#options = options
  }

  /** Starts it and waits until it answers. */
  static async start(options: ServerOptions): Promise<Server> {
    const server = new Server(options)
    await server.start()
    return server
  }

  get pid(): number {
    const pid = this.#child?.pid
    if (pid === undefined) throw new Error('The server does not run')
    return pid
  }

  /** What it has printed since it was made. */
  get output(): string {
    return this.#output
  }

  async start(): Promise<void> {
    const { program, args, env, isReady } = this.#options
    const child = spawn(program, args, {
      ...user,
      cwd: tmpdir(),
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    this.#child = child
    running.add(child)
    const collect = (chunk: Buffer) => {
      this.#output = (this.#output + chunk).slice(-20_000)
    }
    child.stdout?.on('data', collect)
    child.stderr?.on('data', collect)
    child.once('close', () => running.delete(child))
    child.once('error', collect)
    const until = performance.now() + READY_WITHIN
    while (!(await answers(isReady))) {
      if (child.exitCode !== null || child.signalCode !== null || performance.now() > until) {
        await this.kill()
        throw new Error(`${program} did not start:\n${this.#output}`)
      }
      await sleep(20)
    }
  }

  /** As a power switch would: `SIGKILL`, in the middle of whatever it does. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL')
  }

  /** Lets it end in order. */
  async stop(): Promise<void> {
    await this.#end('SIGTERM')
  }

  /** It accepts connections, and answers nothing any more. */
  pause(): void {
    process.kill(this.pid, 'SIGSTOP')
    untilPaused(this.pid)
  }

  resume(): void {
    process.kill(this.pid, 'SIGCONT')
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    const closed = once(child, 'close')
    child.kill(signal)
    const late = setTimeout(() => child.kill('SIGKILL'), STOP_WITHIN)
    await closed
    clearTimeout(late)
  }
}

/** Waits until a process has obeyed its `SIGSTOP`: each of its threads does a moment later, and may answer until then. */
export function untilPaused(pid: number): void {
  while (!isPaused(pid)) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1)
}

/** Whether all threads of a process stand still, or it is gone. */
function isPaused(pid: number): boolean {
  const threads = `/proc/${pid}/task`
  const states = textsOf(() => readdirSync(threads)).map((thread) => `${threads}/${thread}/stat`)
  return states.every((path) => textsOf(() => [readFileSync(path, 'utf8')]).every(saysPaused))
}

/** A thread or a process that has ended meanwhile has nothing to say. */
function textsOf(read: () => string[]): string[] {
  try {
    return read()
  } catch {
    return []
  }
}

/** The state stands after the name, which is in brackets. */
function saysPaused(stat: string): boolean {
  return /\) [TtZX] \d/.test(stat)
}

/** Runs a program to its end as the user that servers run as. @throws with its output when it fails. */
export function run(
  program: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): string {
  const options = { ...user, cwd: tmpdir(), encoding: 'utf8', env: { ...process.env, ...env } } as const
  const { status, error, stdout, stderr } = spawnSync(program, args, options)
  if (status === 0) return stdout
  throw new Error(`${program} failed: ${error?.message ?? ''}\n${stdout}${stderr}`)
}

/** A folder for the data of a server. It belongs to the user that servers run as. */
export function dataFolder(parent: string = tmpdir()): { path: string; remove(): void } {
  const path = mkdtempSync(join(parent, 'sojourn-server-'))
  if (user.uid !== undefined) chownSync(path, user.uid, user.gid)
  return { path, remove: () => rmSync(path, { recursive: true, force: true, maxRetries: 3 }) }
}

/**
 * Ports that nobody listens at, and that no other test is given as long as this process runs: servers that are killed
 * find theirs free again. Below the range from which the system gives ports to connections.
 */
export async function freePorts(count: number): Promise<number[]> {
  const ports = new Set<number>()
  while (ports.size < count) {
    const port = 20_000 + Math.floor(Math.random() * 12_000)
    if (await claim(port)) ports.add(port)
  }
  return [...ports]
}

export async function freePort(): Promise<number> {
  const [port = 0] = await freePorts(1)
  return port
}

/** Whether something accepts connections at the port. */
export function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}

async function answers(isReady: () => Promise<unknown>): Promise<boolean> {
  try {
    return (await isReady()) !== false
  } catch {
    return false
  }
}

/**
 * Takes the port for this process, among those that ask. None of the servers here speaks UDP, so that port of the same
 * number is the mark of who has it: the system gives it to one process only, and takes it back however that one ends.
 */
async function claim(port: number): Promise<boolean> {
  const mark = createSocket('udp4').unref()
  const isMine = await new Promise((resolve) => {
    mark.once('error', () => resolve(false))
    mark.bind({ port, address: '127.0.0.1', exclusive: true }, () => resolve(true))
  })
  if (isMine && (await isFree(port))) return true
  mark.close()
  return false
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
}
