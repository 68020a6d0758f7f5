import { sha256 } from '@noble/hashes/sha2.js'
import { utf8ToBytes } from '@noble/hashes/utils.js'
import { toBase64Url } from './base64url.ts'

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

const KEY = /^[\w-]{22}$/
const ID = /^([\w-]{22})\.([\w-]{32})$/

export function newKey(): string {
  return random(KEY_BYTES)
}

export function newSecret(): string {
  return random(SECRET_BYTES)
}

export function isKey(text: unknown): text is string {
  return typeof text === 'string' && KEY.test(text)
}

/** The id that a cookie's value spells, or `undefined` when it cannot be one of ours. */
export function parseId(text: string): Id | undefined {
  const [, key, secret] = ID.exec(text) ?? []
  return key !== undefined && secret !== undefined ? { key, secret } : undefined
}

export function formatId({ key, secret }: Id): string {
  return `${key}.${secret}`
}

/** What the store may know of a secret. One round is enough: nobody can try all of 192 random bits. */
export function hashSecret(secret: string): string {
  return toBase64Url(sha256(utf8ToBytes(secret)))
}

/** Compares two hashes in a time that does not tell where they differ. */
export function sameHash(a: string, b: string): boolean {
  if (a.length !== b.length) return false
  let difference = 0
  for (let i = 0; i < a.length; i++) difference |= a.charCodeAt(i) ^ b.charCodeAt(i)
  return difference === 0
}

function random(bytes: number): string {
  return toBase64Url(crypto.getRandomValues(new Uint8Array(bytes)))
}
