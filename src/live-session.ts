import type { Updater } from './change.ts'
import { known, oneOf } from './check-options.ts'
import { milliseconds } from './duration.ts'
import { ignore } from './ignore.ts'
import { Journal } from './journal.ts'
import { expiryAfterUse } from './lifetime.ts'
import { reportImpure } from './purity.ts'
import { NO_TIMEOUTS, newFlashNumber, type SessionRecord, type Timeouts } from './record.ts'
import type { Flash } from './record-body.ts'
import type { FlashMessage, SessionTimeouts } from './session.ts'
import type { SessionHost, SessionState } from './session-host.ts'
import { Slot } from './slot.ts'
import { Values } from './values.ts'

/** The session that handlers hold: plain memory and a journal. `Session` is its typed and documented face. */
export class LiveSession {
  readonly #host: SessionHost
  #state: SessionState
  readonly #values: Values
  #journal = new Journal()
  #flashes: readonly Flash[]
  #isNew: boolean
  /** Whether what is shown is what is stored, and the journal's changes of that alone. */
  #isPlain = true

  constructor(host: SessionHost, state: SessionState) {
    this.#host = host
    this.#state = state
    this.#isNew = state.secretHash === undefined
    this.#values = new Values(state.record.data)
    this.#flashes = state.record.flashes
  }

  get(key: string, fallback?: unknown): unknown {
    return this.#values.has(key) ? this.#values.value(key) : fallback
  }

  set(key: string, value: unknown): this {
    this.#changingKey(key)
    const slot = Slot.ofValue(value, key)
    this.#values.put(key, slot, value)
    this.#journal.put(key, slot, this.#values.seen(key))
    return this
  }

  has(key: string): boolean {
    return this.#values.has(key)
  }

