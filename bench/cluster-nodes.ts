import { Redis } from 'ioredis'
import type { RedisServers } from '../test/servers/redis.ts'

/** What a server of a cluster says of itself, since `reset`. */
export interface NodeFigures {
  keys: number
  /** Bytes of all that it holds. */
  memory: number
  /** Seconds of CPU since it was started. */
  cpu: number
  /** Calls of each command, those by scripts included. */
  calls: Readonly<Record<string, number>>
  /** Errors that it answered, such as `MOVED`. */
  errors: Readonly<Record<string, number>>
}

/** What all of them say. */
export interface ClusterFigures {
  masters: NodeFigures[]
  replicas: NodeFigures[]
}

const SLOTS = 16_384

export async function reset(servers: RedisServers): Promise<void> {
  for (const port of servers.servers.keys()) await servers.ask(port, 'CONFIG', 'RESETSTAT')
}

export async function figures(servers: RedisServers): Promise<ClusterFigures> {
  const ports = await servers.masters()
  const others = [...servers.servers.keys()].filter((port) => !ports.includes(port))
  const of = (ports: number[]) => Promise.all(ports.map((port) => figuresOf(servers, port)))
  return { masters: await of(ports), replicas: await of(others) }
}

async function figuresOf(servers: RedisServers, port: number): Promise<NodeFigures> {
  const info = String(await servers.ask(port, 'INFO', 'everything'))
  const number = (name: string) => Number(new RegExp(`^${name}:([\\d.]+)`, 'm').exec(info)?.[1])
  return {
    keys: Number(await servers.ask(port, 'DBSIZE')),
    memory: number('used_memory'),
    cpu: number('used_cpu_user') + number('used_cpu_sys'),
    calls: counts(info, /^cmdstat_([^:]+):calls=(\d+)/gm),
    errors: counts(info, /^errorstat_([^:]+):count=(\d+)/gm),
  }
}

function counts(info: string, line: RegExp): Record<string, number> {
  return Object.fromEntries([...info.matchAll(line)].map(([, name, count]) => [name, Number(count)]))
}

/** How many keys there are in each slot, by all masters. */
export async function keysBySlot(servers: RedisServers): Promise<number[]> {
  const slots = Array.from({ length: SLOTS }, () => 0)
  for (const port of await servers.masters()) {
    const client = new Redis(port, '127.0.0.1')
    const questions = client.pipeline()
    for (const slot of slots.keys()) questions.cluster('COUNTKEYSINSLOT', slot)
    const answers = (await questions.exec()) ?? []
    for (const [slot, [, keys]] of answers.entries()) slots[slot] = (slots[slot] ?? 0) + Number(keys)
    client.disconnect()
  }
  return slots
}
