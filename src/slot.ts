import { decode, type Encoded, encode } from './codec.ts'

/**
 * One value of a session: as text, as a live value, or both, converted when first needed. Once the text exists it is
 * what counts: a live object that was handed out may be changed in place by then, which `changed()` finds.
 */
export class Slot {
  #text: string | undefined
  readonly #rich: boolean
  #value: unknown
  #live: boolean

  private constructor(text: string | undefined, rich: boolean, value: unknown, live: boolean) {
    this.#text = text
    this.#rich = rich
    this.#value = value
    this.#live = live
  }

  static ofText({ text, rich }: Encoded): Slot {
    return new Slot(text, rich, undefined, false)
  }

  /** A slot for a value that came out of `JSON.parse`, so is known to be plain. */
  static ofJson(value: unknown): Slot {
    return new Slot(undefined, false, value, true)
  }

  /** A slot for a value of the application's, written down at once. Throws when the value would not survive. */
  static ofValue(value: unknown, name: string): Slot {
    const { text, rich } = encode(value, name)
    return new Slot(text, rich, value, true)
  }

  get text(): string {
    this.#text ??= JSON.stringify(this.#value)
    return this.#text
  }

  get rich(): boolean {
    return this.#rich
  }

  /** Whether the live value is at hand and could be changed in place. */
  get isObject(): boolean {
    return this.#live && isObject(this.#value)
  }

  /** The value for its only reader; the same object each time. */
  live(): unknown {
    if (this.#live) {
      // Written down before it is handed out: from now on it may be changed in place.
      if (isObject(this.#value)) this.#text ??= JSON.stringify(this.#value)
      return this.#value
    }
    this.#value = decode({ text: this.text, rich: this.#rich })
    this.#live = true
    return this.#value
  }

  /** The value as written down, for somebody who may change it. */
  copy(): unknown {
    if (this.#live && !isObject(this.#value)) return this.#value
    return decode({ text: this.text, rich: this.#rich })
  }

  /** The slot of the live value when that was changed in place since it was written down; else `undefined`. */
  changed(name: string): Slot | undefined {
    if (!this.isObject || this.#text === undefined) return undefined
    const { text, rich } = encode(this.#value, name)
    const now = new Slot(text, rich, this.#value, true)
    // One text may stand for two values, one plain and one rich.
    return Slot.same(now, this) ? undefined : now
  }

  /** A slot of the same value for another reader, who never gets hold of this one's live object. */
  detached(): Slot {
    const shareable = this.#live && !this.isObject
    return shareable ? this : new Slot(this.text, this.#rich, undefined, false)
  }

  /** Whether both hold the same value. */
  static same(a: Slot | undefined, b: Slot | undefined): boolean {
    return a === b || (a !== undefined && b !== undefined && a.rich === b.rich && a.text === b.text)
  }
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null
}
