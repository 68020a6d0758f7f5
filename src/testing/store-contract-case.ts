import assert from 'node:assert/strict'
import type { CloseableStore, Entry, PurgeableStore, Store, StoredEntry, UserIndexedStore } from '../store.ts'
import type { StoreHarness, WorkerProgram } from './store-harness.ts'

/** One promise and how it is tried. */
export interface Case {
  readonly name: string
  readonly run: (scene: Scene) => Promise<void>
  /** Why the promise does not apply to a store, if it does not. */
  readonly unless?: (harness: StoreHarness) => string | undefined
}

export const MINUTE = 60_000
export const HOUR: number = 60 * MINUTE
export const DAY: number = 24 * HOUR

/** What a case works with: its backend, the clock, and short ways to what most cases need. */
export class Scene {
  readonly harness: StoreHarness
  readonly backend: unknown
  readonly #opened: Store[]
  #now: number = Date.now()
  #keys = 0

  constructor(harness: StoreHarness, backend: unknown, opened: Store[]) {
    this.harness = harness
    this.backend = backend
    this.#opened = opened
  }

  /** The current instant: it stands still for stores that take it from here. */
  readonly now = (): number => (this.harness.expiry === 'given' ? this.#now : Date.now())

  /** Lets time pass. */
  async pass(duration: number): Promise<void> {
    if (this.harness.expiry === 'given') this.#now += duration
    else await new Promise((resolve) => setTimeout(resolve, duration))
  }

  async open(clock: () => number = this.now): Promise<Store> {
    const store = await this.harness.open(this.backend, clock)
    this.#opened.push(store)
    return store
  }

  async openPurgeable(): Promise<PurgeableStore> {
    return (await this.open()) as PurgeableStore
  }

  async openIndexed(): Promise<UserIndexedStore> {
    return (await this.open()) as UserIndexedStore
  }

  async openCloseable(): Promise<CloseableStore> {
    return (await this.open()) as CloseableStore
  }

  get program(): WorkerProgram {
    const program = this.harness.worker?.(this.backend)
    assert(program)
    return program
  }

  /** A key as the core makes them, never used before. */
  key(): string {
    return `-_${(++this.#keys).toString(36).padStart(20, 'kJ')}`
  }

  entry(changes: Partial<Entry> = {}): Entry {
    return { value: '{"cart":[1,2]}', expiresAt: this.now() + HOUR, userId: undefined, ...changes }
  }
}

/** Creates and expects to. */
export async function create(store: Store, key: string, entry: Entry): Promise<StoredEntry> {
  const version = await store.create(key, entry)
  assert.notEqual(version, undefined, 'create() answered undefined although the key was free')
  return { ...entry, version: version as string | number }
}

/** Updates and expects to. */
export async function update(
  store: Store,
  key: string,
  entry: Entry,
  old: StoredEntry,
): Promise<StoredEntry> {
  const result = await store.update(key, entry, old.version)
  assert(result && 'version' in result, 'update() of the current version did not answer a new version')
  return { ...entry, version: result.version }
}

export async function keeps(store: Store, key: string, entry: StoredEntry): Promise<void> {
  const { value, expiresAt, userId, version } = (await store.read(key)) ?? {}
  assert.deepEqual({ value, expiresAt, userId, version }, { ...entry }, 'read() answered another entry')
}

export async function keepsNothing(store: Store, key: string): Promise<void> {
  assert.equal(await store.read(key), undefined, 'read() answered an entry where there is none')
}

/**
 * Tries something about entries that live so many milliseconds, and tries again if it failed after they may have ended
 * by the real clock, by which some backends count: a machine that stood still meanwhile shows nothing.
 */
export async function within(lifetime: number, attempt: () => Promise<void>): Promise<void> {
  for (let attempts = 1; ; attempts++) {
    const start = performance.now()
    try {
      return await attempt()
    } catch (error) {
      if (performance.now() - start < lifetime || attempts === 5) throw error
    }
  }
}

export function unlessShared({ shared }: StoreHarness): string | undefined {
  return shared ? undefined : 'each store has entries of its own'
}

export function unlessClock({ expiry }: StoreHarness): string | undefined {
  return expiry === 'given' ? undefined : 'entries expire by the clock of the backend'
}
