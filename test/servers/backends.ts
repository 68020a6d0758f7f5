/// <reference path="./dynalite-types.d.ts" />
import { connect } from 'node:net'
import { ScanCommand } from '@aws-sdk/client-dynamodb'
import { Kvm } from '@nats-io/kv'
import { Redis } from 'ioredis'
import { mysqlSchema } from '../../src/stores/mysql.ts'
import { clientOf, Dynalite } from './dynalite.ts'
import { askEtcd, base64, ETCD, startEtcd } from './etcd.ts'
import { MEMCACHED, startMemcached } from './memcached.ts'
import { MARIADB, NO_SYNC, SCHEMA, startDatabase } from './mysql.ts'
import { connectNats, NATS, startNats } from './nats.ts'
import { dumpOf, POSTGRES_PROGRAMS, Postgres } from './postgres.ts'
import type { Program } from './program.ts'
import { REDIS_7, standaloneRedis } from './redis.ts'
import type { Server } from './server.ts'

/** A kind of server that sessions can be kept on, for what is tested on all of them alike. */
export interface Backend {
  /** The scheme of its URLs. */
  scheme: string
  programs: readonly Program[]
  start(): Promise<RunningBackend>
}

export interface RunningBackend {
  /** Opens the store, by `openStoreUrl`. Its table is there, where it cannot be made by a store. */
  url: string
  /** The same with a table that is not there; `undefined` where there is no such thing. */
  missing: string | undefined
  /** All that the server holds, as a thief would carry it away. */
  dump(): Promise<string>
  /** Ends the server in the middle of whatever it does; it stays down. */
  kill(): Promise<void>
  /** Kills it and removes its data. */
  stop(): Promise<void>
}

export const BACKENDS: readonly Backend[] = [
  { scheme: 'redis', programs: [REDIS_7], start: startRedis },
  { scheme: 'mysql', programs: [MARIADB], start: startMariadb },
  { scheme: 'memcached', programs: [MEMCACHED], start: startMemcache },
  { scheme: 'nats', programs: [NATS], start: startNatsServer },
  { scheme: 'etcd', programs: [ETCD], start: startEtcdNode },
  { scheme: 'postgres', programs: POSTGRES_PROGRAMS, start: startPostgres },
  { scheme: 'dynamodb', programs: [], start: startDynamo },
]

async function startRedis(): Promise<RunningBackend> {
  const redis = await standaloneRedis()
  const [[port, server]] = [...redis.servers] as [[number, Server]]
  return {
    url: `redis://127.0.0.1:${port}`,
    missing: undefined,
    dump: () => dumpRedis(port),
    kill: () => server.kill(),
    stop: () => redis.stop(),
  }
}

/** How to read all of a key, by its type. */
const READS: Readonly<Record<string, readonly string[]>> = {
  string: ['GET', 'KEY'],
  hash: ['HGETALL', 'KEY'],
  set: ['SMEMBERS', 'KEY'],
  zset: ['ZRANGE', 'KEY', '0', '-1', 'WITHSCORES'],
}

async function dumpRedis(port: number): Promise<string> {
  const client = new Redis(port, '127.0.0.1')
  const held: unknown[] = []
  for (const key of await client.keys('*')) {
    const [command = '', ...args] = READS[await client.type(key)] ?? []
    held.push(key, await client.call(command, ...args.map((arg) => (arg === 'KEY' ? key : arg))))
  }
  client.disconnect()
  return JSON.stringify(held)
}

async function startMemcache(): Promise<RunningBackend> {
  const { server, port, address } = await startMemcached()
  return {
    url: `memcached://${address}`,
    missing: undefined,
    dump: () => dumpMemcached(port),
    kill: () => server.kill(),
    stop: () => server.kill(),
  }
}

async function dumpMemcached(port: number): Promise<string> {
  const list = await askMemcached(port, 'lru_crawler metadump all')
  const keys = [...list.matchAll(/^key=(\S+)/gm)].map(([, key = '']) => decodeURIComponent(key))
  return list + (await askMemcached(port, `gets ${keys.join(' ')}`))
}

/** One command, whose answer ends with `END`. */
async function askMemcached(port: number, command: string): Promise<string> {
  const socket = connect(port, '127.0.0.1').setEncoding('utf8')
  socket.write(`${command}\r\n`)
  let answer = ''
  for await (const chunk of socket) {
    answer += chunk
    if (answer.endsWith('END\r\n')) break
  }
  return answer
}

async function startMariadb(): Promise<RunningBackend> {
  const { server, port, administer, remove } = await startDatabase(MARIADB, { args: NO_SYNC })
  await administer(`USE ${SCHEMA}`, mysqlSchema())
  return {
    url: `mysql://root@127.0.0.1:${port}/${SCHEMA}`,
    missing: `mysql://root@127.0.0.1:${port}/${SCHEMA}?table=nowhere`,
    async dump() {
      const rows = (await administer(`SELECT * FROM ${SCHEMA}.sessions`))[0] as Record<string, unknown>[]
      return rows.map((row) => Object.values(row).map(String).join('\n')).join('\n')
    },
    kill: () => server.kill(),
    stop: remove,
  }
}

async function startNatsServer(): Promise<RunningBackend> {
  const { ports, nodes, stop } = await startNats(1, NATS)
  const url = `nats://127.0.0.1:${ports[0]}`
  async function dump(): Promise<string> {
    const connection = await connectNats(ports)
    const bucket = await new Kvm(connection).open('sessions')
    const held: string[] = []
    for await (const { key, value } of await bucket.history({}))
      held.push(key, new TextDecoder('latin1').decode(value))
    await connection.close()
    return held.join('\n')
  }
  return { url, missing: `${url}?bucket=nowhere`, dump, kill: async () => nodes[0]?.kill(), stop }
}

async function startEtcdNode(): Promise<RunningBackend> {
  const { endpoints, nodes, stop } = await startEtcd(1)
  const [endpoint = ''] = endpoints
  async function dump(): Promise<string> {
    // From the first key to the last.
    const everything = { key: base64('\0'), range_end: base64('\0') }
    const { kvs = [] } = await askEtcd<{ kvs?: { key: string; value?: string }[] }>(
      endpoint,
      '/v3/kv/range',
      everything,
    )
    return kvs
      .flatMap(({ key, value }) => [key, value].map((text = '') => Buffer.from(text, 'base64').toString()))
      .join('\n')
  }
  return {
    url: endpoint.replace('http:', 'etcd:'),
    missing: undefined,
    dump,
    kill: async () => nodes[0]?.kill(),
    stop,
  }
}

async function startPostgres(): Promise<RunningBackend> {
  const server = await Postgres.start()
  return {
    url: server.url,
    missing: `${server.url}?table=nowhere`,
    dump: async () => dumpOf(server),
    kill: () => server.kill(),
    stop: () => server.remove(),
  }
}

async function startDynamo(): Promise<RunningBackend> {
  const server = await Dynalite.start()
  const table = await server.createTable()
  return {
    url: `dynamodb://127.0.0.1:${server.port}/${table}`,
    missing: `dynamodb://127.0.0.1:${server.port}/nowhere`,
    async dump() {
      const client = clientOf(server.port)
      const { Items } = await client.send(new ScanCommand({ TableName: table }))
      client.destroy()
      return JSON.stringify(Items)
    },
    kill: () => server.close(),
    stop: () => server.close(),
  }
}
