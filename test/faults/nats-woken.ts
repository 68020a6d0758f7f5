import { setTimeout as sleep } from 'node:timers/promises'
import { jetstream } from '@nats-io/jetstream'
import { Kvm } from '@nats-io/kv'
import type { NatsConnection } from '@nats-io/transport-node'
import { onTestFinished } from 'vitest'
import { createSessions, type Sessions } from '../../src/index.ts'
import { natsStore } from '../../src/stores/nats.ts'
import { connectNats, type NatsServers } from '../servers/nats.ts'
import type { Server } from '../servers/server.ts'

type Counting = Sessions<{ n: number }>

/** A connection to some of the servers, and to no other, until the test is over. */
export async function connectedTo(servers: NatsServers, nodes: readonly number[]): Promise<NatsConnection> {
  const ports = nodes.map((node) => servers.ports[node] ?? 0)
  const connection = await connectNats(ports, { ignoreClusterUpdates: true })
  onTestFinished(() => connection.close())
  return connection
}

/** A server that leads a bucket, and its number. */
export interface Leader {
  index: number
  server: Server
}

/** The server that leads the bucket by the word of those that the connection is to; `undefined` while they know of none. */
export async function leaderOf(
  servers: NatsServers,
  connection: NatsConnection,
): Promise<Leader | undefined> {
  // Nobody answers while nobody leads.
  const kvm = new Kvm(jetstream(connection, { timeout: 500 }))
  const status = await kvm.open('sessions').then(
    (kv) => kv.status(),
    () => undefined,
  )
  const index = Number(status?.streamInfo.cluster?.leader?.replace('n', '') || Number.NaN)
  const server = servers.nodes[index]
  return server && { index, server }
}

/** So long the servers that are left may take to elect a leader. */
const ELECTION = 60_000
const SCENES = 3

/**
 * Freezes the server that leads, until the others have elected another one.
 *
 * Now and then two servers of NATS 2.10 elect none, and tell everybody that JetStream is unavailable: no store can do anything
 * then, so that server is woken, and the scene set anew.
 */
export async function freezeLeader(servers: NatsServers): Promise<{ frozen: Leader; next: Leader }> {
  for (let scene = 1; ; scene++) {
    const frozen = await leaderAmong(servers, [0, 1, 2], undefined)
    frozen?.server.pause()
    onTestFinished(() => frozen?.server.resume())
    const rest = [0, 1, 2].filter((node) => node !== frozen?.index)
    const next = await leaderAmong(servers, rest, frozen)
    if (frozen && next) return { frozen, next }
    frozen?.server.resume()
    if (scene === SCENES) throw new Error('The servers of NATS elect nobody')
  }
}

/** The server that leads by the word of some, as soon as there is one, and not that one. */
async function leaderAmong(
  servers: NatsServers,
  nodes: readonly number[],
  old: Leader | undefined,
): Promise<Leader | undefined> {
  const connection = await connectedTo(servers, nodes)
  const until = performance.now() + ELECTION
  while (performance.now() < until) {
    const leader = await leaderOf(servers, connection).catch(() => undefined)
    if (leader && leader.index !== old?.index) return leader
    await sleep(50)
  }
  return undefined
}

/** A process of a site that has all the time it takes. */
export async function siteAt(connection: NatsConnection): Promise<Counting> {
  const kv = await new Kvm(connection).open('sessions', { allow_direct: false })
  return createSessions({ store: natsStore(kv, { timeout: '100s' }), storeTimeout: '110s' })
}

export async function count(site: Counting, ids: readonly string[]): Promise<void> {
  const counting = ids.map(async (id) => {
    const session = await site.resume(id)
    session?.update('n', (n = 0) => n + 1)
    await session?.save()
  })
  await Promise.all(counting)
}

/** Resolves when so many puts have reached the server of the connection. */
export async function putsAt(connection: NatsConnection, number: number): Promise<void> {
  const subscription = connection.subscribe('$KV.sessions.s.>', { max: number })
  await connection.flush()
  for await (const _ of subscription);
}
