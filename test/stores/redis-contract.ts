import { afterAll, beforeAll } from 'vitest'
import { redisStore } from '../../src/stores/redis.ts'
import { source } from '../faults/redis-sources.ts'
import type { RedisServers } from '../servers/redis.ts'
import { describeStore } from './contract.ts'
import { describeLostUpdates } from './lost-updates.ts'
import { CLIENTS, type OpenClient } from './redis-clients.ts'
import { tested } from './tested.ts'

const file = new URL('./workers/redis.ts', import.meta.url).pathname

interface Run {
  /** The packages of the clients. */
  clients: readonly string[]
  start: () => Promise<RedisServers>
  /** Whether processes of their own take part. Their start takes longer than all the rest, and shows the same on each server. */
  processes: boolean
}

/** Registers the store contract for each client on the servers that `start` starts. */
export function describeRedis(name: string, { clients, start, processes }: Run): void {
  let servers: RedisServers
  let prefixes = 0
  beforeAll(async () => {
    servers = await start()
  })
  afterAll(() => servers?.stop())

  const [first = ''] = clients
  if (processes) describeLostUpdates(`redis, ${first} on ${name}`, () => source(first, servers.target))

  for (const client of clients) {
    const pool: OpenClient[] = []
    beforeAll(async () => {
      // Two, so that stores that share a backend do not share a connection.
      for (let i = 0; i < 2; i++) pool.push(await open(client, servers))
      tested('redis', client, `${servers.version}${kind(servers)}`)
    })
    afterAll(async () => {
      for (const opened of pool) await opened.close()
    })
    describeStore(`redis, ${client} on ${name}`, {
      expiry: 'given',
      shared: true,
      abilities: { purge: false, ofUser: true, close: false },
      // All that some take for a pattern.
      prepare: () => `s*j?[${prefixes++}]:`,
      open(prefix, clock) {
        const [next, ...others] = pool.splice(0) as [OpenClient]
        pool.push(...others, next)
        return redisStore(next.client, { prefix, clock })
      },
      breakEntry: (prefix, key) => onMasters(servers, 'SET', prefix + key, 'this is no session'),
      // Its scripts are all that the store has in the server beside the sessions.
      async removeSchema() {
        await onMasters(servers, 'FLUSHALL')
        await onMasters(servers, 'SCRIPT', 'FLUSH')
      },
      ...(processes
        ? { worker: (prefix: string) => ({ file, args: [client, JSON.stringify(servers.target), prefix] }) }
        : {}),
    })
  }
}

function open(name: string, { target }: RedisServers): Promise<OpenClient> {
  const open = CLIENTS[name]
  if (!open) throw new Error(`No client is named ${name}`)
  return open(target)
}

function kind({ target }: RedisServers): string {
  if (target.kind === 'standalone') return ''
  return target.kind === 'sentinel' ? ' with Sentinel' : ' Cluster'
}

/** In a cluster, all masters but one answer that the key is elsewhere. */
async function onMasters(servers: RedisServers, ...command: string[]): Promise<void> {
  for (const port of await servers.masters()) {
    await servers.ask(port, ...command).catch((error: Error) => {
      if (!error.message.startsWith('MOVED')) throw error
    })
  }
}
