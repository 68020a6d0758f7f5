import { KEY_BYTES as SEALING_KEY_BYTES } from '../aes-siv.ts'
import { fromBase64Url, toBase64Url } from '../base64url.ts'
import { deriveKey } from '../seal.ts'

/** A key as it is used: what stands in front of what it has sealed, and what seals. */
export interface SealingKey {
  readonly id: string
  readonly bytes: Uint8Array
}

const KEY_BYTES = 32
// 24 bits tell a few keys apart; two that were alike would both be tried.
const ID_BYTES = 3
export const KEY_ID_LENGTH = 4

// Below them a key is not random: 32 random bytes fall short less than once in 10^8 keys, each.
const MIN_DISTINCT_BYTES = 17
const MIN_DISTINCT_STEPS = 12

const HINT = '"npx sojourn secret" prints one'

/** Checks the keys and readies them. @throws TypeError that says what is wrong with which key, and never shows it. */
export function sealingKeys(keys: readonly string[]): SealingKey[] {
  if (!Array.isArray(keys) || keys.length === 0) {
    throw new TypeError(`"keys" must be a list of keys, of which the first one seals; ${HINT}`)
  }
  return keys.map((key, i) => {
    if (keys.indexOf(key) !== i) throw new TypeError(`"keys[${i}]" is there twice`)
    const bytes = keyBytes(key, `"keys[${i}]"`)
    // Each purpose has a key of its own, so that the same key may serve other purposes.
    const id = deriveKey(bytes, 'sojourn cookie key id').subarray(0, ID_BYTES)
    return { id: toBase64Url(id), bytes: deriveKey(bytes, 'sojourn cookie AES-SIV', SEALING_KEY_BYTES) }
  })
}

function keyBytes(key: string, option: string): Uint8Array {
  // 43 letters hold 258 bits: the last one has two to spare.
  if (typeof key !== 'string' || !/^[\w-]{42}[AEIMQUYcgkosw048]$/.test(key)) {
    throw new TypeError(`${option} must be ${KEY_BYTES} random bytes as base64url, 43 letters; ${HINT}`)
  }
  const bytes = fromBase64Url(key)
  if (!isRandom(key, bytes)) {
    throw new TypeError(`${option} is not random, so it could be guessed: take no password; ${HINT}`)
  }
  return bytes
}

/** Whether nothing speaks against it: repeated bytes, sequences, words and text. */
function isRandom(key: string, bytes: Uint8Array): boolean {
  const steps = new Set(Array.from(bytes.subarray(1), (byte, i) => (byte - (bytes[i] ?? 0)) & 255))
  return (
    new Set(bytes).size >= MIN_DISTINCT_BYTES &&
    steps.size >= MIN_DISTINCT_STEPS &&
    /[a-z]/.test(key) &&
    /[A-Z]/.test(key) &&
    bytes.some((byte) => byte < 0x20 || byte > 0x7e)
  )
}
