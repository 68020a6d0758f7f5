import type { RedisClient } from '../../src/stores/redis.ts'
import type { RedisTarget } from '../servers/redis.ts'

/** A client with the one thing that the store leaves to who made it. */
export interface OpenClient {
  client: RedisClient
  close(): unknown
}

type Open = (target: RedisTarget) => Promise<OpenClient>

const host = '127.0.0.1'

/**
 * The clients that the store is made for, as an application opens them; by the names of their packages. Each is loaded when
 * it is used: the other two would be most of the time that a small process takes.
 */
export const CLIENTS: Readonly<Record<string, Open>> = {
  redis: nodeRedis,
  ioredis,
  '@valkey/valkey-glide': glide,
}

async function nodeRedis(target: RedisTarget): Promise<OpenClient> {
  const client = await forNodeRedis(target)
  client.on('error', () => undefined)
  await client.connect()
  return { client, close: () => client.close() }
}

async function forNodeRedis(target: RedisTarget) {
  const { createClient, createCluster, createSentinel } = await import('redis')
  if (target.kind === 'standalone') {
    const { port, password } = target
    return createClient({ socket: { host, port }, ...(password === undefined ? {} : { password }) })
  }
  if (target.kind === 'sentinel') {
    const sentinelRootNodes = target.sentinels.map((port) => ({ host, port }))
    return createSentinel({ name: target.name, sentinelRootNodes })
  }
  return createCluster({ rootNodes: target.ports.map((port) => ({ socket: { host, port } })) })
}

async function ioredis(target: RedisTarget): Promise<OpenClient> {
  const client = await forIoredis(target)
  client.on('error', () => undefined)
  return { client, close: () => client.disconnect() }
}

async function forIoredis(target: RedisTarget) {
  const { Cluster, Redis } = await import('ioredis')
  if (target.kind === 'standalone') {
    const { port, password } = target
    return new Redis({ host, port, ...(password === undefined ? {} : { password }) })
  }
  if (target.kind === 'sentinel') {
    const sentinels = target.sentinels.map((port) => ({ host, port }))
    return new Redis({ name: target.name, sentinels })
  }
  return new Cluster(target.ports.map((port) => ({ host, port })))
}

/** It gives up after two seconds by itself, which a busy machine may take. */
const GLIDE = { requestTimeout: 5000, advancedConfiguration: { connectionTimeout: 60_000 } }

async function glide(target: RedisTarget): Promise<OpenClient> {
  const { GlideClient, GlideClusterClient, Logger } = await import('@valkey/valkey-glide')
  // It prints every error of a server by itself.
  Logger.setLoggerConfig('off')
  if (target.kind === 'sentinel') throw new Error('GLIDE knows no Sentinel')
  if (target.kind === 'cluster') {
    const addresses = target.ports.map((port) => ({ host, port }))
    const client = await GlideClusterClient.createClient({ addresses, ...GLIDE })
    return { client, close: () => client.close() }
  }
  const { port, password } = target
  const credentials = password === undefined ? {} : { credentials: { password } }
  const client = await GlideClient.createClient({
    addresses: [{ host, port }],
    ...GLIDE,
    ...credentials,
  })
  return { client, close: () => client.close() }
}
