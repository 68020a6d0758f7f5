import type { Loaded } from './loaded.ts'

const MAX_REMEMBERED = 256
const MEMORY_MS = 2000

/**
 * What this process wrote a moment ago: a newer base for changes than what a request loaded before. It may be outdated
 * and is never wrong, since versions decide.
 */
export class RecentWrites {
  readonly #writes = new Map<string, { key: string; loaded: Loaded; since: number }>()

  get(key: string): Loaded | undefined {
    return this.#writes.get(key)?.loaded
  }

  remember(key: string, loaded: Loaded): void {
    const since = performance.now()
    this.#writes.delete(key)
    this.#writes.set(key, { key, loaded, since })
    for (const oldest of this.#writes.values()) {
      if (this.#writes.size <= MAX_REMEMBERED && since - oldest.since < MEMORY_MS) break
      this.#writes.delete(oldest.key)
    }
  }

  forget(key: string): void {
    this.#writes.delete(key)
  }
}
