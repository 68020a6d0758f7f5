// `Uint8Array.prototype.toBase64` would do, but Node 20 to 24 lack it. Short texts by table, two letters at once: `btoa` takes
// text of single characters and gives another alphabet, which together took six times as long for the 32 bytes of a hash.
// Long ones, and what is in a buffer of Node's, by Node's own where there is one, which is no import, so that the core runs
// anywhere.
const { process } = globalThis as { process?: Partial<NodeJS.Process> }
const native = process?.getBuiltinModule?.('node:buffer')?.Buffer
// From here on Node's own is faster, and needs a fifth of the memory; and where it has to be given a buffer first.
const BUFFER_BYTES = 16
const LONG_BYTES = 64
const LONG_TEXT = 128

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
const PAIRS = Array.from(ALPHABET, (first) => Array.from(ALPHABET, (second) => first + second)).flat()

/** Memory for bytes that become text. */
export function newBytes(length: number): Uint8Array {
  return native?.alloc(length) ?? new Uint8Array(length)
}

/** Bytes, or those from start to end, as base64url text without padding (RFC 4648 section 5). */
export function toBase64Url(bytes: Uint8Array, start = 0, end: number = bytes.length): string {
  const isBuffer = native && bytes instanceof native
  if (isBuffer && end - start >= BUFFER_BYTES) return bytes.toString('base64url', start, end)
  if (native && end - start >= LONG_BYTES) {
    return native.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('base64url')
  }
  const rest = (end - start) % 3
  const whole = end - rest
  let text = ''
  for (let i = start; i < whole; i += 3)
    text += pair(bytes, i) + PAIRS[((at(bytes, i + 1) & 15) << 8) | at(bytes, i + 2)]
  // One byte left over makes two letters, two bytes make three; the bits that are missing are 0.
  if (rest === 1) text += PAIRS[at(bytes, whole) << 4]
  if (rest === 2) text += pair(bytes, whole) + ALPHABET[(at(bytes, whole + 1) & 15) << 2]
  return text
}

/** The first two of the four letters for three bytes. */
function pair(bytes: Uint8Array, i: number): string {
  return PAIRS[(at(bytes, i) << 4) | (at(bytes, i + 1) >> 4)] ?? ''
}

function at(bytes: Uint8Array, i: number): number {
  return bytes[i] ?? 0
}

// A letter's six bits by its code; one bit more for all that are no letters.
const NO_LETTER = 64
const VALUES = Uint8Array.from({ length: 128 }, (_, code) => {
  const value = ALPHABET.indexOf(String.fromCharCode(code))
  return value < 0 ? NO_LETTER : value
})

const LETTERS = /^[\w-]+$/

/** The bytes of base64url text. Throws on text of another alphabet, and of a length that no bytes have. */
export function fromBase64Url(text: string): Uint8Array {
  if (native && text.length >= LONG_TEXT) {
    // By itself it would pass over what is no letter, and take letters of base64 and of a like code for ours.
    if (!LETTERS.test(text) || text.length % 4 === 1) throw notBase64Url()
    const { buffer, byteOffset, length } = native.from(text, 'base64url')
    return new Uint8Array(buffer, byteOffset, length)
  }
  const bytes = new Uint8Array((text.length * 3) >> 2)
  let seen = text.length % 4 === 1 ? NO_LETTER : 0
  let word = 0
  for (let i = 0, bits = 0, to = 0; i < text.length; i++) {
    const value = VALUES[text.charCodeAt(i)] ?? NO_LETTER
    seen |= value
    // What was written falls off at the top, and a byte takes the lowest eight bits.
    word = (word << 6) | value
    bits += 6
    if (bits < 8) continue
    bits -= 8
    bytes[to++] = word >> bits
  }
  if (seen & NO_LETTER) throw notBase64Url()
  return bytes
}

function notBase64Url(): TypeError {
  return new TypeError('This is no base64url text')
}
