import type { CloseableStore, UserIndexedStore } from '../store.ts'
import { type MemcachedStore, memcachedStore } from './memcached.ts'
import { parseServersUrl } from './server-url.ts'

/** A store on a client that it has opened, and closes. */
interface OwnMemcachedStore extends UserIndexedStore, CloseableStore {}

/**
 * Opens the store that `memcached://<host>:<port>[,<host>:<port>]` names, optionally with `?prefix=<prefix>`, by the
 * package `memcache`. It connects with the first command.
 * @throws TypeError when the URL says something else.
 */
export async function openMemcachedUrl(url: string): Promise<OwnMemcachedStore> {
  const { servers, prefix } = parse(url)
  const Memcache = await load()
  const client = new Memcache({ nodes: [...servers] })
  return closeable(memcachedStore(client, prefix === undefined ? {} : { prefix }), () => client.disconnect())
}

function parse(url: string): { servers: readonly string[]; prefix: string | undefined } {
  const { hosts, username, options } = parseServersUrl(url, 'memcached://host:port,host:port?prefix=...', [
    'prefix',
  ])
  if (username !== undefined) throw new TypeError('A memcached URL takes no user and no password')
  return { servers: hosts, prefix: options.prefix }
}

async function load() {
  try {
    return (await import('memcache')).Memcache
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw cause
    throw new Error('A memcached URL needs the package "memcache": npm install memcache', { cause })
  }
}

/** Closing waits for the calls under way. */
function closeable(store: MemcachedStore, end: () => Promise<void>): OwnMemcachedStore {
  const running = new Set<Promise<unknown>>()
  let closing: Promise<void> | undefined
  const run = async <T>(call: () => Promise<T>): Promise<T> => {
    if (closing !== undefined) throw new Error('The memcached store is closed')
    const promise = call()
    running.add(promise)
    return promise.finally(() => running.delete(promise))
  }
  const close = async (): Promise<void> => {
    await Promise.allSettled(running)
    await end()
  }
  return {
    read: (key) => run(() => store.read(key)),
    create: (key, entry) => run(() => store.create(key, entry)),
    update: (key, entry, version) => run(() => store.update(key, entry, version)),
    delete: (key) => run(() => store.delete(key)),
    ofUser: (userId) => run(() => store.ofUser(userId)),
    close() {
      closing ??= close()
      return closing
    },
  }
}
