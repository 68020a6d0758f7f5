import { expiryAfterUse, extensionDue, isOver, type Lifetimes } from '../src/lifetime.ts'
import { newRecord, type SessionRecord } from '../src/record.ts'
import { minuteOf } from '../src/stores/purge-minute.ts'

/** What happened to a store in the time that is counted. */
export interface Counts {
  created: number
  /** Writes of sessions that are there. */
  changed: number
  /** Writes that do nothing but extend a life. */
  extended: number
  /** Rows that a purge of PostgreSQL removes, and those that it puts to a later minute. */
  removed: number
  lookedAt: number
  /** Milliseconds of sessions: by the time that is counted, how many there are at a time. */
  lived: number
}

interface Window {
  from: number
  to: number
}

const MINUTE = 60_000

/** The sessions of one visitor after the other, by the rules of Sojourn. */
export class Lives {
  readonly counts: Counts = { created: 0, changed: 0, extended: 0, removed: 0, lookedAt: 0, lived: 0 }
  readonly #lifetimes: Lifetimes
  readonly #window: Window
  #record: SessionRecord | undefined
  #expiresAt = 0
  #purgeMinute = 0
  #age = 0

  constructor(lifetimes: Lifetimes, window: Window) {
    this.#lifetimes = lifetimes
    this.#window = window
  }

  /** The request for a page, of which some change the session. */
  use(now: number, changes: boolean): void {
    const isCounted = this.#isCounted(now)
    this.#purgeUpTo(now)
    const record = this.#record
    if (!record || isOver(record, this.#lifetimes, now)) {
      this.#end()
      this.#record = { ...newRecord(now - this.#age), seenAt: now }
      this.#age = 0
      this.#expiresAt = expiryAfterUse(this.#record, this.#lifetimes, now)
      this.#purgeMinute = minuteOf(this.#expiresAt)
      if (isCounted) this.counts.created++
    } else if (changes || extensionDue(record, this.#expiresAt, this.#lifetimes, now)) {
      this.#record = { ...record, seenAt: now }
      this.#expiresAt = expiryAfterUse(record, this.#lifetimes, now)
      this.#purgeMinute = Math.min(this.#purgeMinute, minuteOf(this.#expiresAt))
      if (isCounted) this.counts[changes ? 'changed' : 'extended']++
    }
  }

  /**
   * The next visitor comes.
   * @param part how much of its absolute life the first session has behind it, so that not all of them end on one day
   */
  next(part: number): void {
    this.#purgeUpTo(this.#window.to)
    this.#end()
    this.#record = undefined
    this.#age = Math.floor(part * this.#lifetimes.absolute)
  }

  /** As if somebody purged all the time: each row is looked at in its minute. */
  #purgeUpTo(now: number): void {
    while (this.#record && this.#purgeMinute * MINUTE <= now) {
      const then = this.#purgeMinute * MINUTE
      const minute = minuteOf(this.#expiresAt)
      if (this.#expiresAt <= then || minute === this.#purgeMinute) return
      this.#purgeMinute = minute
      if (this.#isCounted(then)) this.counts.lookedAt++
    }
  }

  #end(): void {
    if (!this.#record) return
    const { from, to } = this.#window
    const { createdAt } = this.#record
    this.counts.lived += Math.max(0, Math.min(this.#expiresAt, to) - Math.max(createdAt, from))
    if (this.#isCounted(this.#expiresAt)) this.counts.removed++
  }

  #isCounted(at: number): boolean {
    return at >= this.#window.from && at < this.#window.to
  }
}
