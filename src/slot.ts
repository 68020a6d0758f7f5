import { decode, type Encoded, encode, isEncoded } from './codec.ts'

/** One value of a session as it is stored: text, which never changes. Whoever wants the value gets one of their own. */
export class Slot implements Encoded {
  readonly text: string
  readonly rich: boolean

  constructor(text: string, rich: boolean) {
    this.text = text
    this.rich = rich
  }

  /** Writes a value down. @throws SessionError `ERR_SESSION_NOT_SERIALIZABLE` when it would not survive. */
  static ofValue(value: unknown, name: string): Slot {
    const { text, rich } = encode(value, name)
    return new Slot(text, rich)
  }

  /** The value, for somebody who may change it. */
  copy(): unknown {
    return decode(this)
  }

  /** Whether it was written from a value that is as this one. @throws SessionError as `ofValue` does. */
  holds(value: unknown, name: string): boolean {
    return isEncoded(value, this, name)
  }

  /** Whether both hold the same value. */
  static same(a: Slot | undefined, b: Slot | undefined): boolean {
    return a === b || (a !== undefined && b !== undefined && a.rich === b.rich && a.text === b.text)
  }
}
