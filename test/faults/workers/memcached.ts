import { openClient } from '../../stores/memcached-clients.ts'
import type { OpenedStore } from '../source.ts'

/** @param name the package of the client */
export function openStore(name: string, ...addresses: string[]): OpenedStore {
  const client = openClient(name, addresses)
  return { store: client.store(), close: () => client.close() }
}
