import type { CloseableStore, UserIndexedStore } from '../store.ts'
import { type RedisClient, redisStore } from './redis.ts'
import { parseRedisUrl, type RedisAddress } from './redis-address.ts'

interface Own {
  client: RedisClient
  /** Ends in order: the server answers what is under way first. */
  close(): Promise<unknown>
  /** Ends at once. */
  cut(): unknown
}

/** How long, in milliseconds, a server may take for what is under way when the store is closed. One that is gone never answers. */
const GOODBYE = 5000

/**
 * Connects to the Redis or Valkey that a URL names, with an installed redis (node-redis) or else ioredis, and opens a
 * store on it. Closing the store closes the connection.
 * @throws TypeError when the URL is none of a Redis; Error when there is no client or the server does not let it in.
 */
export async function openRedisUrl(url: string): Promise<UserIndexedStore & CloseableStore> {
  const address = parseRedisUrl(url)
  const own = await connected(address)
  const { prefix } = address
  let closing: Promise<unknown> | undefined
  return Object.assign(redisStore(own.client, prefix === undefined ? {} : { prefix }), {
    async close() {
      closing ??= ended(own)
      await closing
    },
  })
}

async function ended({ close, cut }: Own): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, GOODBYE)
  }).then(cut)
  await Promise.race([close(), late]).finally(() => clearTimeout(timer))
}

async function connected(address: RedisAddress): Promise<Own> {
  try {
    return (await nodeRedis(address)) ?? (await ioredis(address)) ?? needsClient()
  } catch (cause) {
    if (!(cause instanceof Error)) throw cause
    const [first] = address.hosts
    throw new Error(`Redis at ${first?.host}:${first?.port} cannot be opened: ${cause.message}`, { cause })
  }
}

function needsClient(): never {
  throw new Error('no client is installed; install one by "npm install redis"')
}

/** Waits a little longer each time, at most two seconds. */
function pause(times: number): number {
  return Math.min(times * 50, 2000)
}

async function nodeRedis(address: RedisAddress): Promise<Own | undefined> {
  const redis = await installed(() => import('redis'))
  if (!redis) return undefined
  let opened = false
  // Once it works, it is to last; but whoever just typed a wrong port wants to know.
  const reconnectStrategy = (times: number, cause: Error) => (opened ? pause(times) : cause)
  const login = {
    ...(address.username === undefined ? {} : { username: address.username }),
    ...(address.password === undefined ? {} : { password: address.password }),
  }
  const tls = address.tls ? { tls: true as const } : {}
  const sockets = address.hosts.map((host) => ({ ...host, ...tls, reconnectStrategy }))
  const node = { ...login, database: address.database }
  const make = {
    standalone: () => redis.createClient({ ...node, ...(sockets[0] ? { socket: sockets[0] } : {}) }),
    sentinel: () =>
      redis.createSentinel({
        name: address.name,
        sentinelRootNodes: [...address.hosts],
        nodeClientOptions: { ...node, socket: { ...tls } },
        sentinelClientOptions: { socket: { ...tls } },
      }),
    cluster: () =>
      redis.createCluster({
        rootNodes: sockets.map((socket) => ({ socket })),
        defaults: { ...login, socket: { ...tls, reconnectStrategy } },
      }),
  }
  const client = make[address.kind]()
  // Each call of the store rejects with what went wrong.
  client.on('error', () => undefined)
  await client.connect()
  opened = true
  return { client, close: async () => client.close(), cut: () => client.destroy() }
}

async function ioredis(address: RedisAddress): Promise<Own | undefined> {
  const redis = await installed(() => import('ioredis'))
  if (!redis) return undefined
  let opened = false
  const retryStrategy = (times: number) => (opened ? pause(times) : null)
  const { hosts, database: db, name } = address
  const node = {
    ...(address.username === undefined ? {} : { username: address.username }),
    ...(address.password === undefined ? {} : { password: address.password }),
    ...(address.tls ? { tls: {} } : {}),
    lazyConnect: true,
  }
  const make = {
    standalone: () => new redis.Redis({ ...node, ...hosts[0], db, retryStrategy }),
    sentinel: () =>
      new redis.Redis({
        ...node,
        db,
        name,
        sentinels: [...hosts],
        retryStrategy,
        sentinelRetryStrategy: retryStrategy,
      }),
    cluster: () =>
      new redis.Cluster([...hosts], {
        redisOptions: node,
        lazyConnect: true,
        clusterRetryStrategy: retryStrategy,
      }),
  }
  const client = make[address.kind]()
  client.on('error', () => undefined)
  await client.connect()
  opened = true
  return { client, close: () => client.quit(), cut: () => client.disconnect() }
}

async function installed<T>(load: () => Promise<T>): Promise<T | undefined> {
  try {
    return await load()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_MODULE_NOT_FOUND') return undefined
    throw error
  }
}
