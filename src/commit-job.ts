import type { Awaitable } from './awaitable.ts'
import { ignore } from './ignore.ts'
import type { Journal } from './journal.ts'
import type { Loaded } from './loaded.ts'
import type { SessionRecord } from './record.ts'
import type { Entry } from './store.ts'

export interface Committed {
  /** What the store holds now. */
  readonly stored: Loaded
  /** The session just after this request's own changes: those of others in the same write came later. */
  readonly view: SessionRecord
}

/**
 * The session after a request's own changes, which are perhaps stored already; or it came too late to change anything; or
 * its own function threw.
 */
export type Fate = { view: SessionRecord; isStored: boolean } | { late: true } | { error: unknown }

export const LATE: Fate = { late: true }

/** What one request has to save, on its way. */
export class Job {
  base: Loaded
  /** The secret that the request came with. */
  readonly secret: string
  /** Whose session the request sees. The base may be newer, and another user's already. */
  readonly userId: string | undefined
  /** In order; none when only the life of the session is to be extended. */
  readonly journals: readonly Journal[]
  /** The write that carries it; none while it waits. */
  batch: Batch | undefined
  /** Keys told to be stale: a replay tells them no second time. */
  stale: Set<string> | undefined
  /** What becomes of it once the write that is being tried has succeeded. */
  fate: Fate = LATE
  /** Called, while it waits, when it is settled, when a write carries it, and when the next one is its own to make. */
  wake: () => void = ignore
  #settled: { result: Committed | undefined } | { error: unknown } | undefined
  #promised: { resolve(result: Committed | undefined): void; reject(error: unknown): void } | undefined

  constructor(base: Loaded, secret: string, userId: string | undefined, journals: readonly Journal[]) {
    this.base = base
    this.secret = secret
    this.userId = userId
    this.journals = journals
  }

  get isSettled(): boolean {
    return this.#settled !== undefined
  }

  /** What became of it, or will. Throws at once where it has failed at once. */
  answer(): Awaitable<Committed | undefined> {
    const settled = this.#settled
    if (!settled) {
      return new Promise((resolve, reject) => {
        this.#promised = { resolve, reject }
      })
    }
    if ('error' in settled) throw settled.error
    return settled.result
  }

  resolve(result: Committed | undefined): void {
    this.#settled ??= { result }
    this.#promised?.resolve(result)
    this.wake()
  }

  reject(error: unknown): void {
    this.#settled ??= { error }
    this.#promised?.reject(error)
    this.wake()
  }
}

/** The commits that one write carries. */
export interface Batch {
  readonly jobs: Job[]
  /** What was sent to the store and is not answered yet. */
  sent: Sent | undefined
}

export interface Sent {
  /** The state that it is to replace. */
  readonly base: Loaded
  readonly record: SessionRecord
  /** The record as the store is to keep it. */
  readonly entry: Entry
}

/** Whether all it wants is a longer life. */
export function extendsOnly({ journals }: Job): boolean {
  return journals.length === 0
}

export function isToWrite({ fate }: Job): boolean {
  return 'view' in fate && !fate.isStored
}

/** Tells the jobs what became of them by a write that has succeeded. */
export function settle(batch: readonly Job[], stored: Loaded): undefined {
  for (const job of batch) {
    const { fate } = job
    if ('error' in fate) job.reject(fate.error)
    else job.resolve('view' in fate ? { stored, view: fate.view } : undefined)
  }
}
