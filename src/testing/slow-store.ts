import type { Store } from '../store.ts'
import { aroundStore } from './around-store.ts'

/** Wraps a store so that each call takes that many milliseconds longer, as one across a network does. */
export function slowStore(store: Store, delay: number): Store {
  return aroundStore(store, async (_verb, call) => {
    await new Promise((resolve) => setTimeout(resolve, delay))
    return call()
  })
}
