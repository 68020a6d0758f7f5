import type { Entry, Store, StoredEntry, UpdateResult, Version } from '../../src/index.ts'

/** What stands between a call and its effect, and between the effect and its answer. */
export type Delay = (label: string) => Promise<void>

/**
 * A store in memory whose calls take effect, and answer, when the test says so; a delay that rejects is a failure
 * before or after the effect.
 */
export class SlowStore implements Store {
  readonly entries = new Map<string, StoredEntry>()
  readonly #clock: () => number
  delay: Delay
  calls = { read: 0, create: 0, update: 0, delete: 0 }
  #version = 0

  constructor(delay: Delay = async () => undefined, clock: () => number = Date.now) {
    this.delay = delay
    this.#clock = clock
  }

  read(key: string): Promise<StoredEntry | undefined> {
    return this.#run('read', () => this.#current(key))
  }

  create(key: string, entry: Entry): Promise<Version | undefined> {
    return this.#run('create', () => (this.#current(key) ? undefined : this.#put(key, entry)))
  }

  update(key: string, entry: Entry, version: Version): Promise<UpdateResult | undefined> {
    return this.#run('update', () => {
      const current = this.#current(key)
      if (!current) return undefined
      return current.version === version ? { version: this.#put(key, entry) } : { current }
    })
  }

  delete(key: string): Promise<void> {
    return this.#run('delete', () => void this.entries.delete(key))
  }

  get writes(): number {
    return this.calls.create + this.calls.update + this.calls.delete
  }

  async #run<Result>(verb: keyof SlowStore['calls'], effect: () => Result): Promise<Result> {
    this.calls[verb]++
    await this.delay(`${verb} reaches the store`)
    const result = effect()
    await this.delay(`${verb} answers`)
    return result
  }

  #current(key: string): StoredEntry | undefined {
    const entry = this.entries.get(key)
    return entry && entry.expiresAt > this.#clock() ? { ...entry } : undefined
  }

  #put(key: string, entry: Entry): Version {
    const version = ++this.#version
    this.entries.set(key, { ...entry, version })
    return version
  }
}
