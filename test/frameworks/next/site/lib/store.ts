import { memoryStore } from 'sojourn/memory'
import { countingStore, failingStore } from 'sojourn/testing'

/** What the test turns and looks at. Next has a copy of this module in each of its bundles; this is one for all. */
interface Bench {
  failing: ReturnType<typeof failingStore>
  store: ReturnType<typeof countingStore>
  /** How far the clock is ahead, in milliseconds. */
  ahead: number
  /** How often a page's session was made. */
  instances: number
}

const shared = globalThis as { bench?: Bench }

function newBench(): Bench {
  const failing = failingStore(memoryStore({ clock }))
  return { failing, store: countingStore(failing), ahead: 0, instances: 0 }
}

export function clock(): number {
  return Date.now() + (shared.bench?.ahead ?? 0)
}

shared.bench ??= newBench()

export const bench: Bench = shared.bench
