import type { Loaded } from './loaded.ts'

const MAX_YOUNG = 128
const MAX_AGE = 1000

/**
 * What this process read and wrote a moment ago: text that need not be taken apart again, and a newer base for changes than
 * what a request loaded before. It may be outdated and is never wrong, since versions decide. Forgotten by half: all that
 * was not there again within a second or two.
 */
export class RecentStates {
  #young = new Map<string, Loaded>()
  #old = this.#young
  #since = 0

  get(key: string): Loaded | undefined {
    return this.#young.get(key) ?? this.#old.get(key)
  }

  remember(key: string, loaded: Loaded): void {
    const now = performance.now()
    if (this.#young.size >= MAX_YOUNG || now - this.#since > MAX_AGE) {
      this.#old = this.#young
      this.#young = new Map()
      this.#since = now
    }
    this.#young.set(key, loaded)
  }

  forget(key: string): void {
    this.#young.delete(key)
    this.#old.delete(key)
  }
}
