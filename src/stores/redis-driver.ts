/** An answer of the server, alike from every client. */
export type Reply = string | number | null | Reply[]

export type Command = readonly string[]

/** What the store needs of a client, whichever it is. */
export interface RedisDriver {
  /** Sends one command to the master that has the key, the only one in the command. */
  send(key: string, command: Command): Promise<Reply>
  /**
   * Sends commands to the master that has the key, one after the other and on one connection as long as that holds. An
   * answer that is an error is in the list, in its place.
   */
  sendAll(key: string, commands: readonly Command[]): Promise<(Reply | Error)[]>
}

/** What is used of a `Redis` or `Cluster` of ioredis. */
export interface IoredisClient {
  call(command: string, ...args: string[]): Promise<unknown>
  pipeline(commands: unknown[][]): { exec(): Promise<[Error | null, unknown][] | null> }
}

/** What is used of a client of node-redis that `createClient` made. */
export interface NodeRedisClient {
  /** Whether commands go to the server at once. Else they wait for it, each for as long as its `timeout`. */
  readonly isReady?: boolean
  sendCommand(args: string[], options?: { timeout: number }): Promise<unknown>
  multi(): NodeRedisPipeline<[args: string[]]>
}

/** What is used of a client of node-redis that `createSentinel` made. */
export interface NodeRedisSentinel {
  sendCommand(isReadonly: boolean, args: string[]): Promise<unknown>
  multi(): NodeRedisPipeline<[isReadonly: boolean, args: string[]]>
  getSentinelNode(): unknown
}

/** What is used of a client of node-redis that `createCluster` made. */
export interface NodeRedisCluster {
  sendCommand(firstKey: string, isReadonly: boolean, args: string[]): Promise<unknown>
  multi(routing: string): NodeRedisPipeline<[firstKey: string, isReadonly: boolean, args: string[]]>
  getSlotRandomNode(slot: number): unknown
}

/** What is used of the pipelines of node-redis. */
export interface NodeRedisPipeline<Args extends unknown[]> {
  addCommand(...args: Args): unknown
  execAsPipeline(): Promise<unknown>
}

/** What is used of a `GlideClient` of `@valkey/valkey-glide`. */
export interface GlideClient {
  customCommand(args: string[]): Promise<unknown>
}

/** What is used of a `GlideClusterClient` of `@valkey/valkey-glide`. */
export interface GlideClusterClient {
  customCommand(args: string[], options: { route: { type: 'primarySlotKey'; key: string } }): Promise<unknown>
  invokeScriptWithRoute(...args: never[]): unknown
}

/** A client that the application has connected. */
export type RedisClient =
  | IoredisClient
  | NodeRedisClient
  | NodeRedisSentinel
  | NodeRedisCluster
  | GlideClient
  | GlideClusterClient

/** The driver of a client, which is known by what it can do. @throws TypeError when it is none of them. */
export function driverOf(client: RedisClient): RedisDriver {
  const can = (method: string) =>
    typeof (client as unknown as Partial<Record<string, unknown>> | null)?.[method] === 'function'
  if (can('customCommand')) {
    return can('invokeScriptWithRoute')
      ? glideCluster(client as GlideClusterClient)
      : glide(client as GlideClient)
  }
  if (can('call') && can('pipeline')) return ioredis(client as IoredisClient)
  if (can('sendCommand') && can('multi')) {
    if (can('getSlotRandomNode')) return nodeRedisCluster(client as NodeRedisCluster)
    if (can('getSentinelNode')) return nodeRedisSentinel(client as NodeRedisSentinel)
    return nodeRedis(client as NodeRedisClient)
  }
  throw new TypeError('"client" must be a client of redis, ioredis or @valkey/valkey-glide')
}

