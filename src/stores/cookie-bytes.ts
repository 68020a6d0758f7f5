const encoder = new TextEncoder()
// A mark of the byte order at the beginning of a text is part of the text.
const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
// A letter of UTF-16 takes three bytes of UTF-8 at the most.
const MAX_LETTER = 3

/** Writes numbers and texts as bytes, short ones short. */
export class ByteWriter {
  readonly #bytes: number[] = []

  byte(value: number): this {
    this.#bytes.push(value)
    return this
  }

  /** Bytes whose number the reader knows. */
  fixed(bytes: Uint8Array): this {
    for (const byte of bytes) this.#bytes.push(byte)
    return this
  }

  /** A whole number, also below zero: seven bits a byte, small ones first. */
  number(value: number): this {
    // Twice the number, or twice and one less below zero, so that small ones of both kinds are short.
    let rest = value < 0 ? -2 * value - 1 : 2 * value
    while (rest > 127) {
      this.#bytes.push((rest % 128) + 128)
      rest = Math.floor(rest / 128)
    }
    this.#bytes.push(rest)
    return this
  }

  text(text: string): this {
    const bytes = encoder.encode(text)
    return this.number(bytes.length).fixed(bytes)
  }

  /** What was written, and the last text behind it, which needs no length. */
  end(text: string): Uint8Array {
    const { length } = this.#bytes
    const all = new Uint8Array(length + text.length * MAX_LETTER)
    all.set(this.#bytes)
    const { written } = encoder.encodeInto(text, all.subarray(length))
    return all.subarray(0, length + written)
  }
}

/** Reads what `ByteWriter` wrote. */
export class ByteReader {
  readonly #bytes: Uint8Array
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  byte(): number {
    const byte = this.#bytes[this.#at++]
    if (byte === undefined) throw tooShort()
    return byte
  }

  fixed(length: number): Uint8Array {
    const from = this.#at
    this.#at += length
    if (length < 0 || this.#at > this.#bytes.length) throw tooShort()
    return this.#bytes.subarray(from, this.#at)
  }

  number(): number {
    let value = 0
    for (let factor = 1; ; factor *= 128) {
      const byte = this.byte()
      value += (byte & 127) * factor
      if (byte < 128) return value % 2 === 1 ? -(value + 1) / 2 : value / 2
    }
  }

  text(): string {
    return decoder.decode(this.fixed(this.number()))
  }

  end(): string {
    return decoder.decode(this.#bytes.subarray(this.#at))
  }
}

function tooShort(): Error {
  return new Error('The bytes end too early')
}
