import { appendFileSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { type Program, path } from './program.ts'
import { dataFolder, freePort, run, Server, untilPaused } from './server.ts'

const folder = '/usr/lib/postgresql/*/bin'
const INITDB: Program = { name: 'initdb', debian: 'postgresql', folder }
const POSTGRES: Program = { name: 'postgres', debian: 'postgresql', folder }
const BASEBACKUP: Program = { name: 'pg_basebackup', debian: 'postgresql', folder }
const DUMP: Program = { name: 'pg_dump', debian: 'postgresql', folder }
const PGBOUNCER: Program = { name: 'pgbouncer', debian: 'pgbouncer' }

export const POSTGRES_PROGRAMS: readonly Program[] = [INITDB, POSTGRES, BASEBACKUP, DUMP]
export const PGBOUNCER_PROGRAMS: readonly Program[] = [...POSTGRES_PROGRAMS, PGBOUNCER]

/** Settings as in postgresql.conf. */
type Settings = Readonly<Record<string, string>>

/** Tests of what a crash takes set `fsync` to `on`; all others are faster without. */
const FAST: Settings = { fsync: 'off', full_page_writes: 'off', synchronous_commit: 'off' }

/** A real PostgreSQL, with a superuser `postgres` whom it trusts. */
export class Postgres {
  readonly server: Server
  readonly port: number
  /** Where its data is. */
  readonly folder: string
  readonly #remove: () => void
  #administrator: pg.Pool | undefined

  private constructor(server: Server, port: number, folder: string, remove: () => void) {
    this.server = server
    this.port = port
    this.folder = folder
    this.#remove = remove
  }

  /** Makes a database cluster and starts it. */
  static async start(settings: Settings = {}): Promise<Postgres> {
    const data = dataFolder()
    const cluster = join(data.path, 'data')
    run(path(INITDB), [
      ...['-D', cluster, '-U', 'postgres', '--auth=trust', '--no-sync', '--encoding=UTF8'],
      '--locale=C.UTF-8',
    ])
    return Postgres.#run(cluster, { ...FAST, ...settings }, data.remove)
  }

  /** Starts a streaming replica of this one, which it reaches at the port. */
  async replica(port: number, settings: Settings = {}): Promise<Postgres> {
    const data = dataFolder()
    const cluster = join(data.path, 'data')
    const source = (port: number) => `host=127.0.0.1 port=${port} user=postgres application_name=replica`
    run(path(BASEBACKUP), [
      '-d',
      source(this.port),
      '-D',
      cluster,
      '-R',
      '-c',
      'fast',
      '-X',
      'stream',
      '--no-sync',
    ])
    // It overrides what the copy was made with: a wire in this process could not carry that.
    appendFileSync(join(cluster, 'postgresql.auto.conf'), `primary_conninfo = '${source(port)}'\n`)
    return Postgres.#run(cluster, { ...FAST, ...settings }, data.remove)
  }

  static async #run(cluster: string, settings: Settings, remove: () => void): Promise<Postgres> {
    const port = await freePort()
    const lines = Object.entries({
      port: `${port}`,
      listen_addresses: '127.0.0.1',
      unix_socket_directories: '',
      ...settings,
    }).map(([name, value]) => `${name} = '${value}'\n`)
    appendFileSync(join(cluster, 'postgresql.conf'), lines.join(''))
    const server = await Server.start({
      program: path(POSTGRES),
      args: ['-D', cluster],
      isReady: () => answers(url(port)),
    })
    return new Postgres(server, port, cluster, remove)
  }

  /** The URL of its database, for the superuser. */
  get url(): string {
    return url(this.port)
  }

  /** The same, by a wire to it or for another user, such as `app:password`. */
  urlBy({ port = this.port, user = 'postgres' }: { port?: number; user?: string }): string {
    return `postgres://${user}@127.0.0.1:${port}/postgres`
  }

  /** What it says it is, for the table of versions. */
  async version(): Promise<string> {
    const [[version]] = (await this.query('SHOW server_version')) as [[string]]
    return `PostgreSQL ${version.split(' ')[0]}`
  }

  /** Runs a statement, or several, on a connection that nothing else uses. */
  async query(sql: string): Promise<unknown[][]> {
    this.#administrator ??= administrator(this.url)
    const { rows = [] } = await this.#administrator.query({ text: sql, rowMode: 'array' })
    return rows
  }

  /** Kills all of its processes: what one leaves alone would see the others die, and tidy up. */
  async kill(): Promise<void> {
    const pids = this.#backends()
    await this.server.kill()
    for (const pid of pids) send(pid, 'SIGKILL')
    while (pids.some((pid) => send(pid, 0))) await sleep(10)
  }

  async start(): Promise<void> {
    await this.server.start()
  }

  /** It accepts connections, and nothing in it moves any more. */
  pause(): void {
    this.server.pause()
    const pids = this.#backends()
    for (const pid of pids) send(pid, 'SIGSTOP')
    pids.forEach(untilPaused)
  }

  resume(): void {
    for (const pid of this.#backends()) send(pid, 'SIGCONT')
    this.server.resume()
  }

  /** It has a process for each connection, and some of its own. */
  #backends(): number[] {
    const { pid } = this.server
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
    return children.trim().split(' ').filter(Boolean).map(Number)
  }

  /** Makes a replica a server of its own. */
  async promote(): Promise<void> {
    await this.query('SELECT pg_promote(true)')
  }

  /** Stops it and removes its data. */
  async remove(): Promise<void> {
    await this.#administrator?.end()
    await this.kill().catch(() => undefined)
    this.#remove()
  }
}

