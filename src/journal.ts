import { ByKey } from './by-key.ts'
import { type Change, changed, type StaleObserver, type Updater } from './change.ts'
import { hashSecret } from './id.ts'
import {
  type DraftRecord,
  hasSecret,
  NO_TIMEOUTS,
  type SecretHash,
  type SessionRecord,
  secretHash,
  type Timeouts,
} from './record.ts'
import type { Flash } from './record-body.ts'
import type { Slot } from './slot.ts'
import { copyOf } from './values.ts'

interface Rotation {
  /** The hash of the secret that the request came with. */
  from: string
  /** The new secret. */
  to: string
}

const NOTHING: ReadonlyMap<string, Slot> = new Map()

// A sign-in form submitted more often than this at once leaves the browser with the latest answers.
const MAX_SECRETS = 8

/**
 * The operations of one request on its session, in a form that can be applied to any state of it: what another request
 * did meanwhile stays. Per key only the last word is kept, and functions where the result depends on what was there.
 */
export class Journal extends ByKey<Change> {
  #cleared = false
  #flashes: Map<number, Flash> | undefined
  /** The stored flashes that were handed out. */
  #taken: Set<number> | undefined
  #timeouts: Partial<Timeouts> | undefined
  #login: { userId: string; at: number } | undefined
  #rotation: Rotation | undefined
  /** What the changes come to, on the values that the request saw. */
  #made: ReadonlyMap<string, Slot> | undefined
  #madeOn: ReadonlyMap<string, Slot> | undefined

  get isEmpty(): boolean {
    return (
      !this.first &&
      !this.#cleared &&
      !this.#flashes?.size &&
      !this.#taken?.size &&
      this.#timeouts === undefined &&
      this.#login === undefined &&
      this.#rotation === undefined
    )
  }

  /** Whether applying it twice is as good as once. All but the functions of `update` are made so. */
  get isRepeatable(): boolean {
    let change = this.first
    while (change && !change.updater) change = change.next
    return change === undefined
  }

  get login(): { userId: string; at: number } | undefined {
    return this.#login
  }

  get timeouts(): Partial<Timeouts> | undefined {
    return this.#timeouts
  }

  get rotation(): Rotation | undefined {
    return this.#rotation
  }

  /** @param slot - The value from now on; `undefined` removes the key. */
  put(
    key: string,
    slot: Slot | undefined,
    seen?: { slot: Slot | undefined },
    updater?: Updater,
    before?: Slot,
  ): void {
    const known = this.of(key)
    const change = { key, next: known?.next, slot, seen, updater, updaters: undefined, before }
    if (known) Object.assign(known, change)
    else this.add(change)
  }

  /**
   * @param before - The value that the request saw.
   * @param after - What the function made of it; `undefined` removes the key.
   */
  update(key: string, updater: Updater, before: Slot | undefined, after: Slot | undefined): void {
    const change = this.of(key)
    if (!change) {
      this.put(key, after, undefined, updater, before)
      return
    }
    change.slot = after
    if (change.updater) {
      change.updaters ??= []
      change.updaters.push(updater)
    } else if (!after) {
      // The value no longer depends on what is stored, so neither does the result.
      change.seen = undefined
    }
  }

  /** Tells what the request saw, and what it shows instead: on the same values nothing has to be done again. */
  made(on: ReadonlyMap<string, Slot>, data: ReadonlyMap<string, Slot>): void {
    this.#madeOn = on
    this.#made = data
  }

  clear(): void {
    this.forget()
    this.#flashes = undefined
    this.#cleared = true
  }

  flash(flash: Flash): void {
    this.#flashes ??= new Map()
    this.#flashes.set(flash.number, flash)
  }

