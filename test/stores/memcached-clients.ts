import { Memcache } from 'memcache'
import Memcached from 'memcached'
import {
  type MemcachedStore,
  type MemcachedStoreOptions,
  memcachedStore,
} from '../../src/stores/memcached.ts'

/** A client under test. */
export interface TestClient {
  /** Opens a store on it. */
  store(options?: MemcachedStoreOptions): MemcachedStore
  close(): Promise<void>
}

/** The clients under test, by the names of their packages. */
export const CLIENTS = ['memcache', 'memcached'] as const
export type ClientName = (typeof CLIENTS)[number]

/** As the page of the store advises: its own would leave a server alone for half a minute, and then for five hours. */
const OPTIONS = {
  retries: 5,
  minTimeout: 20,
  maxTimeout: 200,
  retry: 50,
  failures: 1e9,
  reconnect: 2 ** 31 - 1,
}

/** @param addresses the servers, each as `<host>:<port>` */
export function openClient(name: string, addresses: readonly string[]): TestClient {
  if (name === 'memcache') {
    const client = new Memcache({ nodes: [...addresses] })
    return { store: (options) => memcachedStore(client, options), close: () => client.disconnect() }
  }
  const client = new Memcached([...addresses], OPTIONS)
  return {
    store: (options) => memcachedStore(client, options),
    close: async () => client.end(),
  }
}
