import { setTimeout as sleep } from 'node:timers/promises'
import { jetstream } from '@nats-io/jetstream'
import { Kvm } from '@nats-io/kv'
import type { NatsConnection } from '@nats-io/transport-node'
import { onTestFinished } from 'vitest'
import { createSessions, type Sessions } from '../../src/index.ts'
import { natsStore } from '../../src/stores/nats.ts'
import { connectNats, type NatsServers } from '../servers/nats.ts'

type Counting = Sessions<{ n: number }>

/** A connection to some of the servers, and to no other, until the test is over. */
export async function connectedTo(servers: NatsServers, nodes: readonly number[]): Promise<NatsConnection> {
  const ports = nodes.map((node) => servers.ports[node] ?? 0)
  const connection = await connectNats(ports, { ignoreClusterUpdates: true })
  onTestFinished(() => connection.close())
  return connection
}

/** The server that leads the bucket by the word of others, as soon as it is another one. */
export async function leaderAfter(old: number, connection: NatsConnection): Promise<number> {
  // Nobody answers while nobody leads.
  const kv = await new Kvm(jetstream(connection, { timeout: 500 })).open('sessions')
  for (;;) {
    const { streamInfo } = await kv.status().catch(() => ({ streamInfo: { cluster: undefined } }))
    const leader = Number(streamInfo.cluster?.leader?.replace('n', '') || old)
    if (leader !== old) return leader
    await sleep(50)
  }
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
