import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Dynalite } from '../test/servers/dynalite.ts'
import { ETCD, urlOf as etcdUrl, startEtcd } from '../test/servers/etcd.ts'
import { MEMCACHED, startMemcached } from '../test/servers/memcached.ts'
import { MARIADB, SCHEMA, startDatabase } from '../test/servers/mysql.ts'
import { NATS, urlOf as natsUrl, startNats } from '../test/servers/nats.ts'
import { POSTGRES_PROGRAMS, Postgres } from '../test/servers/postgres.ts'
import { find, type Program } from '../test/servers/program.ts'
import { REDIS_7, standaloneRedis } from '../test/servers/redis.ts'
import { dataFolder } from '../test/servers/server.ts'

/** Where sessions are kept for a measurement: a folder or a server of its own, with nothing in it. */
export interface Place {
  kind: Kind
  /** What `storeFromUrl` opens. */
  url: string
  /** Name and version of the server. */
  server: string
  /** The process of the server, for its memory; none for folders. */
  pid: number | undefined
  remove(): Promise<void>
}

export const kinds = [
  'memory',
  'sqlite',
  'file',
  'postgres',
  'mariadb',
  'redis',
  'memcached',
  'nats',
  'etcd',
  'dynamodb',
] as const
export type Kind = (typeof kinds)[number]

/** What each kind needs that npm does not bring. */
const PROGRAMS: Partial<Record<Kind, readonly Program[]>> = {
  postgres: POSTGRES_PROGRAMS,
  mariadb: [MARIADB],
  redis: [REDIS_7],
  memcached: [MEMCACHED],
  nats: [NATS],
  etcd: [ETCD],
}

/** The kinds that this machine has what they need for; of others it is said which command installs it. */
export function available(wanted: readonly Kind[]): Kind[] {
  return wanted.filter((kind) => {
    const missing = PROGRAMS[kind]?.find((program) => !find(program))
    if (missing) console.error(`Without ${kind}: apt-get install ${missing.debian}`)
    return !missing
  })
}

/** Starts what the kind needs, with the settings that the server has by itself where they concern what a crash takes. */
export function startPlace(kind: Kind): Promise<Place> {
  return STARTS[kind]()
}

const STARTS: Record<Kind, () => Promise<Place>> = {
  memory: async () => ({
    kind: 'memory',
    url: 'memory:',
    server: 'in the process',
    pid: undefined,
    remove: async () => undefined,
  }),
  sqlite: () => folder('sqlite', 'sessions.db', `SQLite ${process.versions['sqlite']}`),
  file: () => folder('file', 'sessions', 'files'),
  async postgres() {
    const safe = { fsync: 'on', full_page_writes: 'on', synchronous_commit: 'on', shared_buffers: '256MB' }
    const postgres = await Postgres.start(safe)
    return {
      kind: 'postgres',
      url: postgres.url,
      server: await postgres.version(),
      pid: postgres.server.pid,
      remove: () => postgres.remove(),
    }
  },
  async mariadb() {
    const data = dataFolder()
    // Where several servers put what they sort, each that starts removes what the others left.
    const args = ['--innodb-buffer-pool-size=256M', `--tmpdir=${data.path}`]
    const database = await startDatabase(MARIADB, { args, folder: data })
    return {
      kind: 'mariadb',
      url: `mariadb://root@127.0.0.1:${database.port}/${SCHEMA}`,
      server: database.version,
      pid: database.server.pid,
      remove: () => database.remove(),
    }
  },
  async redis() {
    const { target, version, servers, stop } = await standaloneRedis()
    if (target.kind !== 'standalone') throw new Error('One server was asked for')
    const url = `redis://127.0.0.1:${target.port}`
    return { kind: 'redis', url, server: version, pid: servers.get(target.port)?.pid, remove: stop }
  },
  async memcached() {
    const { server, address } = await startMemcached(['-m', '2048'])
    const remove = () => server.kill()
    return { kind: 'memcached', url: `memcached://${address}`, server: 'memcached', pid: server.pid, remove }
  },
  async nats() {
    const servers = await startNats(1, NATS)
    const { version, nodes, stop } = servers
    return { kind: 'nats', url: natsUrl(servers), server: version, pid: nodes[0]?.pid, remove: stop }
  },
  async etcd() {
    const nodes = await startEtcd(1)
    const pid = nodes.nodes[0]?.pid
    return { kind: 'etcd', url: etcdUrl(nodes), server: nodes.version, pid, remove: nodes.stop }
  },
  // In this process.
  async dynamodb() {
    const emulator = await Dynalite.start()
    const url = `dynamodb://127.0.0.1:${emulator.port}/${await emulator.createTable()}`
    const remove = () => emulator.close()
    return { kind: 'dynamodb', url, server: emulator.name, pid: undefined, remove }
  },
}

async function folder(kind: 'sqlite' | 'file', name: string, server: string): Promise<Place> {
  const path = await mkdtemp(join(tmpdir(), 'sojourn-bench-'))
  const remove = () => rm(path, { recursive: true, force: true })
  return { kind, url: `${kind}:${join(path, name)}`, server, pid: undefined, remove }
}