/** The whole database as text. */
export function dumpOf({ url }: Postgres): string {
  return run(path(DUMP), ['-d', url])
}

function send(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(pid, signal)
  } catch {
    return false
  }
}

function administrator(connectionString: string): pg.Pool {
  const pool = new pg.Pool({ connectionString, max: 1, connectionTimeoutMillis: 10_000 })
  // It is killed, and comes back.
  pool.on('error', () => undefined)
  return pool
}

/** A PgBouncer in front of a PostgreSQL, which gives its few connections away by transaction. */
export class PgBouncer {
  readonly #server: Server
  readonly #remove: () => void
  readonly url: string

  private constructor(server: Server, port: number, remove: () => void) {
    this.#server = server
    this.url = url(port)
    this.#remove = remove
  }

  static async start(target: Postgres): Promise<PgBouncer> {
    const data = dataFolder()
    const port = await freePort()
    const ini = join(data.path, 'pgbouncer.ini')
    const settings = [
      '[databases]',
      `postgres = host=127.0.0.1 port=${target.port} user=postgres`,
      '[pgbouncer]',
      'listen_addr = 127.0.0.1',
      `listen_port = ${port}`,
      'unix_socket_dir =',
      'auth_type = any',
      'pool_mode = transaction',
      // Fewer than a client has, so that connections change hands all the time.
      'default_pool_size = 3',
      'ignore_startup_parameters = extra_float_digits',
    ]
    writeFileSync(ini, `${settings.join('\n')}\n`)
    const server = await Server.start({
      program: path(PGBOUNCER),
      args: [ini],
      isReady: () => answers(url(port)),
    })
    return new PgBouncer(server, port, data.remove)
  }

  async remove(): Promise<void> {
    await this.#server.kill()
    this.#remove()
  }
}

function url(port: number): string {
  return `postgres://postgres@127.0.0.1:${port}/postgres`
}

async function answers(connectionString: string): Promise<void> {
  const client = new pg.Client({ connectionString, connectionTimeoutMillis: 5000 })
  client.on('error', () => undefined)
  await client.connect()
  await client.query('SELECT 1')
  await client.end()
}
