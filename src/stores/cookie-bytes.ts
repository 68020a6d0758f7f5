const encoder = new TextEncoder()
// A mark of the byte order at the beginning of a text is part of the text.
const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
// A letter of UTF-16 takes three bytes of UTF-8 at the most.
const MAX_LETTER = 3
// A number takes eight bytes of seven bits at the most.
const MAX_NUMBER = 8
// What most sessions fit in. Shared by all: memory of its own for each would cost more than all the writing.
const shared = new Uint8Array(4096)

/** Writes numbers and texts as bytes, short ones short. One at a time: the next one begins in the same memory. */
export class ByteWriter {
  #bytes: Uint8Array = shared
  #length = 0

  byte(value: number): this {
    this.#need(1)
    this.#bytes[this.#length++] = value
    return this
  }

  /** Bytes whose number the reader knows. */
  fixed(bytes: Uint8Array): this {
    this.#need(bytes.length)
    // They are few, for which a call of set() would take longer.
    for (const byte of bytes) this.#bytes[this.#length++] = byte
    return this
  }

  /** A whole number, also below zero: seven bits a byte, small ones first. */
  number(value: number): this {
    this.#need(MAX_NUMBER)
    // Twice the number, or twice and one less below zero, so that small ones of both kinds are short.
    let rest = value < 0 ? -2 * value - 1 : 2 * value
    while (rest > 127) {
      this.#bytes[this.#length++] = (rest % 128) + 128
      rest = Math.floor(rest / 128)
    }
    this.#bytes[this.#length++] = rest
    return this
  }

  text(text: string): this {
    const bytes = encoder.encode(text)
    return this.number(bytes.length).fixed(bytes)
  }

  /** What was written, and the last text behind it, which needs no length: to be used before the next one begins. */
  end(text: string): Uint8Array {
    this.#need(text.length * MAX_LETTER)
    const { written } = encoder.encodeInto(text, this.#bytes.subarray(this.#length))
    return this.#bytes.subarray(0, this.#length + written)
  }

  #need(more: number): void {
    if (this.#length + more <= this.#bytes.length) return
    const larger = new Uint8Array(2 * this.#length + more)
    larger.set(this.#bytes.subarray(0, this.#length))
    this.#bytes = larger
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
