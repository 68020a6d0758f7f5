import { NOBODY, type Updater } from './change.ts'
import { Journal } from './journal.ts'
import { newFlashNumber, type SessionRecord } from './record.ts'
import type { Flash, RecordBody } from './record-body.ts'
import type { FlashMessage } from './session.ts'
import type { SessionState } from './session-state.ts'
import { Slot } from './slot.ts'
import { type Sight, Values } from './values.ts'

/** What one request sees of a session's values and flashes, and the journal of what it does to them. */
export class JournaledValues extends Values {
  // Made when first needed: most requests only read.
  #journal: Journal | undefined
  #flashes: readonly Flash[]
  /** Whether what is shown is what is stored, and the journal's changes of that alone. */
  #isPlain = true

  constructor({ data, flashes }: RecordBody) {
    super(data)
    this.#flashes = flashes
  }

  /** The operations since the last one was taken. */
  get journal(): Journal {
    this.#journal ??= new Journal()
    return this.#journal
  }

  /** Whether anything was changed that it was told of: all but changes inside objects. */
  get isJournaled(): boolean {
    return this.#journal !== undefined && !this.#journal.isEmpty
  }

  /** Whether anything was changed, inside objects too. */
  get isChanged(): boolean {
    if (this.isJournaled) return true
    try {
      return this.changedInPlace().length > 0
    } catch {
      // It no longer survives storage, so it has changed: the commit says what it is.
      return true
    }
  }

  /** The record, with what the journal says of its user and timeouts. */
  factsOn(record: SessionRecord): SessionRecord {
    return this.#journal?.factsOn(record) ?? record
  }

  get isEmpty(): boolean {
    return this.size === 0 && this.#flashes.length === 0
  }

  set(key: string, value: unknown): void {
    const slot = Slot.ofValue(value, key)
    this.put(key, slot, value)
    this.journal.put(key, slot, this.seen(key))
  }

  override delete(key: string): void {
    super.delete(key)
    this.journal.put(key, undefined)
  }

  /** Stores a value where there is none. */
  insert(key: string, value: unknown): void {
    const inserted = Slot.ofValue(value, key)
    // As an update, so that a value that another request inserted first stays.
    this.update(key, (current) => (current === undefined ? inserted.copy() : current))
  }

  update(key: string, fn: Updater): unknown {
    const before = this.slot(key)
    const result = fn(before?.copy())
    const slot = Slot.ofResult(result, key)
    if (slot) this.put(key, slot, result)
    else super.delete(key)
    this.journal.update(key, fn, before, slot)
    return result
  }

  override clear(): void {
    super.clear()
    this.#flashes = []
    this.journal.clear()
  }

  flash(key: string, value: unknown): void {
    const flash = { number: newFlashNumber(), key, slot: Slot.ofValue(value, key) }
    this.#flashes = [...this.#flashes, flash]
    this.journal.flash(flash)
  }

  get hasFlashes(): boolean {
    return this.#flashes.length > 0
  }

  takeFlashes(): FlashMessage[] {
    const taken = this.#flashes
    this.#flashes = []
    this.journal.takeFlashes(taken)
    return taken.map(({ key, slot }) => ({ key, value: slot.copy() }))
  }

  /** Journals what was changed inside objects that were handed out, as a set of the whole value. */
  keepChangesInPlace(): void {
    const changed = this.changedInPlace()
    for (let i = 0; i < changed.length; i++) {
      const { key, object } = changed[i] as Sight
      this.set(key, object)
    }
  }

  /** The operations since the last call. What they come to is shown on, while they are being saved. */
  takeJournal(): Journal {
    this.keepChangesInPlace()
    const { journal } = this
    this.#journal = undefined
    for (let change = journal.first; change; change = change.next) this.written(change.key)
    if (this.#isPlain) journal.made(this.base, this.settled())
    this.#isPlain = false
    return journal
  }

  /** Shows what was stored, and on top of it what this request has changed while that was under way. */
  stored({ record, handle, secretHash }: SessionState): void {
    if (secretHash !== undefined) this.#journal?.rotateFrom(secretHash)
    this.keepChangesInPlace()
    this.#isPlain = !this.isJournaled
    const shown = this.#isPlain ? record : this.journal.applyTo(record, handle, NOBODY)
    this.adopt(record.data, shown.data)
    this.#flashes = shown.flashes
  }

  /** Shows the values of a session that has taken the place of this one. */
  replaced(body: RecordBody): void {
    this.#journal = undefined
    this.adopt(body.data, body.data)
    this.#flashes = body.flashes
    this.#isPlain = true
  }
}
