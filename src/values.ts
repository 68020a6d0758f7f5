import { ByKey, type Keyed } from './by-key.ts'
import { Slot } from './slot.ts'

/** What a request has seen of one key. */
export interface Sight extends Keyed<Sight> {
  /** Whether it has looked at what is stored there. */
  isRead: boolean
  /** The object that it holds, and may change in place. */
  object: object | undefined
}

/** The values of a session as one request sees them, and what it has seen of them and got hold of. */
export class Values extends ByKey<Sight> {
  #stored: ReadonlyMap<string, Slot>
  #slots: ReadonlyMap<string, Slot>
  /** The same map, once it is this request's own to change. */
  #own: Map<string, Slot> | undefined

  constructor(stored: ReadonlyMap<string, Slot>) {
    super()
    this.#stored = stored
    this.#slots = stored
  }

  get size(): number {
    return this.#slots.size
  }

  /** The keys as they are now: they may change while somebody goes through them. */
  keys(): string[] {
    return [...this.#slots.keys()]
  }

  /** The values by their keys, handed out. */
  entries(): [string, unknown][] {
    return this.keys().map((key) => [key, this.value(key)])
  }

  has(key: string): boolean {
    this.see(key)
    return this.#slots.has(key)
  }

  /** The slot of a key, for those who do not look at the value. */
  slot(key: string): Slot | undefined {
    return this.#slots.get(key)
  }

  /** The value of a key, handed out: the same object each time. */
  value(key: string): unknown {
    this.see(key)
    const held = this.of(key)?.object
    if (held) return held
    const value = this.#slots.get(key)?.copy()
    this.#hold(key, value)
    return value
  }

  /** @param value - What the slot was written from, which its owner still holds. */
  put(key: string, slot: Slot, value: unknown): void {
    this.#mine().set(key, slot)
    this.#hold(key, value)
  }

  delete(key: string): void {
    this.#mine().delete(key)
    this.#hold(key, undefined)
  }

  clear(): void {
    this.#own = new Map()
    this.#slots = this.#own
    for (let sight = this.first; sight; sight = sight.next) sight.object = undefined
  }

  /** The values that are stored. */
  get base(): ReadonlyMap<string, Slot> {
    return this.#stored
  }

  /** The values that are shown: from now on they do not change any more. */
  settled(): ReadonlyMap<string, Slot> {
    this.#own = undefined
    return this.#slots
  }

  /** What was stored under a key that the request has read; `undefined` when it has not. */
  seen(key: string): { slot: Slot | undefined } | undefined {
    return this.of(key)?.isRead ? { slot: this.#stored.get(key) } : undefined
  }

  /**
   * The objects that were changed in place since they were written down.
   * @throws SessionError `ERR_SESSION_NOT_SERIALIZABLE` when one of them no longer survives storage.
   */
  changedInPlace(): readonly Sight[] {
    let changed: Sight[] | undefined
    for (let sight = this.first; sight; sight = sight.next) {
      const { key, object } = sight
      if (!object || this.#slots.get(key)?.holds(object, key)) continue
      changed ??= []
      changed.push(sight)
    }
    return changed ?? NONE
  }

  /** Takes note that the request's own changes of a key are on their way: what was read there is the past. */
  written(key: string): void {
    const sight = this.of(key)
    if (sight) sight.isRead = false
  }

  /**
   * Shows these values in place of all it showed. A value that has not changed stays the one that was handed out, so
   * that what is changed in it later is found, too.
   * @param stored - What is stored now.
   * @param shown - The same with what the request has changed since.
   */
  adopt(stored: ReadonlyMap<string, Slot>, shown: ReadonlyMap<string, Slot>): void {
    for (let sight = this.first; sight; sight = sight.next) {
      const { key } = sight
      sight.isRead = false
      if (sight.object && !Slot.same(shown.get(key), this.#slots.get(key))) sight.object = undefined
    }
    this.#stored = stored
    this.#slots = shown
    this.#own = undefined
  }

  /** Takes note of a look at a key. What the request has put there itself tells it nothing of what is stored. */
  see(key: string): void {
    if (this.#slots !== this.#stored && this.#slots.get(key) !== this.#stored.get(key)) return
    this.#sight(key).isRead = true
  }

  #sight(key: string): Sight {
    let sight = this.of(key)
    if (!sight) {
      sight = { key, next: undefined, isRead: false, object: undefined }
      this.add(sight)
    }
    return sight
  }

  /** Takes note of the value that somebody holds of a key; only an object can be changed in place. */
  #hold(key: string, value: unknown): void {
    const object = typeof value === 'object' && value ? value : undefined
    const sight = object ? this.#sight(key) : this.of(key)
    if (sight) sight.object = object
  }

  #mine(): Map<string, Slot> {
    this.#own ??= copyOf(this.#slots)
    this.#slots = this.#own
    return this.#own
  }
}

/** By hand, since `new Map(map)` takes twice as long: it makes a pair of each. */
export function copyOf(slots: ReadonlyMap<string, Slot>): Map<string, Slot> {
  const copy = new Map<string, Slot>()
  slots.forEach(put, copy)
  return copy
}

function put(this: Map<string, Slot>, slot: Slot, key: string): void {
  this.set(key, slot)
}

const NONE: readonly never[] = []
