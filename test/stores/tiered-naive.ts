import type { Entry, Store, StoredEntry, UpdateResult, Version } from '../../src/store.ts'
import { tieredStore } from '../../src/stores/tiered.ts'
import type { Make, Parts } from './tiered-world.ts'

/** What a tiered store may do wrong, one by one. */
interface Faults {
  /** A reader puts what it has read into the cache, whatever is there meanwhile. */
  overwritingReader?: boolean
  /** A writer puts what it has written into the cache, whatever is there meanwhile. */
  overwritingWriter?: boolean
  /** A deletion leaves no mark in the cache. */
  withoutGap?: boolean
  /** A deletion reaches the cache before the store. */
  cacheFirst?: boolean
  /** A copy counts as new when it is put into the cache, however long ago it was read. */
  lateCount?: boolean
}

/** A tiered store that is right, but for its faults, while its cache works. */
class Naive implements Store {
  readonly #faults: Faults
  readonly #parts: Parts

  constructor(faults: Faults, parts: Parts) {
    this.#faults = faults
    this.#parts = parts
  }

  async read(key: string): Promise<StoredEntry | undefined> {
    const { cache, store, clock, maxStale } = this.#parts
    const held = await cache.read(key)
    const copy = held && unpacked(held)
    if (copy && clock() < copy.since + maxStale) return copy.entry
    const since = clock()
    const entry = await store.read(key)
    if (entry && this.#faults.overwritingReader) await this.#overwrite(key, () => this.#copy(entry, since))
    else if (entry && !held) await cache.create(key, this.#copy(entry, since))
    return entry
  }

  async create(key: string, entry: Entry): Promise<Version | undefined> {
    const { cache, store, clock } = this.#parts
    const since = clock()
    const version = await store.create(key, entry)
    if (version !== undefined) await cache.create(key, this.#copy({ ...entry, version }, since))
    return version
  }

  async update(key: string, entry: Entry, version: Version): Promise<UpdateResult | undefined> {
    const since = this.#parts.clock()
    const result = await this.#parts.store.update(key, entry, version)
    if (!result || 'current' in result) {
      await this.#remove(key)
      return result
    }
    const next = { ...entry, version: result.version }
    if (this.#faults.overwritingWriter) await this.#overwrite(key, () => this.#copy(next, since))
    else await this.#follow(key, next, since, version)
    return result
  }

  async delete(key: string): Promise<void> {
    if (this.#faults.cacheFirst) await this.#remove(key)
    await this.#parts.store.delete(key)
    if (!this.#faults.cacheFirst) await this.#remove(key)
  }

  async #remove(key: string): Promise<void> {
    if (this.#faults.withoutGap) await this.#parts.cache.delete(key)
    else await this.#overwrite(key, () => this.#gap())
  }

  async #overwrite(key: string, entry: () => Entry): Promise<void> {
    const { cache } = this.#parts
    for (;;) {
      if ((await cache.create(key, entry())) !== undefined) return
      const held = await cache.read(key)
      if (held && isDone(await cache.update(key, entry(), held.version))) return
    }
  }

  /** Puts a state in the place of the one that it replaced, and a gap in that of any other. */
  async #follow(key: string, next: StoredEntry, since: number, base: Version): Promise<void> {
    const { cache } = this.#parts
    for (;;) {
      const held = await cache.read(key)
      if (!held && (await cache.create(key, this.#copy(next, since))) !== undefined) return
      const entry = held && unpacked(held)?.entry.version === base ? this.#copy(next, since) : this.#gap()
      if (held && isDone(await cache.update(key, entry, held.version))) return
    }
  }

  #copy(entry: StoredEntry, since: number): Entry {
    const from = this.#faults.lateCount ? this.#parts.clock() : since
    return { ...this.#gap(), value: JSON.stringify({ entry, since: from }) }
  }

  #gap(): Entry {
    const { clock, maxStale } = this.#parts
    return { value: 'null', expiresAt: clock() + 2 * maxStale, userId: undefined }
  }
}

function unpacked({ value }: StoredEntry): { entry: StoredEntry; since: number } | null {
  return JSON.parse(value)
}

function isDone(result: UpdateResult | undefined): boolean {
  return result !== undefined && 'version' in result
}

export function naive(faults: Faults): Make {
  return (parts) => new Naive(faults, parts)
}

/** Stores that the property test must find wrong, with the cache that shows it. */
export const NAIVE: readonly {
  fault: string
  make: Make
  cache: 'well' | 'hours' | 'failing' | 'erratic'
}[] = [
  { fault: 'lets a slow reader overwrite', make: naive({ overwritingReader: true }), cache: 'well' },
  { fault: 'lets a slow writer overwrite', make: naive({ overwritingWriter: true }), cache: 'well' },
  { fault: 'deletes without a trace', make: naive({ withoutGap: true }), cache: 'well' },
  { fault: 'deletes from the cache first', make: naive({ cacheFirst: true }), cache: 'well' },
  { fault: 'counts the age of a copy from too late on', make: naive({ lateCount: true }), cache: 'hours' },
  { fault: 'fails with its cache', make: naive({}), cache: 'failing' },
  {
    fault: 'serves copies for too long',
    make: ({ cache, store, clock }) =>
      tieredStore({ cache, store, clock, maxStale: '10m', cacheTimeout: '1h' }),
    cache: 'erratic',
  },
]
