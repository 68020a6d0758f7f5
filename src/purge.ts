import { SessionError } from './errors.ts'
import type { Events } from './events.ts'
import { ignore } from './ignore.ts'
import type { PurgeableStore, Store } from './store.ts'

export interface PurgeOptions {
  /** Stops the purge between two batches. */
  signal?: AbortSignal
  /** Told, after each batch, how many entries were removed so far. */
  onProgress?: (removed: number) => void
}

const BATCH = 500
const INTERVAL = 15 * 60_000

/** Removes expired sessions from stores that do not forget by themselves. */
export class Purger {
  readonly #store: PurgeableStore | undefined
  readonly #events: Events
  readonly #clock: () => number
  #next: number

  constructor(store: Store, events: Events, clock: () => number) {
    this.#store = 'purge' in store ? (store as PurgeableStore) : undefined
    this.#events = events
    this.#clock = clock
    // At a random moment, so that the instances of a site do not all purge at once.
    this.#next = clock() + Math.random() * INTERVAL
  }

  /**
   * Purges in the background, at most once in a quarter of an hour. Called when a session is created: a table grows by
   * that alone, and a timer would keep serverless processes busy or never fire in them.
   */
  afterCreate(): void {
    const now = this.#clock()
    if (!this.#store || now < this.#next) return
    this.#next = now + INTERVAL
    // The failure was told to observers; the next interval tries again.
    this.purge({}).catch(ignore)
  }

  async purge({ signal, onProgress }: PurgeOptions): Promise<number> {
    let removed = 0
    for (;;) {
      const batch = await this.#batch()
      removed += batch
      if (batch > 0) onProgress?.(removed)
      if (batch < BATCH || signal?.aborted) return removed
      // Requests that wait go first.
      await new Promise((resolve) => setTimeout(resolve, 0))
    }
  }

  async #batch(): Promise<number> {
    try {
      return (await this.#store?.purge(BATCH)) ?? 0
    } catch (cause) {
      const error = new SessionError('ERR_SESSION_STORE', 'The session store failed (purge)', { cause })
      this.#events.emit('storeError', { operation: 'purge', error })
      throw error
    }
  }
}