  takeFlashes(flashes: readonly Flash[]): void {
    this.#taken ??= new Set()
    for (const { number } of flashes) if (!this.#flashes?.delete(number)) this.#taken.add(number)
  }

  setTimeouts(timeouts: Partial<Timeouts>): void {
    this.#timeouts = { ...this.#timeouts, ...timeouts }
  }

  logIn(userId: string, at: number): void {
    this.#login = { userId, at }
  }

  rotate(from: string, to: string): void {
    this.#rotation = { from: this.#rotation?.from ?? from, to }
  }

  /** Tells it the id that the request has by now, when its own `save()` has changed it meanwhile. */
  rotateFrom(from: string): void {
    if (this.#rotation) this.#rotation = { ...this.#rotation, from }
  }

  /** Whether the change of id can take place, or has: then the store had written it, and its answer got lost. */
  canRotate(record: SessionRecord): boolean {
    const rotation = this.#rotation
    return rotation !== undefined && (this.#mayRotate(record) || hasSecret(record, hashSecret(rotation.to)))
  }

  /** Whether the id that this request came with still opens the session. */
  #mayRotate(base: SessionRecord): boolean {
    return this.#rotation === undefined || hasSecret(base, this.#rotation.from)
  }

  /** The record after these operations: a new one, which nobody else has. */
  applyTo(base: SessionRecord, key: string, observer: StaleObserver): DraftRecord {
    const empties = this.#cleared || this.#handsOver(base)
    return {
      ...this.factsOn(base),
      data: this.#data(empties ? NOTHING : base.data, observer),
      flashes: this.#flashesAfter(empties ? [] : base.flashes),
      secrets: this.#secrets(base, key),
    }
  }

  /** The record with what these operations make of its user and timeouts: the same one, where that is nothing. */
  factsOn(base: SessionRecord): SessionRecord {
    const login = this.#login
    if (!login && !this.#timeouts) return base
    const timeouts = this.#handsOver(base) ? NO_TIMEOUTS : base.timeouts
    return {
      ...base,
      timeouts: { ...timeouts, ...this.#timeouts },
      userId: login ? login.userId : base.userId,
      authenticatedAt: login ? login.at : base.authenticatedAt,
    }
  }

  /**
   * Whether a user takes over what was another one's: their data must not become this user's, even if the two signed in at
   * the same moment; nor must that of a session whose id was changed by somebody unknown, who may have signed in by means
   * of the application's own.
   */
  #handsOver(base: SessionRecord): boolean {
    const login = this.#login
    return (
      login !== undefined &&
      base.userId !== login.userId &&
      (base.userId !== undefined || !this.#mayRotate(base))
    )
  }

  #data(base: ReadonlyMap<string, Slot>, observer: StaleObserver): ReadonlyMap<string, Slot> {
    if (!this.first) return base
    if (this.#made && this.#madeOn === base) return this.#made
    const data = copyOf(base)
    for (let change: Change | undefined = this.first; change; change = change.next) {
      const slot = changed(change, data.get(change.key), observer)
      if (slot) data.set(change.key, slot)
      else data.delete(change.key)
    }
    return data
  }

  #flashesAfter(stored: readonly Flash[]): readonly Flash[] {
    return this.#flashes || this.#taken ? this.#flashesOn(stored) : stored
  }

  #flashesOn(stored: readonly Flash[]): readonly Flash[] {
    const own = this.#flashes
    // Own ones are there already when the store had written them, and its answer got lost.
    const kept = stored.filter(({ number }) => !this.#taken?.has(number) && !own?.has(number))
    return own ? [...kept, ...own.values()] : kept
  }

  /**
   * The secrets that open the session afterwards. A new one replaces those there were, as long as the one that this
   * request came with is still among them. Else another request has changed the id first, and then
   * - a plain change of id has come too late, and is not here unless it was written before and the answer got lost;
   * - a sign-in of the same user, such as a form submitted twice, adds its secret to that of its twin, since nobody
   *   knows which answer the browser receives last; it proved to be that user, so it may hold an id of theirs;
   * - a sign-in of anybody else takes the session over (and `applyTo` empties it).
   */
  #secrets(base: SessionRecord, key: string): readonly SecretHash[] {
    const rotation = this.#rotation
    if (!rotation) return base.secrets
    const next = secretHash(rotation.to, key, base.dataKey)
    if (this.#mayRotate(base)) return [next]
    if (!this.#login) return base.secrets
    return base.userId === this.#login.userId ? [...base.secrets, next].slice(-MAX_SECRETS) : [next]
  }
}
