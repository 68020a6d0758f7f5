import { jetstreamManager } from '@nats-io/jetstream'
import { type KV, Kvm } from '@nats-io/kv'
import type { NatsConnection } from '@nats-io/transport-node'
import { afterAll, beforeAll } from 'vitest'
import { natsStore } from '../../src/stores/nats.ts'
import {
  connectNats,
  NATS,
  NATS_2_10,
  NATS_NEWEST,
  type NatsServers,
  startNats,
  urlOf,
} from '../servers/nats.ts'
import { describeWith } from '../servers/program.ts'
import { describeStore } from './contract.ts'
import { describeLostUpdates } from './lost-updates.ts'
import { tested } from './tested.ts'

const file = new URL('./workers/nats.ts', import.meta.url).pathname
const DAY = 86_400_000

const SERVERS = [
  { program: NATS, count: 1, name: 'nats of the stable suite, one server' },
  { program: NATS_2_10, count: 3, name: 'nats 2.10, three servers' },
  { program: NATS_NEWEST, count: 3, name: 'the newest nats, three servers' },
]

for (const { program, count, name } of SERVERS) {
  describeWith([program], name, () => {
    let servers: NatsServers
    let connection: NatsConnection
    let kv: KV

    beforeAll(async () => {
      servers = await startNats(count, program)
      connection = await connectNats(servers.ports)
      const options = { replicas: count, ttl: 40 * DAY, allow_direct: false }
      kv = await new Kvm(connection).create('sessions', options)
      tested('nats', '@nats-io/kv', servers.version)
    })

    afterAll(async () => {
      await connection?.close()
      await servers?.stop()
    })

    // To make a bucket on three servers takes most of a second, so the cases share one, and each finds it empty.
    describeStore(name, {
      expiry: 'given',
      shared: true,
      abilities: { purge: false, ofUser: true, close: false },
      prepare: () => kv,
      open: (kv, clock) => natsStore(kv, { clock }),
      dispose: async () => (await jetstreamManager(connection)).streams.purge('KV_sessions'),
      breakEntry: (kv, key) => kv.put(`s.k${key}`, Uint8Array.of(0x5b, 0xff, 0)),
      worker: () => ({ file, args: servers.ports.map(String) }),
    })

    describeLostUpdates(name, () => ({ url: urlOf(servers, '?bucket=visits') }))
  })
}
