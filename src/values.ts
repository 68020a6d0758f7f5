import { Slot } from './slot.ts'

/** The values of a session as one request sees them, and what it has seen of them and got hold of. */
export class Values {
  #stored: ReadonlyMap<string, Slot>
  #slots: ReadonlyMap<string, Slot>
  /** The same map, once it is this request's own to change. */
  #own: Map<string, Slot> | undefined
  /** The objects that somebody holds, and may change in place. */
  #objects: Map<string, object> | undefined
  /** Keys that were read. */
  #read: Set<string> | undefined

  constructor(stored: ReadonlyMap<string, Slot>) {
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
    const held = this.#objects?.get(key)
    if (held) return held
    const value = this.#slots.get(key)?.copy()
    if (isObject(value)) this.#hold(key, value)
    return value
  }

  /** @param value - What the slot was written from, which its owner still holds. */
  put(key: string, slot: Slot, value: unknown): void {
    this.#mine().set(key, slot)
    if (isObject(value)) this.#hold(key, value)
    else this.#objects?.delete(key)
  }

  delete(key: string): void {
    this.#mine().delete(key)
    this.#objects?.delete(key)
  }

  clear(): void {
    this.#own = new Map()
    this.#slots = this.#own
    this.#objects = undefined
  }

  /** The values that are stored, and those that are shown: neither changes any more. */
  settled(): [stored: ReadonlyMap<string, Slot>, shown: ReadonlyMap<string, Slot>] {
    this.#own = undefined
    return [this.#stored, this.#slots]
  }

  /** What was stored under a key that the request has read; `undefined` when it has not. */
  seen(key: string): { slot: Slot | undefined } | undefined {
    return this.#read?.has(key) ? { slot: this.#stored.get(key) } : undefined
  }

  /** Writes down anew what was changed in place since it was written down, and tells each. */
  changedInPlace(tell: (key: string, slot: Slot) => void): void {
    if (!this.#objects) return
    for (const [key, value] of this.#objects) {
      if (this.#slots.get(key)?.holds(value, key)) continue
      const slot = Slot.ofValue(value, key)
      this.put(key, slot, value)
      tell(key, slot)
    }
  }

  /** Whether anything was changed in place. */
  get isChangedInPlace(): boolean {
    if (!this.#objects) return false
    try {
      for (const [key, value] of this.#objects) {
        if (!this.#slots.get(key)?.holds(value, key)) return true
      }
      return false
    } catch {
      // It no longer survives storage, so it has changed: the commit says what it is.
      return true
    }
  }

  /** Takes note that the request's own changes of these keys are on their way: what was read there is the past. */
  written(keys: Iterable<string>): void {
    if (this.#read) for (const key of keys) this.#read.delete(key)
  }

  /**
   * Shows these values in place of all it showed. A value that has not changed stays the one that was handed out, so
   * that what is changed in it later is found, too.
   * @param stored - What is stored now.
   * @param shown - The same with what the request has changed since.
   */
  adopt(stored: ReadonlyMap<string, Slot>, shown: ReadonlyMap<string, Slot>): void {
    for (const key of this.#objects?.keys() ?? []) {
      if (!Slot.same(shown.get(key), this.#slots.get(key))) this.#objects?.delete(key)
    }
    this.#stored = stored
    this.#slots = shown
    this.#own = undefined
    this.#read = undefined
  }

  /** Takes note of a look at a key. What the request has put there itself tells it nothing of what is stored. */
  see(key: string): void {
    if (this.#slots !== this.#stored && this.#slots.get(key) !== this.#stored.get(key)) return
    this.#read ??= new Set()
    this.#read.add(key)
  }

  #mine(): Map<string, Slot> {
    this.#own ??= copyOf(this.#slots)
    this.#slots = this.#own
    return this.#own
  }

  #hold(key: string, value: object): void {
    this.#objects ??= new Map()
    this.#objects.set(key, value)
  }
}

/** By hand, since `new Map(map)` takes twice as long: it makes a pair of each. */
export function copyOf(slots: ReadonlyMap<string, Slot>): Map<string, Slot> {
  const copy = new Map<string, Slot>()
  slots.forEach((slot, key) => {
    copy.set(key, slot)
  })
  return copy
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}
