// `Uint8Array.prototype.toBase64` would do, but Node 20 to 24 lack it. By table, two letters at once: `btoa` takes text of
// single characters and gives another alphabet, which together took six times as long for the 32 bytes of a hash.

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
const PAIRS = Array.from(ALPHABET, (first) => Array.from(ALPHABET, (second) => first + second)).flat()

/** Bytes as base64url text without padding (RFC 4648 section 5). */
export function toBase64Url(bytes: Uint8Array): string {
  const rest = bytes.length % 3
  const whole = bytes.length - rest
  let text = ''
  for (let i = 0; i < whole; i += 3)
    text += pair(bytes, i) + PAIRS[((at(bytes, i + 1) & 15) << 8) | at(bytes, i + 2)]
  // One byte left over makes two letters, two bytes make three; the bits that are missing are 0.
  if (rest === 1) text += pair(bytes, whole)
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

/** The bytes of base64url text. Throws on text of another alphabet. */
export function fromBase64Url(text: string): Uint8Array {
  return Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (char) => char.charCodeAt(0))
}
