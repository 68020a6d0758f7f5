import type { Awaitable } from './awaitable.ts'
import type { StaleObserver } from './change.ts'
import { ignore } from './ignore.ts'
import type { Journal } from './journal.ts'
import type { Loaded } from './loaded.ts'
import type { SessionRecord } from './record.ts'
import type { Entry } from './store.ts'

/** What became of a job that is saved. */
export interface Committed {
  /** What the store holds now. */
  readonly stored: Loaded
  /** The session just after this request's own changes: those of others in the same write came later. */
  readonly view: SessionRecord
}

/**
 * What becomes of a job once the write that is being tried has succeeded: it is saved by it, or was before; or it came too
 * late to change anything; or its own function threw.
 */
export type Fate = 'written' | 'held' | 'late' | 'failed'

/** What one request has to save, on its way, and then what became of it: one object, since each request makes one. */
export class Job implements StaleObserver {
  base: Loaded
  /** The secret that the request came with. */
  readonly secret: string
  /** Whose session the request sees. The base may be newer, and another user's already. */
  readonly userId: string | undefined
  /** In order; none when only the life of the session is to be extended. */
  readonly journals: readonly Journal[]
  /** The write that carries it; none while it waits. */
  batch: Batch | undefined
  fate: Fate = 'late'
  /** The session after its changes. */
  view: SessionRecord | undefined
  error: unknown
  /** Called, while it waits, when it is settled, when a write carries it, and when the next one is its own to make. */
  wake: () => void = ignore
  isSettled = false
  /** What the store holds, once it is settled; `undefined` when the session has ended. */
  stored: Loaded | undefined
  readonly #onStale: (name: string) => void
  /** Keys told to be stale: a replay tells them no second time. */
  #stale: Set<string> | undefined
  #promised: { resolve(result: Committed | undefined): void; reject(error: unknown): void } | undefined

  /** @param onStale - Told each key whose set overwrites an unseen change; throws where that is an error. */
  constructor(
    base: Loaded,
    secret: string,
    userId: string | undefined,
    journals: readonly Journal[],
    onStale: (name: string) => void,
  ) {
    this.base = base
    this.secret = secret
    this.userId = userId
    this.journals = journals
    this.#onStale = onStale
  }

  stale(name: string): void {
    if (!this.#stale?.has(name)) this.#onStale(name)
    this.#stale ??= new Set()
    this.#stale.add(name)
  }

  /** What became of it, or will. Throws at once where it has failed at once. */
  answer(): Awaitable<Committed | undefined> {
    if (!this.isSettled) return this.#later()
    if (this.fate === 'failed') throw this.error
    return this.stored && (this as Committed)
  }

  // A method of its own, since closures keep what they see on the heap even where none is made.
  #later(): Promise<Committed | undefined> {
    return new Promise((resolve, reject) => {
      this.#promised = { resolve, reject }
    })
  }

  /** @param stored - What the store holds now; `undefined` when the session has ended. */
  resolve(stored: Loaded | undefined): void {
    if (this.isSettled) return
    this.isSettled = true
    this.stored = stored
    this.#promised?.resolve(stored && (this as Committed))
    this.wake()
  }

  reject(error: unknown): void {
    if (this.isSettled) return
    this.isSettled = true
    this.fate = 'failed'
    this.error = error
    this.#promised?.reject(error)
    this.wake()
  }
}

/** The commits that one write carries. */
export interface Batch {
  /** The session's. */
  readonly key: string
  readonly jobs: Job[]
  /** How often another process was first to write. */
  conflicts: number
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
  return fate === 'written'
}

/** Tells the jobs what became of them by a write that has succeeded. */
export function settle(batch: readonly Job[], stored: Loaded): undefined {
  for (let i = 0; i < batch.length; i++) {
    const job = batch[i] as Job
    if (job.fate === 'failed') job.reject(job.error)
    else job.resolve(job.fate === 'late' ? undefined : stored)
  }
}
