import type { Updater } from './change.ts'
import { newSecret } from './id.ts'
import type { Journal } from './journal.ts'
import { JournaledValues } from './journaled-values.ts'
import { expiryAfterUse } from './lifetime.ts'
import { ownTimeouts } from './own-timeouts.ts'
import { reportImpure } from './purity.ts'
import type { SessionRecord } from './record.ts'
import type { FlashMessage, SessionTimeouts } from './session.ts'
import type { SessionHost } from './session-host.ts'
import type { SessionState } from './session-state.ts'

/** The session that handlers hold: plain memory and a journal. `Session` is its typed and documented face. */
export class LiveSession {
  readonly #host: SessionHost
  #state: SessionState
  readonly #values: JournaledValues
  #isNew: boolean

  constructor(host: SessionHost, state: SessionState) {
    this.#host = host
    this.#state = state
    this.#isNew = state.secretHash === undefined
    this.#values = new JournaledValues(state.record)
  }

  get(key: string, fallback?: unknown): unknown {
    const value = this.#values.value(key)
    return value === undefined ? fallback : value
  }

  set(key: string, value: unknown): this {
    this.#changingKey(key)
    this.#values.set(key, value)
    return this
  }

  has(key: string): boolean {
    return this.#values.has(key)
  }

  delete(key: string): boolean {
    if (!this.#values.slot(key)) return false
    this.#changing()
    this.#values.delete(key)
    return true
  }

  keys(): IterableIterator<string> {
    return this.#values.keys().values()
  }

  values(): IterableIterator<unknown> {
    const values = this.#values.entries().map(([, value]) => value)
    return values.values()
  }

  entries(): IterableIterator<[string, unknown]> {
    return this.#values.entries().values()
  }

  [Symbol.iterator](): IterableIterator<[string, unknown]> {
    return this.entries()
  }

  get size(): number {
    return this.#values.size
  }

  pop(key: string, fallback?: unknown): unknown {
    if (!this.#values.slot(key)) return fallback
    const value = this.#values.value(key)
    this.delete(key)
    return value
  }

  getOrInsert(key: string, value: unknown): unknown {
    if (!this.#values.has(key)) {
      this.#changingKey(key)
      this.#values.insert(key, value)
    }
    return this.#values.value(key)
  }

  update(key: string, fn: Updater): unknown {
    if (typeof fn !== 'function')
      throw new TypeError('update() takes a key and a function of the current value')
    this.#changingKey(key)
    const values = this.#values
    values.keepChangesInPlace()
    const before = values.slot(key)
    values.see(key)
    const result = values.update(key, fn)
    if (this.#host.context.warns) reportImpure(key, fn, before, values.slot(key))
    return result
  }

  clear(): void {
    this.#changing()
    this.#values.clear()
  }

  flash(key: string, value: unknown): void {
    this.#changingKey(key)
    this.#values.flash(key, value)
  }

  takeFlashes(): FlashMessage[] {
    if (!this.#values.hasFlashes) return []
    this.#changing()
    return this.#values.takeFlashes()
  }

  login(userId: string): void {
    if (typeof userId !== 'string' || userId === '')
      throw new TypeError('login() takes a user id, a non-empty string')
    this.#host.beforeChange(true)
    if (this.userId !== undefined && this.userId !== userId) this.clear()
    this.#values.journal.logIn(userId, this.#host.context.now())
    this.#rotate()
  }

  regenerateId(): void {
    // One that is not stored yet gets a fresh id in any case.
    if (this.#state.secretHash === undefined) return
    this.#host.beforeChange(true)
    this.#rotate()
  }

  destroy(): void {
    this.#state = this.#host.destroyed()
    this.#isNew = true
    this.#values.replaced(this.#state.record)
  }

  setTimeouts(timeouts: SessionTimeouts): void {
    const own = ownTimeouts(timeouts)
    this.#host.beforeChange(own.absolute !== undefined || own.persistent !== undefined)
    this.#values.journal.setTimeouts(own)
  }

  save(): Promise<void> {
    return this.#host.save()
  }

  get isNew(): boolean {
    return this.#isNew
  }

  get isEmpty(): boolean {
    return this.#values.isEmpty
  }

  get userId(): string | undefined {
    return this.#record.userId
  }

  get createdAt(): number {
    return this.#record.createdAt
  }

  get authenticatedAt(): number | undefined {
    return this.#record.authenticatedAt
  }

  get expiresAt(): number {
    const { record, expiresAt } = this.#state
    const shown = this.#record
    return expiresAt !== undefined && shown === record ? expiresAt : this.#expiry(shown)
  }

  get handle(): string {
    return this.#state.handle
  }

  /** Whether anything waits to be saved that it was told of: all but changes inside objects. */
  get hasJournaled(): boolean {
    return this.#values.isJournaled
  }

  /** Whether anything waits to be saved, changes inside objects included. */
  get changed(): boolean {
    return this.#values.isChanged
  }

  /** The operations since the last call. What they come to is shown on, while they are being saved. */
  takeJournal(): Journal {
    const journal = this.#values.takeJournal()
    const { record, handle, secretHash, expiresAt } = this.#state
    const shown = journal.factsOn(record)
    if (shown !== record)
      this.#state = { handle, record: shown, secretHash, expiresAt: expiresAt && this.#expiry(shown) }
    return journal
  }

  /** Shows what was stored, and on top of it what this request has changed while that was under way. */
  stored(state: SessionState): void {
    this.#state = state
    try {
      this.#values.stored(state)
    } catch {
      // What the request has changed since does not fit what was stored: the next commit says so.
    }
  }

  /** The record, with what the journal says of its user and timeouts. */
  get #record(): SessionRecord {
    return this.#values.factsOn(this.#state.record)
  }

  #expiry(record: SessionRecord): number {
    return expiryAfterUse(record, this.#host.context.lifetimes, this.#host.context.now())
  }

  #changing(): void {
    this.#host.beforeChange(this.#state.secretHash === undefined)
  }

  #changingKey(key: string): void {
    if (typeof key !== 'string') throw new TypeError('A key of the session must be a string')
    this.#changing()
  }

  #rotate(): void {
    const { secretHash } = this.#state
    if (secretHash !== undefined) this.#values.journal.rotate(secretHash, newSecret())
  }
}