  delete(key: string): boolean {
    if (!this.#values.slot(key)) return false
    this.#changingKey(key)
    this.#values.delete(key)
    this.#journal.delete(key)
    return true
  }

  keys(): IterableIterator<string> {
    return this.#values.keys().values()
  }

  values(): IterableIterator<unknown> {
    return this.#values
      .keys()
      .map((key) => this.#values.value(key))
      .values()
  }

  entries(): IterableIterator<[string, unknown]> {
    return this.#values
      .keys()
      .map((key): [string, unknown] => [key, this.#values.value(key)])
      .values()
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
      const inserted = Slot.ofValue(value, key)
      // As an update, so that a value that another request inserted first stays.
      this.#update(key, (current) => (current === undefined ? inserted.copy() : current))
    }
    return this.#values.value(key)
  }

  update(key: string, fn: Updater): unknown {
    if (typeof fn !== 'function')
      throw new TypeError('update() takes a key and a function of the current value')
    this.#keepChangesInPlace()
    const before = this.#values.slot(key)
    this.#values.see(key)
    this.#update(key, fn)
    if (this.#host.checksPurity) reportImpure(key, fn, before, this.#values.slot(key))
    return this.#values.value(key)
  }

  clear(): void {
    this.#changing()
    this.#values.clear()
    this.#flashes = []
    this.#journal.clear()
  }

  flash(key: string, value: unknown): void {
    this.#changingKey(key)
    const slot = Slot.ofValue(value, key)
    const flash = { number: newFlashNumber(), key, slot }
    this.#flashes = [...this.#flashes, flash]
    this.#journal.flash(flash)
  }

  takeFlashes(): FlashMessage[] {
    if (this.#flashes.length === 0) return []
    this.#changing()
    const taken = this.#flashes
    this.#flashes = []
    this.#journal.takeFlashes(taken)
    return taken.map(({ key, slot }) => ({ key, value: slot.copy() }))
  }

  login(userId: string): void {
    if (typeof userId !== 'string' || userId === '')
      throw new TypeError('login() takes a user id, a non-empty string')
    this.#host.beforeChange(true)
    if (this.userId !== undefined && this.userId !== userId) this.clear()
    this.#journal.logIn(userId, this.#host.now())
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
    this.#journal = new Journal()
    this.#adopt(this.#state.record)
    this.#isPlain = true
  }

  setTimeouts(timeouts: SessionTimeouts): void {
    known(timeouts, ['idle', 'absolute', 'persistent'], 'setTimeouts')
    const { idle, absolute, persistent } = timeouts
    const changes: { -readonly [Name in keyof Timeouts]?: Timeouts[Name] } = {}
    if (idle !== undefined) changes.idle = milliseconds(idle, 'idle')
    if (absolute !== undefined) changes.absolute = milliseconds(absolute, 'absolute')
    if (persistent !== undefined) changes.persistent = oneOf(persistent, [true, false], 'persistent')
    this.#host.beforeChange(absolute !== undefined || persistent !== undefined)
    this.#journal.setTimeouts(changes)
  }

  save(): Promise<void> {
    return this.#host.save()
  }

  get isNew(): boolean {
    return this.#isNew
  }

  get isEmpty(): boolean {
    return this.#values.size === 0 && this.#flashes.length === 0
  }

  get userId(): string | undefined {
    return this.#journal.login?.userId ?? this.#state.record.userId
  }

  get createdAt(): number {
    return this.#state.record.createdAt
  }

  get authenticatedAt(): number | undefined {
    return this.#journal.login?.at ?? this.#state.record.authenticatedAt
  }

  get expiresAt(): number {
    const { expiresAt } = this.#state
    const { timeouts, login } = this.#journal
    if (expiresAt !== undefined && !timeouts && !login) return expiresAt
    return expiryAfterUse(this.#facts(), this.#host.lifetimes, this.#host.now())
  }

  get handle(): string {
    return this.#state.handle
  }

  /** Whether anything waits to be saved that it was told of: all but changes inside objects. */
  get hasJournaled(): boolean {
    return !this.#journal.isEmpty
  }

  /** Whether anything waits to be saved, changes inside objects included. */
  get changed(): boolean {
    if (this.hasJournaled) return true
    try {
      return this.#values.isChangedInPlace
    } catch {
      // It no longer survives storage, so it has changed: the commit says what it is.
      return true
    }
  }

  /** The operations since the last call. What they come to is shown on, while they are being saved. */
  takeJournal(): Journal {
    this.#keepChangesInPlace()
    const journal = this.#journal
    if (journal.login || journal.timeouts) {
      const { expiresAt } = this.#state
      this.#state = {
        ...this.#state,
        record: this.#facts(),
        expiresAt: expiresAt === undefined ? undefined : this.expiresAt,
      }
    }
    this.#journal = new Journal()
    this.#values.written(journal.keys)
    if (this.#isPlain) journal.made(...this.#values.settled())
    this.#isPlain = false
    return journal
  }

  /** Shows what was stored, and on top of it what this request has changed while that was under way. */
  stored(state: SessionState): void {
    this.#state = state
    if (state.secretHash !== undefined) this.#journal.rotateFrom(state.secretHash)
    try {
      this.#keepChangesInPlace()
      const { record, handle } = state
      const isPlain = this.#journal.isEmpty
      this.#adopt(record, isPlain ? record : this.#journal.applyTo(record, handle, ignore))
      this.#isPlain = isPlain
    } catch {
      // What the request has changed since does not fit what was stored: the next commit says so.
    }
  }

  #adopt(stored: SessionRecord, shown = stored): void {
    this.#values.adopt(stored.data, shown.data)
    this.#flashes = shown.flashes
  }

  /** The record with what the journal says of the user and the timeouts. */
  #facts(): SessionRecord {
    const { record } = this.#state
    const { timeouts, login } = this.#journal
    const handedOver = login && record.userId !== undefined && record.userId !== login.userId
    return {
      ...record,
      userId: this.userId,
      authenticatedAt: this.authenticatedAt,
      timeouts: { ...(handedOver ? NO_TIMEOUTS : record.timeouts), ...timeouts },
    }
  }

  #changing(): void {
    this.#host.beforeChange(this.#state.secretHash === undefined)
  }

  #changingKey(key: string): void {
    if (typeof key !== 'string') throw new TypeError('A key of the session must be a string')
    this.#changing()
  }

  #update(key: string, fn: Updater): void {
    this.#changingKey(key)
    const before = this.#values.slot(key)
    const result = fn(before?.copy())
    const slot = result === undefined ? undefined : Slot.ofValue(result, key)
    if (slot) this.#values.put(key, slot, result)
    else this.#values.delete(key)
    this.#journal.update(key, fn, before, slot)
  }

  /** Journals what was changed inside objects that were handed out, as a set of the whole value. */
  #keepChangesInPlace(): void {
    this.#values.changedInPlace((key, slot) => this.#journal.put(key, slot, this.#values.seen(key)))
  }

  #rotate(): void {
    const { secretHash } = this.#state
    if (secretHash !== undefined) this.#journal.rotate(secretHash, this.#host.newSecret())
  }
}
