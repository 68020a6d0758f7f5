import { SessionError } from './errors.ts'
import type { Events } from './events.ts'
import type { Journal } from './journal.ts'
import { expiryAfterUse, extensionDue, type Lifetimes } from './lifetime.ts'
import { encodeRecord, type Opener, type SessionRecord } from './record.ts'
import type { Entry, StoredEntry, UpdateResult, Version } from './store.ts'

/** A session as the store was last known to hold it. */
export interface Loaded {
  readonly record: SessionRecord
  readonly version: Version
  readonly expiresAt: number
  /** When that was known, on a counter: tells which of two states of one session is newer. */
  readonly at: number
}

export interface Committed {
  /** What the store holds now. */
  readonly stored: Loaded
  /** The session just after this request's own changes: those of others in the same write came later. */
  readonly view: SessionRecord
}

/** What the committer needs of its surroundings. */
export interface CommitContext {
  readonly lifetimes: Lifetimes
  readonly events: Events
  now(): number
  update(key: string, entry: Entry, version: Version): Promise<UpdateResult | undefined>
  /** Decodes and checks an entry that another process wrote; `undefined` when it cannot be read. */
  open(key: string, entry: StoredEntry, opener: Opener): Promise<SessionRecord | undefined>
  /** Told each key whose set overwrites an unseen change; throws where that is an error. */
  onStale(name: string): void
}

/** What one request has to save. */
export interface Changes {
  readonly base: Loaded
  /** The secret that the request came with. */
  readonly secret: string
  /** Whose session the request sees. The base may be newer, and another user's already. */
  readonly userId: string | undefined
  /** In order; none when only the life of the session is to be extended. */
  readonly journals: readonly Journal[]
}

/** The session after a request's own changes; or it came too late to change anything; or its own function threw. */
type Fate = { view: SessionRecord } | { late: true } | { error: unknown }

interface Job extends Changes {
  /** Keys told to be stale: a replay tells them no second time. */
  readonly stale: Set<string>
  /** What becomes of it once the write that is being tried has succeeded. */
  fate: Fate
  resolve(result: Committed | undefined): void
  reject(error: unknown): void
}

// Every lost race means that another process's write succeeded, so many in a row mean a session under siege.
const MAX_ATTEMPTS = 50
const MAX_PAUSE = 50
const MAX_REMEMBERED = 256
const MEMORY_MS = 2000

/**
 * Writes the changes of requests, one write of a session at a time: while one is in flight the commits of other requests
 * gather, and the next write carries them all. So requests of one process never conflict with each other, and 100 of
 * them cost a handful of writes. Between processes the version decides, and the loser replays its journals.
 */
export class Committer {
  readonly #context: CommitContext
  /** The commits waiting for the write in flight, by key. No entry: no write in flight. */
  readonly #waiting = new Map<string, Job[]>()
  /** What this process wrote a moment ago: a newer base than a request loaded before. Never wrong, as versions decide. */
  readonly #remembered = new Map<string, { loaded: Loaded; since: number }>()
  #counter = 0

  constructor(context: CommitContext) {
    this.#context = context
  }

  /** The mark of a state that is about to be loaded. */
  mark(): number {
    return this.#counter
  }

  /**
   * Writes the journals onto the session, whatever others did to it since it was loaded. Answers `undefined` when it has
   * ended: nothing was written.
   */
  commit(key: string, changes: Changes): Promise<Committed | undefined> {
    return new Promise((resolve, reject) => {
      const job: Job = { ...changes, stale: new Set(), fate: { late: true }, resolve, reject }
      const waiting = this.#waiting.get(key)
      if (waiting) waiting.push(job)
      else void this.#run(key, job)
    })
  }

  /** Drops what is remembered of a session that has ended. */
  forget(key: string): void {
    this.#remembered.delete(key)
  }

