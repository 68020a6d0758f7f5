import type { Loaded } from './loaded.ts'
import type { StoredEntry } from './store.ts'

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

  /** What this process has read or written a moment ago, where that is what the store still holds. */
  known(key: string, { value, expiresAt, userId, version }: StoredEntry): Loaded | undefined {
    const recent = this.get(key)
    if (recent?.value !== value || recent.version !== version || recent.expiresAt !== expiresAt)
      return undefined
    const { record } = recent
    // What is sealed opens for each visitor anew.
    return record.userId === userId && !record.dataKey ? recent : undefined
  }

  /** Keeps in mind what was read, where nothing newer is known. */
  read(key: string, loaded: Loaded): void {
    if (loaded.record.dataKey || loaded.record.closed) return
    const recent = this.get(key)
    if (!recent || recent.at <= loaded.at) this.written(key, loaded)
  }

  /** Keeps in mind what was written. */
  written(key: string, loaded: Loaded): void {
    const now = performance.now()
    if (this.#young.size >= MAX_YOUNG || now - this.#since > MAX_AGE) {
      this.#old = this.#young
      this.#young = new Map()
      this.#since = now
    }
    this.#young.set(key, loaded)
  }

  /** Drops what is remembered of a session that has ended. */
  forget(key: string): void {
    this.#young.delete(key)
    this.#old.delete(key)
  }
}
