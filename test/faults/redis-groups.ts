import { clusterRedis, type RedisServers, sentinelRedis, until } from '../servers/redis.ts'
import { type Found, look } from './kept.ts'
import { source } from './redis-sources.ts'

/** Masters with replicas, as they are started; and whether a master has all sessions. */
export const GROUPS = [
  { name: 'under Sentinel', start: sentinelRedis, holds: 'all' },
  { name: 'in a cluster', start: clusterRedis, holds: 'some' },
] as const

const LONG = '600000'

/** The master that has the most of the sessions. */
export async function busiest({ ask, masters }: RedisServers): Promise<number> {
  const sizes = (await masters()).map(async (port) => [Number(await ask(port, 'DBSIZE')), port] as const)
  return (await Promise.all(sizes)).sort(([a], [b]) => b - a)[0]?.[1] ?? 0
}

/** A master that is cut off from its replicas while clients still reach it. */
export class Parted {
  readonly #group: RedisServers
  readonly #master: number
  readonly #replicas: readonly number[]
  readonly #ids: readonly string[]
  /** What it had of its sessions when it was parted; so much its replicas have. */
  readonly before: ReadonlyMap<string, Found>

  private constructor(
    group: RedisServers,
    master: number,
    replicas: readonly number[],
    before: ReadonlyMap<string, Found>,
  ) {
    this.#group = group
    this.#master = master
    this.#replicas = replicas
    this.#ids = [...before.keys()]
    this.before = before
  }

  /** Lets the replicas receive all there is, and nothing from then on. */
  static async from(group: RedisServers, master: number, ids: readonly string[]): Promise<Parted> {
    const { ask, replicas, servers } = group
    const its = await replicas(master)
    await ask(master, 'CLIENT', 'PAUSE', LONG, 'WRITE')
    await until(async () => haveAll(its.length, String(await ask(master, 'INFO', 'replication'))))
    for (const replica of its) servers.get(replica)?.pause()
    // What had been sent to one that stands still would be read when it goes on: there is no connection to send it by.
    await ask(master, 'CLIENT', 'KILL', 'TYPE', 'replica')
    await until(async () => String(await ask(master, 'INFO', 'replication')).includes('connected_slaves:0'))
    const before = await look(source('redis', { kind: 'standalone', port: master }), ids)
    await ask(master, 'CLIENT', 'UNPAUSE')
    return new Parted(group, master, its, before)
  }

  /** Lets the master write nothing more. Answers what it has by then. */
  async halt(): Promise<ReadonlyMap<string, Found>> {
    await this.#group.ask(this.#master, 'CLIENT', 'PAUSE', LONG, 'WRITE')
    return look(source('redis', { kind: 'standalone', port: this.#master }), this.#ids)
  }

  /**
   * Kills the master, and gives its place to a replica. By command, since servers that look for dead ones by
   * themselves may take one for dead, on a busy machine, that only waits for its turn.
   */
  async replace(): Promise<void> {
    const { ask, servers, target } = this.#group
    await servers.get(this.#master)?.kill()
    for (const replica of this.#replicas) servers.get(replica)?.resume()
    if (target.kind === 'sentinel') {
      const [sentinel = 0] = target.sentinels
      await until(async () => {
        const known = String(await ask(sentinel, 'SENTINEL', 'MASTER', target.name))
        if (!known.includes(`,port,${this.#master},`)) return true
        // It refuses as long as it has heard of no replica that goes on.
        if (!known.includes('failover_in_progress')) await ask(sentinel, 'SENTINEL', 'FAILOVER', target.name)
        return false
      })
    }
    const [replica = 0] = this.#replicas
    if (target.kind === 'cluster') {
      await until(async () => {
        if (String(await ask(replica, 'ROLE')).startsWith('master')) return true
        await ask(replica, 'CLUSTER', 'FAILOVER', 'FORCE')
        return false
      })
    }
  }
}

/** Whether so many replicas have all that the master has written, as it says. */
function haveAll(replicas: number, info: string): boolean {
  const [, written] = /^master_repl_offset:(\d+)/m.exec(info) ?? []
  const received = [...info.matchAll(/^slave\d+:.*\bstate=online,offset=(\d+)/gm)]
  return received.length === replicas && received.every(([, offset]) => offset === written)
}
