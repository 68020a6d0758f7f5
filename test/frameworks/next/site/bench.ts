import { createSessions } from 'sojourn'
import { memoryStore } from 'sojourn/memory'
import { countingStore, failingStore } from 'sojourn/testing'

// Loaded in front of `next start`: the page's own module then finds these sessions instead of making its own.

/** What the test turns and looks at. */
export interface Bench {
  failing: ReturnType<typeof failingStore>
  store: ReturnType<typeof countingStore>
  /** How far the clock is ahead, in milliseconds. */
  ahead: number
}

const clock = (): number => Date.now() + bench.ahead
const failing = failingStore(memoryStore({ clock }))
const bench: Bench = { failing, store: countingStore(failing), ahead: 0 }

Object.assign(globalThis, { bench, sessions: createSessions({ store: bench.store, clock }) })
