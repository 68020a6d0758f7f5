import { Slot } from './slot.ts'

/** The values of a session as one request sees them, and what it has seen of them and got hold of. */
export class Values {
  #stored: ReadonlyMap<string, Slot>
  #slots: Map<string, Slot>
  /** Keys whose object value somebody holds, and may change in place. */
  readonly #objects = new Set<string>()
  /** Keys that were read. */
  readonly #read = new Set<string>()

  /** @param stored - The stored values, which nobody else reads. */
  constructor(stored: ReadonlyMap<string, Slot>) {
    this.#stored = stored
    this.#slots = new Map(stored)
  }

  get size(): number {
    return this.#slots.size
  }

  /** The keys as they are now: they may change while somebody goes through them. */
  keys(): string[] {
    return [...this.#slots.keys()]
  }

  has(key: string): boolean {
    this.see(key)
    return this.#slots.has(key)
  }

  /** The slot of a key, for those who do not look at the value. */
  slot(key: string): Slot | undefined {
    return this.#slots.get(key)
  }

  /** The value of a key, handed out. */
  value(key: string): unknown {
    this.see(key)
    const slot = this.#slots.get(key)
    const value = slot?.live()
    if (slot?.isObject) this.#objects.add(key)
    return value
  }

  put(key: string, slot: Slot): void {
    this.#slots.set(key, slot)
    if (slot.isObject) this.#objects.add(key)
    else this.#objects.delete(key)
  }

  delete(key: string): void {
    this.#slots.delete(key)
    this.#objects.delete(key)
  }

  clear(): void {
    this.#slots.clear()
    this.#objects.clear()
  }

  /** What was stored under a key that the request has read; `undefined` when it has not. */
  seen(key: string): { slot: Slot | undefined } | undefined {
    return this.#read.has(key) ? { slot: this.#stored.get(key) } : undefined
  }

  /** The values that were changed in place since they were written down. */
  changedInPlace(): [string, Slot][] {
    const changed: [string, Slot][] = []
    for (const key of this.#objects) {
      const slot = this.#slots.get(key)?.changed(key)
      if (slot) changed.push([key, slot])
    }
    return changed
  }

  /** Takes note that the request's own changes of these keys are on their way: what was read there is the past. */
  written(keys: Iterable<string>): void {
    for (const key of keys) this.#read.delete(key)
  }

  /**
   * Shows these values in place of all it showed. A value that has not changed stays the one that was handed out, so
   * that what is changed in it later is found, too.
   * @param stored - What is stored now.
   * @param shown - The same with what the request has changed since.
   */
  adopt(stored: ReadonlyMap<string, Slot>, shown: ReadonlyMap<string, Slot>): void {
    const slots = new Map(Array.from(shown, ([key, slot]) => [key, this.#kept(key, slot) ?? slot.detached()]))
    for (const key of this.#objects) if (slots.get(key) !== this.#slots.get(key)) this.#objects.delete(key)
    this.#slots = slots
    this.#stored = new Map(Array.from(stored, ([key, slot]) => [key, this.#kept(key, slot) ?? slot]))
    this.#read.clear()
  }

  #kept(key: string, slot: Slot): Slot | undefined {
    const mine = this.#slots.get(key)
    return Slot.same(mine, slot) ? mine : undefined
  }

  /** Takes note of a look at a key. What the request has put there itself tells it nothing of what is stored. */
  see(key: string): void {
    if (this.#slots.get(key) === this.#stored.get(key)) this.#read.add(key)
  }
}
