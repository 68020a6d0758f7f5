import { sha256 } from '@noble/hashes/sha2.js'
import { utf8ToBytes } from '@noble/hashes/utils.js'
import { toBase64Url } from './base64url.ts'
import { randomText } from './random.ts'

/**
 * A session's id, the value of its cookie: `<key>.<secret>`. The key names the session in the store for its whole life
 * and opens nothing; the secret is known to the browser alone and replaced whenever the id changes.
 */
export interface Id {
  key: string
  secret: string
}

// 16 bytes make a key unique; 24 bytes (192 bits) make a secret unguessable. OWASP asks for 64 bits of entropy at least.
const KEY_BYTES = 16
const SECRET_BYTES = 24
// In base64url.
const HASH_LENGTH = 32

const KEY = /^[\w-]{22}$/
const ID = /^[\w-]{22}\.[\w-]{32}$/
const DOT = 22

export function newKey(): string {
  return randomText(KEY_BYTES)
}

export function newSecret(): string {
  return randomText(SECRET_BYTES)
}

export function isKey(text: unknown): text is string {
  return typeof text === 'string' && KEY.test(text)
}

/** The id that a cookie's value spells, or `undefined` when it cannot be one of ours. */
export function parseId(text: string): Id | undefined {
  return ID.test(text) ? { key: text.slice(0, DOT), secret: text.slice(DOT + 1) } : undefined
}

export function formatId({ key, secret }: Id): string {
  return `${key}.${secret}`
}

// Where Node's own is at hand it takes a tenth of the time; it is no import, so that the core runs anywhere.
const { process } = globalThis as { process?: Partial<NodeJS.Process> }
const nativeHash = process?.getBuiltinModule?.('node:crypto')?.hash

/**
 * What the store may know of a secret: its SHA-256, cut to the 192 bits that the secret has itself. One round is enough,
 * since nobody can try all of them.
 */
export function hashSecret(secret: string): string {
  if (nativeHash) return nativeHash('sha256', secret, 'base64url').slice(0, HASH_LENGTH)
  return toBase64Url(sha256(utf8ToBytes(secret)), 0, SECRET_BYTES)
}

/** Compares two hashes in a time that does not tell where they differ. */
export function sameHash(a: string, b: string): boolean {
  if (a.length !== b.length) return false
  let difference = 0
  for (let i = 0; i < a.length; i++) difference |= a.charCodeAt(i) ^ b.charCodeAt(i)
  return difference === 0
}
