import type { Store } from '../store.ts'
import { aroundStore, type StoreVerb } from './around-store.ts'

/** A store that counts the calls of each verb. */
export interface CountingStore extends Store {
  readonly calls: Readonly<Record<StoreVerb, number>>
  /** How many calls there were, of all verbs. */
  readonly total: number
  /** Begins to count anew. */
  reset(): void
}

/** Wraps a store so that a test can say how often it was called. */
export function countingStore(store: Store): CountingStore {
  const calls = { read: 0, create: 0, update: 0, delete: 0 }
  return {
    ...aroundStore(store, (verb, call) => {
      calls[verb]++
      return call()
    }),
    calls,
    get total() {
      return calls.read + calls.create + calls.update + calls.delete
    },
    reset() {
      Object.assign(calls, { read: 0, create: 0, update: 0, delete: 0 })
    },
  }
}
