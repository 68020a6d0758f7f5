import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Items, Mark, Written } from './memcached-items.ts'

/** What is used of a client of the package `memcache`: its choice of the server for a key. */
export interface MemcacheClient {
  readonly hash: { getNodesByKey(key: string): MemcacheNode[] }
}

/** What is used of one of its servers. */
export interface MemcacheNode {
  readonly socket: (object & { readonly destroyed: boolean; destroy(): unknown }) | undefined
  isConnected(): boolean
  reconnect(): Promise<void>
  command(command: string, options?: { isMultiline?: boolean; requestedKeys?: string[] }): Promise<unknown>
}

/**
 * Items by the commands of a server. The methods of the client itself are of no use: `gets` answers no id, and every
 * method answers a lost connection as if the item were missing.
 */
export class NodeItems implements Items {
  readonly #client: MemcacheClient
  readonly #connecting = new WeakMap<MemcacheNode, Promise<void>>()

  constructor(client: MemcacheClient) {
    this.#client = client
  }

  async get(key: string): Promise<string | undefined> {
    return valueIn(await fetch(await this.#node(key), key), key)
  }

  async gets(key: string): Promise<{ data: string; mark: Mark } | undefined> {
    const node = await this.#node(key)
    const connection = node.socket
    // In one flight, and in this order: an item that changes in between comes with an id that is too old, which a write
    // notices. The other way round, the write would overwrite what it has not seen.
    const [head, found] = await Promise.all([node.command(`mg ${key} c`), fetch(node, key)])
    const [, cas] = /^HD c(\d+)/.exec(String(head)) ?? []
    const data = valueIn(found, key)
    if (cas === undefined && head !== 'EN') throw unexpected(head)
    return cas === undefined || data === undefined ? undefined : { data, mark: { cas, connection } }
  }

  async add(key: string, data: string, exptime: number): Promise<Written | undefined> {
    return write(await this.#node(key), key, data, `T${exptime} ME c`)
  }

  async cas(key: string, data: string, exptime: number, mark: Mark): Promise<Written | undefined> {
    const node = await this.#node(key)
    if (node.socket !== mark.connection) return undefined
    return write(node, key, data, `T${exptime} C${mark.cas} c`)
  }

  async delete(key: string): Promise<void> {
    const node = await this.#node(key)
    const answer = await node.command(`delete ${key}`)
    if (answer !== 'DELETED' && answer !== 'NOT_FOUND') throw unexpected(answer)
  }

  size(data: string): number {
    return Buffer.byteLength(data)
  }

  /** The connected server of the key. */
  async #node(key: string): Promise<MemcacheNode> {
    const [node] = this.#client.hash.getNodesByKey(key)
    if (!node) throw new Error('The client has no server')
    if (!isOpen(node)) await this.#connect(node)
    return node
  }

  /**
   * Two callers would make two connections, whose ends fail the commands of each other. And only `reconnect` forgets the
   * half of an answer that was read when the last connection broke.
   */
  async #connect(node: MemcacheNode): Promise<void> {
    let connecting = this.#connecting.get(node)
    if (connecting === undefined) {
      connecting = reconnect(node).finally(() => this.#connecting.delete(node))
      this.#connecting.set(node, connecting)
    }
    await connecting
  }
}

/**
 * The client takes the end of any connection for that of its newest, and fails the commands of that. So the end of the
 * last one is waited for, which Node.js tells at the end of a turn, and would else tell after the beginning of the next.
 */
async function reconnect(node: MemcacheNode): Promise<void> {
  node.socket?.destroy()
  // The first may come before the end of this turn, the second does not.
  await nextTurn()
  await nextTurn()
  await node.reconnect()
}

function isOpen(node: MemcacheNode): boolean {
  return node.isConnected() && node.socket?.destroyed === false
}

function fetch(node: MemcacheNode, key: string): Promise<unknown> {
  return node.command(`get ${key}`, { isMultiline: true, requestedKeys: [key] })
}

/** The value that was answered, which must be that of this key: a wrong session is worse than an error. */
function valueIn(answer: unknown, key: string): string | undefined {
  const { values, foundKeys } = (answer ?? {}) as { values?: string[]; foundKeys?: string[] }
  const [value] = values ?? []
  if (value !== undefined && foundKeys?.[0] !== key) throw new Error('The client answered for another key')
  return value
}

async function write(
  node: MemcacheNode,
  key: string,
  data: string,
  flags: string,
): Promise<Written | undefined> {
  const connection = node.socket
  const answer = String(await node.command(`ms ${key} ${Buffer.byteLength(data)} ${flags}\r\n${data}`))
  const [, cas] = /^HD c(\d+)$/.exec(answer) ?? []
  if (cas !== undefined) return { mark: { cas, connection } }
  if (/^(?:NS|EX|NF)\b/.test(answer)) return undefined
  throw unexpected(answer)
}

/** Without the answer itself, which may be a piece of anything when a client has lost count. */
function unexpected(answer: unknown): Error {
  const [word] = /^[A-Z_]{2,12}\b/.exec(String(answer)) ?? ['something else']
  return new Error(`The server answered ${word}`)
}
