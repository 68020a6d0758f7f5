import type { Store } from '../store.ts'
import { aroundStore, type StoreVerb } from './around-store.ts'

/** A store that fails when told to. */
export interface FailingStore extends Store {
  /** From now on the calls fail for which this answers true. Calls are numbered from 1, since this was set. */
  failWhen(condition: (call: number, verb: StoreVerb) => boolean): void
  /** How many calls have failed since `failWhen` was called. */
  readonly failures: number
}

/** Wraps a store so that a test can have any of its calls fail, as they do when a database is away. */
export function failingStore(store: Store): FailingStore {
  let fails: (call: number, verb: StoreVerb) => boolean = () => false
  let calls = 0
  let failures = 0
  return {
    ...aroundStore(store, async (verb, call) => {
      calls++
      if (!fails(calls, verb)) return call()
      failures++
      throw new Error(`The store was told to fail at "${verb}"`)
    }),
    failWhen(condition) {
      fails = condition
      calls = 0
      failures = 0
    },
    get failures() {
      return failures
    },
  }
}
