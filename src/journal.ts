import { SessionError } from './errors.ts'
import { hashSecret } from './id.ts'
import {
  type Flash,
  hasSecret,
  NO_TIMEOUTS,
  type SecretHash,
  type SessionRecord,
  secretHash,
  type Timeouts,
} from './record.ts'
import { Slot } from './slot.ts'

/** The function of an `update`, run on the newest value at each replay. */
export type Updater = (value: unknown) => unknown

/** What one request did to one key. */
type Change =
  /** `seen` is what the request had read there before, so that a set over another request's change can be told. */
  | { kind: 'put'; slot: Slot; seen: { slot: Slot | undefined } | undefined }
  | { kind: 'delete' }
  | { kind: 'update'; updaters: Updater[] }

interface Rotation {
  /** The hash of the secret that the request came with. */
  from: string
  /** The new secret. */
  to: string
}

// A sign-in form submitted more often than this at once leaves the browser with the latest answers.
const MAX_SECRETS = 8

/**
 * The operations of one request on its session, in a form that can be applied to any state of it: what another request
 * did meanwhile stays. Per key only the last word is kept, and functions where the result depends on what was there.
 */
export class Journal {
  readonly #changes = new Map<string, Change>()
  #cleared = false
  readonly #flashes = new Map<number, Flash>()
  /** The stored flashes that were handed out. */
  readonly #taken = new Set<number>()
  #timeouts: Partial<Timeouts> | undefined
  #login: { userId: string; at: number } | undefined
  #rotation: Rotation | undefined

  get isEmpty(): boolean {
    return (
      this.#changes.size === 0 &&
      !this.#cleared &&
      this.#flashes.size === 0 &&
      this.#taken.size === 0 &&
      this.#timeouts === undefined &&
      this.#login === undefined &&
      this.#rotation === undefined
    )
  }

  /** The keys that it changes. */
  get keys(): Iterable<string> {
    return this.#changes.keys()
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

  put(key: string, slot: Slot, seen?: { slot: Slot | undefined }): void {
    this.#changes.set(key, { kind: 'put', slot, seen })
  }

  delete(key: string): void {
    this.#changes.set(key, { kind: 'delete' })
  }

  /** @param result - What the function made of the value that the request saw; `undefined` removes the key. */
  update(key: string, updater: Updater, result: Slot | undefined): void {
    const change = this.#changes.get(key)
    if (change?.kind === 'update') {
      change.updaters.push(updater)
      return
    }
    if (change) {
      // The value no longer depends on what is stored, so neither does the result.
      if (result) this.put(key, result, change.kind === 'put' ? change.seen : undefined)
      else this.delete(key)
      return
    }
    this.#changes.set(key, { kind: 'update', updaters: [updater] })
  }

  clear(): void {
    this.#changes.clear()
    this.#flashes.clear()
    this.#cleared = true
  }

  flash(flash: Flash): void {
    this.#flashes.set(flash.number, flash)
  }

  takeFlashes(flashes: readonly Flash[]): void {
    for (const { number } of flashes) if (!this.#flashes.delete(number)) this.#taken.add(number)
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

  /**
   * The record after these operations.
   * @param onStale - Told each key whose set overwrites a change that the request had not seen; may throw.
   */
  applyTo(base: SessionRecord, key: string, onStale: (name: string) => void): SessionRecord {
    const login = this.#login
    // Another user's data must not become this user's, even if the two signed in at the same moment; nor must that of a
    // session whose id was changed by somebody unknown, who may have signed in by means of the application's own.
    const handsOver =
      login !== undefined &&
      base.userId !== login.userId &&
      (base.userId !== undefined || !this.#mayRotate(base))
    const empties = this.#cleared || handsOver
    return {
      ...base,
      data: this.#data(empties ? new Map() : new Map(base.data), onStale),
      flashes: this.#flashesAfter(empties ? [] : base.flashes),
      timeouts: { ...(handsOver ? NO_TIMEOUTS : base.timeouts), ...this.#timeouts },
      userId: login ? login.userId : base.userId,
      authenticatedAt: login ? login.at : base.authenticatedAt,
      secrets: this.#secrets(base, key),
    }
  }

  #data(data: Map<string, Slot>, onStale: (name: string) => void): Map<string, Slot> {
    for (const [name, change] of this.#changes) {
      if (change.kind === 'delete') {
        data.delete(name)
        continue
      }
      if (change.kind === 'put') {
        if (change.seen && !Slot.same(change.seen.slot, data.get(name))) onStale(name)
        data.set(name, change.slot.detached())
        continue
      }
      const result = change.updaters.reduce(runUpdater(name), data.get(name))
      if (result) data.set(name, result.detached())
      else data.delete(name)
    }
    return data
  }

  #flashesAfter(stored: readonly Flash[]): readonly Flash[] {
    // Own ones are there already when the store had written them, and its answer got lost.
    const kept = stored.filter(({ number }) => !this.#taken.has(number) && !this.#flashes.has(number))
    return [...kept, ...this.#flashes.values()]
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

function runUpdater(name: string) {
  return (slot: Slot | undefined, updater: Updater): Slot | undefined => {
    const result = updater(slot?.copy())
    return result === undefined ? undefined : Slot.ofValue(result, name)
  }
}

/** The error of `onStaleSet: 'error'`. */
export function staleSet(name: string): SessionError {
  return new SessionError(
    'ERR_SESSION_CONFLICT',
    `Another request changed "${name}" after this one read it; use update() for values that depend on the old one`,
  )
}
