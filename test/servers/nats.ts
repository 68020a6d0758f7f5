import { once } from 'node:events'
import { connect as connectTcp } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { Kvm } from '@nats-io/kv'
import { connect, type NatsConnection } from '@nats-io/transport-node'
import { type Program, path } from './program.ts'
import { dataFolder, freePorts, run, Server } from './server.ts'

/** What comes with Debian's stable suite. In a cluster it loses updates, and is refused. */
export const NATS: Program = { name: 'nats-server', debian: 'nats-server' }
export const NATS_2_10: Program = { ...NATS, newer: { suite: 'trixie', folder: 'nats-2.10' } }
export const NATS_NEWEST: Program = { ...NATS, newer: { suite: 'sid', folder: 'nats-sid' } }

/** Servers of NATS with JetStream: one, or a cluster. */
export interface NatsServers {
  readonly ports: readonly number[]
  readonly nodes: readonly Server[]
  /** As the servers say, such as `NATS 2.9.10`. */
  readonly version: string
  stop(): Promise<void>
}

/** So often a cluster is begun anew that has not found together: another program may have taken a port meanwhile. */
const STARTS = 3

/** Starts so many servers, and waits until they can make buckets. */
export async function startNats(count: number, program: Program): Promise<NatsServers> {
  const version = run(path(program), ['--version']).trim().replace('nats-server: v', 'NATS ')
  for (let attempt = 1; ; attempt++) {
    const servers = await begin(count, program, version)
    try {
      await untilReady(servers.ports)
      return servers
    } catch (error) {
      await servers.stop()
      if (attempt === STARTS) throw error
    }
  }
}

async function begin(count: number, program: Program, version: string): Promise<NatsServers> {
  const folder = dataFolder()
  const ports = await freePorts(2 * count)
  const clients = ports.slice(0, count)
  const routes = ports.slice(count).map((port) => `nats://127.0.0.1:${port}`)
  const nodes = clients.map((port, i) => {
    const args = ['-a', '127.0.0.1', '-p', String(port), '-js', '-sd', `${folder.path}/${i}`, '-n', `n${i}`]
    if (count > 1) {
      args.push('--cluster_name', 'sojourn', '--cluster', routes[i] ?? '', '--routes', routes.join(','))
    }
    return new Server({ program: path(program), args, isReady: () => answers(port) })
  })
  await Promise.all(nodes.map((node) => node.start()))
  const stop = async () => {
    await Promise.all(nodes.map((node) => node.kill()))
    folder.remove()
  }
  return { ports: clients, nodes, version, stop }
}

/** A connection as the documentation advises. */
export function connectNats(
  ports: readonly number[],
  more: { ignoreClusterUpdates?: boolean } = {},
): Promise<NatsConnection> {
  const servers = ports.map((port) => `127.0.0.1:${port}`)
  return connect({ servers, maxReconnectAttempts: -1, pingInterval: 5000, reconnectTimeWait: 200, ...more })
}

/** The servers of a cluster answer before JetStream has a leader, and before that knows them all. */
async function untilReady(ports: readonly number[]): Promise<void> {
  const connection = await connectNats(ports)
  const until = performance.now() + 60_000
  for (;;) {
    try {
      const bucket = await new Kvm(connection).create('ready', { replicas: ports.length })
      await bucket.destroy()
      break
    } catch (error) {
      if (performance.now() > until) {
        await connection.close()
        throw error
      }
    }
    await sleep(50)
  }
  await connection.close()
}

/** Whether the server greets. */
async function answers(port: number): Promise<boolean> {
  const socket = connectTcp(port, '127.0.0.1')
  try {
    await once(socket, 'data')
    return true
  } finally {
    socket.destroy()
  }
}

/** The URL by which a store is opened on them. */
export function urlOf({ ports }: NatsServers, query = ''): string {
  return `nats://${ports.map((port) => `127.0.0.1:${port}`).join(',')}${query}`
}
