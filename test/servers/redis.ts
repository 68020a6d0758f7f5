import { rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { onTestFinished } from 'vitest'
import { type Program, path } from './program.ts'
import { dataFolder, freePorts, run, Server } from './server.ts'

/** The servers that tests run on. The first comes with Debian's stable suite. */
export const REDIS_SERVERS: readonly Program[] = [
  { name: 'redis-server', debian: 'redis-server' },
  { name: 'redis-server', debian: 'redis-server redis-tools', newer: { suite: 'trixie', folder: 'redis-8' } },
  {
    name: 'valkey-server',
    debian: 'valkey-server valkey-tools',
    newer: { suite: 'bookworm-backports', folder: 'valkey-8' },
  },
  {
    name: 'valkey-server',
    debian: 'valkey-server valkey-tools',
    newer: { suite: 'sid', folder: 'valkey-9' },
  },
]

export const [REDIS_7] = REDIS_SERVERS as readonly [Program, ...Program[]]

/** How clients reach what runs here. It goes to other processes as JSON. */
export type RedisTarget =
  | { kind: 'standalone'; port: number; password?: string }
  | { kind: 'sentinel'; sentinels: number[]; name: string }
  | { kind: 'cluster'; ports: number[] }

/** Servers that belong together. */
export interface RedisServers {
  target: RedisTarget
  /** Name and version, as the server says. */
  version: string
  /** Every server that keeps data, by its port. */
  servers: ReadonlyMap<number, Server>
  /** Sends a command to one of them, by a connection of its own. */
  ask(port: number, ...command: string[]): Promise<unknown>
  /** The ports of those that are masters now. */
  masters(): Promise<number[]>
  /** The ports of the replicas of a master. */
  replicas(master: number): Promise<number[]>
  /** Takes what one that does not run has on its disk, but for what it knows of its cluster. */
  wipe(port: number): void
  stop(): Promise<void>
}

/** One server, with nothing on disk unless it is told otherwise. */
export async function standaloneRedis(
  program: Program = REDIS_7,
  ...settings: string[]
): Promise<RedisServers> {
  const ports = await freePorts(1)
  const [port = 0] = ports
  const group = new Group(program)
  await group.start(port, settings)
  return group.whole({ kind: 'standalone', port })
}

/** When Sentinels and clusters take a server for dead that does not answer: never, on a machine that is only slow. */
const NEVER = 600_000

/**
 * A master, two replicas, and three Sentinels that watch them.
 * @param failsOverAfter milliseconds without an answer
 * @param settings of each of them but the Sentinels
 */
export async function sentinelRedis(
  failsOverAfter: number = NEVER,
  ...settings: string[]
): Promise<RedisServers> {
  const program = REDIS_7
  const ports = await freePorts(6)
  const [master = 0, ...replicas] = ports.slice(0, 3)
  const sentinels = ports.slice(3)
  const group = new Group(program)
  await group.start(master, settings)
  const replicaOf = ['--replicaof', `127.0.0.1 ${master}`]
  await Promise.all(replicas.map((port) => group.start(port, [...replicaOf, ...settings])))
  await until(async () => (await group.ask(master, 'INFO', 'replication'))?.includes('connected_slaves:2'))
  await Promise.all(sentinels.map((port) => group.startSentinel(port, master, failsOverAfter)))
  await until(async () => {
    const known = await group.ask(sentinels[0] ?? 0, 'SENTINEL', 'MASTER', 'sessions')
    const fact = (name: string) =>
      String(known)
        .split(',')
        .at(String(known).split(',').indexOf(name) + 1)
    return fact('num-slaves') === '2' && fact('num-other-sentinels') === '2'
  })
  return group.whole({ kind: 'sentinel', sentinels, name: 'sessions' })
}

/**
 * Three masters, each with a replica.
 * @param failsOverAfter milliseconds without an answer
 */
export async function clusterRedis(
  failsOverAfter: number = NEVER,
  ...settings: string[]
): Promise<RedisServers> {
  const program = REDIS_7
  const ports = await freePorts(12)
  const nodes = ports.slice(0, 6)
  const group = new Group(program)
  await Promise.all(
    nodes.map((port, i) => {
      const bus = String(ports[6 + i])
      const cluster = ['--cluster-enabled', 'yes', '--cluster-node-timeout', '2000', '--cluster-port', bus]
      return group.start(port, [...cluster, ...settings])
    }),
  )
  const cli = join(dirname(path(program)), program.name.replace('server', 'cli'))
  const addresses = nodes.map((port) => `127.0.0.1:${port}`)
  run(cli, ['--cluster', 'create', ...addresses, '--cluster-replicas', '1', '--cluster-yes'])
  const whole = group.whole({ kind: 'cluster', ports: nodes })
  // Ready are slots before replicas, and replicas before their masters have told everybody.
  await until(async () => {
    for (const port of nodes) {
      const info = String(await group.ask(port, 'CLUSTER', 'INFO'))
      const known = String(await group.ask(port, 'CLUSTER', 'NODES'))
      if (!info.includes('cluster_state:ok') || known.match(/\bslave\b.* connected/g)?.length !== 3)
        return false
      const link = String(await group.ask(port, 'INFO', 'replication'))
      if (!link.includes('connected_slaves:1') && !link.includes('master_link_status:up')) return false
    }
    return true
  })
  // With a short one they find together sooner.
  for (const port of nodes)
    await group.ask(port, 'CONFIG', 'SET', 'cluster-node-timeout', `${failsOverAfter}`)
  return whole
}

/** Servers of one program, each with a folder of its own. */
class Group {
  readonly #program: Program
  readonly #servers = new Map<number, Server>()
  readonly #sentinels: Server[] = []
  readonly #folders = new Map<number, { path: string; remove(): void }>()
  #password: string | undefined

  constructor(program: Program) {
    this.#program = program
  }

  async start(port: number, settings: readonly string[]): Promise<void> {
    const folder = this.#folder(port)
    if (settings.includes('--requirepass')) this.#password = settings[settings.indexOf('--requirepass') + 1]
    const basics = ['--port', `${port}`, '--bind', '127.0.0.1', '--dir', folder, '--save', '']
    const quick = ['--repl-diskless-sync-delay', '0', '--repl-timeout', '10']
    const server = new Server({
      program: path(this.#program),
      args: [...basics, ...quick, ...settings],
      isReady: () => this.ask(port, 'PING'),
    })
    this.#servers.set(port, server)
    await server.start()
  }

  async startSentinel(port: number, master: number, failsOverAfter: number): Promise<void> {
    const folder = this.#folder(port)
    const monitor = ['--sentinel', 'monitor', 'sessions', '127.0.0.1', `${master}`, '2']
    const quick = ['--sentinel', 'down-after-milliseconds', 'sessions', `${failsOverAfter}`]
    const quicker = ['--sentinel', 'failover-timeout', 'sessions', '3000']
    const server = await Server.start({
      program: '/bin/sh',
      // It keeps what it learns in its configuration, which must be a file.
      args: [
        '-c',
        'touch "$0" && exec "$@"',
        join(folder, 'sentinel.conf'),
        path(this.#program),
        join(folder, 'sentinel.conf'),
        '--sentinel',
        ...['--port', `${port}`, '--bind', '127.0.0.1', '--dir', folder],
        ...monitor,
        ...quick,
        ...quicker,
      ],
      isReady: () => this.ask(port, 'PING'),
    })
    this.#sentinels.push(server)
  }

  async ask(port: number, name: string, ...args: string[]): Promise<string> {
    const client = new Redis(port, '127.0.0.1', {
      lazyConnect: true,
      ...(this.#password === undefined ? {} : { password: this.#password }),
      retryStrategy: () => null,
      maxRetriesPerRequest: 0,
    })
    // Each call says by itself what went wrong.
    client.on('error', () => undefined)
    try {
      await client.connect()
      return String(await client.call(name, ...args))
    } finally {
      client.disconnect()
    }
  }

  async whole(target: RedisTarget): Promise<RedisServers> {
    const [first = 0] = this.#servers.keys()
    const info = await this.ask(first, 'INFO', 'server').catch(() => '')
    const [, valkey] = /^valkey_version:(\S+)/m.exec(info) ?? []
    const [, redis = ''] = /^redis_version:(\S+)/m.exec(info) ?? []
    return {
      target,
      version: valkey ? `Valkey ${valkey}` : `Redis ${redis}`,
      servers: this.#servers,
      ask: (port, name = '', ...args) => this.ask(port, name, ...args),
      masters: () => this.#masters(),
      replicas: (master) => this.#replicas(master),
      wipe: (port) => this.#wipe(port),
      stop: () => this.#stop(),
    }
  }

  async #masters(): Promise<number[]> {
    const roles = [...this.#servers.keys()].map(async (port) => {
      const role = await this.ask(port, 'ROLE').catch(() => '')
      return role.startsWith('master') ? [port] : []
    })
    return (await Promise.all(roles)).flat()
  }

  async #replicas(master: number): Promise<number[]> {
    const roles = [...this.#servers.keys()].map(async (port) => {
      const role = await this.ask(port, 'ROLE').catch(() => '')
      return role.startsWith(`slave,127.0.0.1,${master},`) ? [port] : []
    })
    return (await Promise.all(roles)).flat()
  }

  #wipe(port: number): void {
    const { path = '' } = this.#folders.get(port) ?? {}
    rmSync(join(path, 'appendonlydir'), { recursive: true })
  }

  #folder(port: number): string {
    const folder = dataFolder()
    this.#folders.set(port, folder)
    return folder.path
  }

  async #stop(): Promise<void> {
    await Promise.all([...this.#sentinels, ...this.#servers.values()].map((server) => server.kill()))
    for (const folder of this.#folders.values()) folder.remove()
  }
}

/** Servers that live as long as the test. */
export async function ofTest(starting: Promise<RedisServers>): Promise<RedisServers> {
  const servers = await starting
  onTestFinished(() => servers.stop())
  return servers
}

/** Waits for a state, however long a busy machine takes; the test's own limit ends it. */
export async function until(isSo: () => Promise<unknown>): Promise<void> {
  for (;;) {
    if (await isSo().catch(() => false)) return
    await sleep(50)
  }
}
