import { decode, type Encoded, encode, isRich } from './codec.ts'

/**
 * One value of a session as it is stored: text, which never changes, and stays as it is where the session is written anew.
 * Whoever wants the value gets one of their own.
 */
export class Slot implements Encoded {
  /** The value with its name, as they stand in a JSON object: `"name":value`. */
  readonly member: string
  /** Where the value begins there. */
  readonly start: number
  readonly rich: boolean

  constructor(member: string, start: number, rich: boolean) {
    this.member = member
    this.start = start
    this.rich = rich
  }

  /** Writes a value down. @throws SessionError `ERR_SESSION_NOT_SERIALIZABLE` when it would not survive. */
  static ofValue(value: unknown, name: string): Slot {
    const rich = isRich(value)
    return Slot.ofJson(encode(value, rich, name), rich, name)
  }

  /** Of what a function of `update` made: `undefined` removes the value. */
  static ofResult(result: unknown, name: string): Slot | undefined {
    return result === undefined ? undefined : Slot.ofValue(result, name)
  }

  static ofJson(json: string, rich: boolean, name: string): Slot {
    const label = `${JSON.stringify(name)}:`
    return new Slot(label + json, label.length, rich)
  }

  get json(): string {
    return this.member.slice(this.start)
  }

  /** The value, for somebody who may change it. */
  copy(): unknown {
    return decode(this)
  }

  /** Whether it was written from a value that is as this one. @throws SessionError as `ofValue` does. */
  holds(value: unknown, name: string): boolean {
    return isRich(value) === this.rich && encode(value, this.rich, name) === this.json
  }

  /** Whether both hold the same value of the same name. One text may stand for two values, one plain and one rich. */
  static same(a: Slot | undefined, b: Slot | undefined): boolean {
    return a === b || (a !== undefined && b !== undefined && a.rich === b.rich && a.member === b.member)
  }
}
