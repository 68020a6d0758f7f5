import { xchacha20poly1305 } from '@noble/ciphers/chacha.js'
import { hkdf } from '@noble/hashes/hkdf.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { utf8ToBytes } from '@noble/hashes/utils.js'
import { fromBase64Url, toBase64Url } from './base64url.ts'
import { randomBytes } from './random.ts'

// XChaCha20-Poly1305: 24 random bytes are enough as a nonce for any number of messages under one key, which the 12 of
// AES-GCM are not (NIST SP 800-38D section 8.3 allows 2^32 messages).
const NONCE_BYTES = 24
const KEY_BYTES = 32

/** A new random key that seals the data of one session. */
export function newDataKey(): Uint8Array {
  return crypto.getRandomValues(new Uint8Array(KEY_BYTES))
}

/**
 * Encrypts and authenticates text.
 * @param context - What the text is for and whose it is; opening it elsewhere fails (associated data).
 */
export function seal(text: string, key: Uint8Array, context: string): string {
  return sealBytes(utf8ToBytes(text), key, context)
}

/** The text that was sealed. Throws when key, context or a single bit differ. */
export function unseal(sealed: string, key: Uint8Array, context: string): string {
  return new TextDecoder().decode(unsealBytes(sealed, key, context))
}

/**
 * Seals a session's data key under the secret of its id, which the server does not keep: without a visitor's cookie
 * nobody can open the data, whoever holds the table.
 */
export function wrapKey(dataKey: Uint8Array, secret: string, context: string): string {
  return sealBytes(dataKey, wrappingKey(secret), context)
}

export function unwrapKey(wrapped: string, secret: string, context: string): Uint8Array {
  return unsealBytes(wrapped, wrappingKey(secret), context)
}

/** The secret is 192 random bits, so deriving needs no slowness, only a purpose of its own (RFC 5869). */
function wrappingKey(secret: string): Uint8Array {
  return deriveKey(utf8ToBytes(secret), 'sojourn data key')
}

/** A key for one purpose, which tells nothing of the secret nor of the keys for other purposes. */
export function deriveKey(secret: Uint8Array, purpose: string, length: number = KEY_BYTES): Uint8Array {
  return hkdf(sha256, secret, undefined, utf8ToBytes(purpose), length)
}

/** Encrypts and authenticates bytes, as base64url. @param context - As for `seal`. */
function sealBytes(bytes: Uint8Array, key: Uint8Array, context: string): string {
  const nonce = randomBytes(NONCE_BYTES)
  const box = xchacha20poly1305(key, nonce, utf8ToBytes(context)).encrypt(bytes)
  const sealed = new Uint8Array(NONCE_BYTES + box.length)
  sealed.set(nonce)
  sealed.set(box, NONCE_BYTES)
  return toBase64Url(sealed)
}

/** The bytes that were sealed. Throws as `unseal` does. */
function unsealBytes(sealed: string, key: Uint8Array, context: string): Uint8Array {
  const bytes = fromBase64Url(sealed)
  const nonce = bytes.subarray(0, NONCE_BYTES)
  return xchacha20poly1305(key, nonce, utf8ToBytes(context)).decrypt(bytes.subarray(NONCE_BYTES))
}
