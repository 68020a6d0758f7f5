const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
// A letter's six bits by its code; -1, which is all bits, for what is no letter.
const VALUES = Int8Array.from({ length: 128 }, (_, code) => ALPHABET.indexOf(String.fromCharCode(code)))

const BYTES = 16
/** The letters of base64url that 16 bytes take. */
const LETTERS = 22

// All drivers have taken it over when a statement returns. A new one for each call would cost more than the rest.
const bytes = new Uint8Array(BYTES)

/**
 * A key as a value for one statement: the 16 bytes that it spells, as keys of sessions do, since it is in the table and in an
 * index; any other text is kept as it is. By hand, in a quarter of the time that a regular expression and a Buffer take.
 */
export function keyColumn(key: string): string | Uint8Array {
  if (key.length !== LETTERS) return key
  let [word, seen] = [0, 0]
  for (let i = 0, bits = 0, to = 0; i < LETTERS; i++) {
    const value = VALUES[key.charCodeAt(i)] ?? -1
    seen |= value
    word = (word << 6) | value
    bits += 6
    if (bits < 8) continue
    bits -= 8
    bytes[to++] = word >> bits
  }
  // The last letter has four bits too many: another one would spell the same.
  return seen < 0 || (word & 15) !== 0 ? key : bytes
}

/** The key that {@link keyColumn} has made a value of. */
export function keyOf(column: string | Uint8Array): string {
  return typeof column === 'string' ? column : Buffer.from(column).toString('base64url')
}