function ioredis(client: IoredisClient): RedisDriver {
  return {
    async send(_key, [name = '', ...args]) {
      try {
        return reply(await client.call(name, ...args))
      } catch (error) {
        throw withoutCommand(error)
      }
    },
    async sendAll(_key, commands) {
      const replies = await client.pipeline(commands.map((command) => [...inPipeline(command)])).exec()
      return (replies ?? []).map(([error, value]) => (error ? withoutCommand(error) : reply(value)))
    },
  }
}

/** Its pipelines take the name of a method, and `call` is the one for any command. */
function inPipeline(command: Command): unknown[] {
  return ['call', ...command]
}

/** ioredis puts the whole command into its errors, and so the data of a session into the log. */
function withoutCommand<T>(error: T): T {
  if (error instanceof Error && 'command' in error) delete error.command
  return error
}

/** For commands that need no timer: the client's own costs more than half of what it does for one. */
const NO_TIMEOUT = { timeout: 0 }

/**
 * So many commands are under way when a server is busy, not hung. Those that come on top are dropped by the client's timer
 * when they cannot be sent, as those are that come while there is no connection: else they would pile up.
 */
const BUSY = 1000

function nodeRedis(client: NodeRedisClient): RedisDriver {
  let underWay = 0
  const answered = (value: unknown): Reply => {
    underWay--
    return reply(value)
  }
  const failed = (error: unknown): never => {
    underWay--
    throw error
  }
  return {
    send(_key, command) {
      const needsNoTimer = client.isReady && underWay < BUSY
      underWay++
      return client.sendCommand([...command], needsNoTimer ? NO_TIMEOUT : undefined).then(answered, failed)
    },
    sendAll: (_key, commands) => pipelined(client.multi(), commands, (command) => [command]),
  }
}

function nodeRedisSentinel(client: NodeRedisSentinel): RedisDriver {
  return {
    send: async (_key, command) => reply(await client.sendCommand(false, [...command])),
    sendAll: (_key, commands) => pipelined(client.multi(), commands, (command) => [false, command]),
  }
}

function nodeRedisCluster(client: NodeRedisCluster): RedisDriver {
  return {
    send: async (key, command) => reply(await client.sendCommand(key, false, [...command])),
    sendAll: (key, commands) => pipelined(client.multi(key), commands, (command) => [key, false, command]),
  }
}

async function pipelined<Args extends unknown[]>(
  pipeline: NodeRedisPipeline<Args>,
  commands: readonly Command[],
  argumentsOf: (command: string[]) => Args,
): Promise<(Reply | Error)[]> {
  for (const command of commands) pipeline.addCommand(...argumentsOf([...command]))
  let replies: unknown
  try {
    replies = await pipeline.execAsPipeline()
  } catch (error) {
    // It has all answers when only some are errors.
    replies = (error as { replies?: unknown }).replies
    if (!Array.isArray(replies)) throw error
  }
  return (replies as unknown[]).map((value) => (value instanceof Error ? value : reply(value)))
}

function glide(client: GlideClient): RedisDriver {
  return inTurn(async (_key, command) => reply(await client.customCommand([...command])))
}

function glideCluster(client: GlideClusterClient): RedisDriver {
  return inTurn(async (key, command) => {
    return reply(await client.customCommand([...command], { route: { type: 'primarySlotKey', key } }))
  })
}

/** For a client whose pipelines cannot be had without a class of its own, and which keeps no order of itself. */
function inTurn(send: RedisDriver['send']): RedisDriver {
  return {
    send,
    async sendAll(key, commands) {
      const replies: (Reply | Error)[] = []
      for (const command of commands) {
        replies.push(await send(key, command).catch((error: Error) => error))
      }
      return replies
    },
  }
}

/** Clients may be set up to answer bytes. */
function reply(value: unknown): Reply {
  if (typeof value === 'string' || typeof value === 'number') return value
  if (value instanceof Uint8Array) return new TextDecoder('utf-8', { ignoreBOM: true }).decode(value)
  if (Array.isArray(value)) return value.map(reply)
  return value === null || value === undefined ? null : String(value)
}