  async #run(key: string, first: Job): Promise<void> {
    const waiting = [first]
    this.#waiting.set(key, waiting)
    while (waiting.length > 0) {
      const batch = waiting.splice(0)
      try {
        await this.#write(key, batch)
      } catch (error) {
        this.forget(key)
        for (const job of batch) job.reject(error)
      }
    }
    this.#waiting.delete(key)
  }

  async #write(key: string, batch: Job[]): Promise<void> {
    const { update, events } = this.#context
    let base = this.#newest(key, batch)
    if (this.#isExtended(base, batch)) return this.#overtaken(batch)
    for (let attempt = 1; ; attempt++) {
      const record = this.#apply(key, base.record, batch)
      if (!batch.some(({ fate }) => 'view' in fate)) return settle(batch, base)
      const entry = this.#entry(key, record)
      const result = await update(key, entry, base.version)
      if (!result) return this.#ended(key, batch)
      if ('version' in result) return this.#stored(key, batch, record, entry.expiresAt, result.version)
      if (batch.every((job) => job.journals.length === 0)) return this.#overtaken(batch)
      if (attempt === MAX_ATTEMPTS) throw conflict()
      events.emit('conflict', { handle: key, attempt })
      const current = await this.#decode(key, result.current, base, batch)
      if (!current) return this.#ended(key, batch)
      base = current
      await pause(attempt)
      batch.push(...(this.#waiting.get(key)?.splice(0) ?? []))
    }
  }

  /**
   * Applies all jobs in turn. One that came too late, or whose own function throws, changes nothing. It hears of that
   * when the write has succeeded: what it met was perhaps a change of another job that is never stored.
   */
  #apply(key: string, base: SessionRecord, batch: readonly Job[]): SessionRecord {
    let record = base
    for (const job of batch) {
      job.fate = this.#fate(key, record, job)
      if ('view' in job.fate) record = job.fate.view
    }
    return { ...record, seenAt: this.#context.now() }
  }

  #fate(key: string, base: SessionRecord, job: Job): Fate {
    if (comesTooLate(base, job)) return { late: true }
    try {
      return { view: this.#applyOne(key, base, job) }
    } catch (error) {
      return { error }
    }
  }

  #applyOne(key: string, base: SessionRecord, { journals, stale }: Job): SessionRecord {
    const onStale = (name: string): void => {
      if (!stale.has(name)) this.#context.onStale(name)
      stale.add(name)
    }
    return journals.reduce((record, journal) => journal.applyTo(record, key, onStale), base)
  }

  #entry(key: string, record: SessionRecord): Entry {
    const expiresAt = expiryAfterUse(record, this.#context.lifetimes, record.seenAt)
    return { value: encodeRecord(record, key), expiresAt, userId: record.userId }
  }

  #newest(key: string, batch: readonly Job[]): Loaded {
    const loaded = batch.map((job) => job.base).reduce((a, b) => (b.at > a.at ? b : a))
    const remembered = this.#remembered.get(key)?.loaded
    return remembered && remembered.at > loaded.at ? remembered : loaded
  }

  /** The state that another process wrote; `undefined` when it is none that this one can go on from. */
  async #decode(
    key: string,
    current: StoredEntry,
    base: Loaded,
    batch: readonly Job[],
  ): Promise<Loaded | undefined> {
    // The data key of the base is of no use when it was made to seal the session for the first time and another process
    // was first with one of its own; the secrets are none when that process has changed the id.
    const opener = { secrets: batch.map((job) => job.secret), dataKey: base.record.dataKey }
    const record = await this.#context.open(key, current, opener)
    if (!record || record.closed) return undefined
    return { record, version: current.version, expiresAt: current.expiresAt, at: ++this.#counter }
  }

  #stored(key: string, batch: Job[], record: SessionRecord, expiresAt: number, version: Version): void {
    const stored: Loaded = { record, version, expiresAt, at: ++this.#counter }
    this.#remember(key, stored)
    settle(batch, stored)
  }

  #ended(key: string, batch: Job[]): void {
    this.forget(key)
    for (const job of batch) job.resolve(undefined)
  }

  /** Whether all that these jobs want is a longer life, and a request of this process has just given it. */
  #isExtended({ record, expiresAt }: Loaded, batch: readonly Job[]): boolean {
    const { lifetimes, now } = this.#context
    const onlyExtend = batch.every((job) => job.journals.length === 0)
    return onlyExtend && !extensionDue(record, expiresAt, lifetimes, now())
  }

  /** Another request's write has extended the session already. */
  #overtaken(batch: Job[]): void {
    for (const job of batch) job.resolve({ stored: job.base, view: job.base.record })
  }

  #remember(key: string, loaded: Loaded): void {
    const since = performance.now()
    this.#remembered.delete(key)
    this.#remembered.set(key, { loaded, since })
    for (const [oldest, memory] of this.#remembered) {
      if (this.#remembered.size <= MAX_REMEMBERED && since - memory.since < MEMORY_MS) break
      this.#remembered.delete(oldest)
    }
  }
}

function settle(batch: readonly Job[], stored: Loaded): void {
  for (const { fate, resolve, reject } of batch) {
    if ('error' in fate) reject(fate.error)
    else resolve('view' in fate ? { stored, view: fate.view } : undefined)
  }
}

/**
 * Whether a request's session has ended, although the entry is still there: another user has signed in meanwhile, whom
 * its changes must not reach; or it changes the id, and another request, which may be somebody else's who knows the old
 * one, has changed it first. A sign-in is never too late: it proves whose session it is.
 */
function comesTooLate(record: SessionRecord, { userId, journals }: Changes): boolean {
  if (journals.length === 0 || journals.some((journal) => journal.login)) return false
  if (userId !== undefined && record.userId !== userId) return true
  const rotating = journals.filter((journal) => journal.rotation)
  return rotating.length > 0 && !rotating.some((journal) => journal.canRotate(record))
}

function conflict(): SessionError {
  const message = `Other processes changed the session first, ${MAX_ATTEMPTS} times in a row; nothing was written`
  return new SessionError('ERR_SESSION_CONFLICT', message)
}

/** Random, so that processes that met once do not meet again. The first two replays need no pause. */
function pause(attempt: number): Promise<void> | undefined {
  if (attempt < 3) return undefined
  return new Promise((resolve) => setTimeout(resolve, Math.random() * Math.min(2 ** attempt, MAX_PAUSE)))
}
