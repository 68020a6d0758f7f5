/*
 * What a session in a cookie costs: which cipher, how many bytes, and what compression would save and tell. The figures of
 * decisions/cookie-cipher.md, cookie-format.md and no-compressed-cookies.md.
 *   node bench/cookies.ts
 */
import { createCipheriv, createDecipheriv, createSecretKey, hkdfSync, type KeyObject } from 'node:crypto'
import { deflateRawSync } from 'node:zlib'
import { gcm, gcmsiv } from '@noble/ciphers/aes.js'
import { hchacha, xchacha20poly1305 } from '@noble/ciphers/chacha.js'
import { hkdf } from '@noble/hashes/hkdf.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { aesSiv, portableAesSiv } from '../src/aes-siv.ts'
import { Journal } from '../src/journal.ts'
import { encodeRecord, newRecord, type SessionRecord } from '../src/record.ts'
import { Slot } from '../src/slot.ts'
import { encodeSession, newToken } from '../src/stores/cookie-record.ts'
import { compare } from './compare.ts'

const key = crypto.getRandomValues(new Uint8Array(32))
const purpose = new TextEncoder().encode('session cookie sid')
const random = (bytes: number): Uint8Array => crypto.getRandomValues(new Uint8Array(bytes))

/** A cipher as a session would use it: a fresh nonce for each message, where it takes one. */
interface Cipher {
  seal(text: Uint8Array): Uint8Array
  open(sealed: Uint8Array): Uint8Array
}

/** AES-256-GCM under a key of its own for each message, derived from 24 random bytes: as good as a long nonce. */
const derivedNode: Cipher = {
  seal(text) {
    const salt = random(24)
    const cipher = createCipheriv('aes-256-gcm', derived(salt), new Uint8Array(12))
    cipher.setAAD(purpose)
    return Buffer.concat([salt, cipher.update(text), cipher.final(), cipher.getAuthTag()])
  },
  open(sealed) {
    const decipher = createDecipheriv('aes-256-gcm', derived(sealed.subarray(0, 24)), new Uint8Array(12))
    decipher.setAAD(purpose)
    decipher.setAuthTag(sealed.subarray(-16))
    return Buffer.concat([decipher.update(sealed.subarray(24, -16)), decipher.final()])
  },
}

function derived(salt: Uint8Array): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', key, salt, purpose, 32))
}

const derivedNoble: Cipher = {
  seal(text) {
    const salt = random(24)
    const box = gcm(hkdf(sha256, key, salt, purpose, 32), new Uint8Array(12), purpose).encrypt(text)
    return Buffer.concat([salt, box])
  },
  open(sealed) {
    const own = hkdf(sha256, key, sealed.subarray(0, 24), purpose, 32)
    return gcm(own, new Uint8Array(12), purpose).decrypt(sealed.subarray(24))
  },
}

type Aead = (
  key: Uint8Array,
  nonce: Uint8Array,
  aad: Uint8Array,
) => {
  encrypt(text: Uint8Array): Uint8Array
  decrypt(box: Uint8Array): Uint8Array
}

function noble(aead: Aead, nonceBytes: number): Cipher {
  return {
    seal(text) {
      const nonce = random(nonceBytes)
      return Buffer.concat([nonce, aead(key, nonce, purpose).encrypt(text)])
    },
    open(sealed) {
      return aead(key, sealed.subarray(0, nonceBytes), purpose).decrypt(sealed.subarray(nonceBytes))
    },
  }
}

const SIGMA = new Uint32Array(new TextEncoder().encode('expand 32-byte k').buffer)
const words = (bytes: Uint8Array): Uint32Array => new Uint32Array(Uint8Array.from(bytes).buffer)

/** XChaCha20-Poly1305: a key for each message, and the cipher of Node. @param keyOf - What is made of those bytes. */
function nativeXChaCha(keyOf: (bytes: Uint8Array) => Uint8Array | KeyObject): Cipher {
  const ownKey = (nonce: Uint8Array) => {
    const own = new Uint32Array(8)
    hchacha(SIGMA, words(key), words(nonce.subarray(0, 16)), own)
    return keyOf(new Uint8Array(own.buffer))
  }
  const short = (nonce: Uint8Array) => Buffer.concat([new Uint8Array(4), nonce.subarray(16, 24)])
  const options = { authTagLength: 16 }
  return {
    seal(text) {
      const nonce = random(24)
      const cipher = createCipheriv('chacha20-poly1305', ownKey(nonce), short(nonce), options)
      cipher.setAAD(purpose, { plaintextLength: text.length })
      return Buffer.concat([nonce, cipher.update(text), cipher.final(), cipher.getAuthTag()])
    },
    open(sealed) {
      const decipher = createDecipheriv('chacha20-poly1305', ownKey(sealed), short(sealed), options)
      decipher.setAAD(purpose, { plaintextLength: sealed.length - 40 })
      decipher.setAuthTag(sealed.subarray(-16))
      return Buffer.concat([decipher.update(sealed.subarray(24, -16)), decipher.final()])
    },
  }
}

const sivKey = random(64)

const CIPHERS: Record<string, Cipher> = {
  'AES-SIV, two ciphers of Node for all messages': aesSiv(sivKey, purpose),
  'AES-SIV, @noble/ciphers': portableAesSiv(sivKey, purpose),
  'XChaCha20-Poly1305, node:crypto, KeyObject': nativeXChaCha(createSecretKey),
  'XChaCha20-Poly1305, node:crypto, key as bytes': nativeXChaCha((bytes) => bytes),
  'XChaCha20-Poly1305, @noble/ciphers': noble(xchacha20poly1305, 24),
  'AES-256-GCM-SIV, @noble/ciphers (12-byte nonce)': noble(gcmsiv, 12),
  'AES-256-GCM, key derived by HKDF, @noble': derivedNoble,
  'AES-256-GCM, key derived by HKDF, node:crypto': derivedNode,
}

for (const size of [300, 3000]) {
  const text = random(size)
  const both = (cipher: Cipher) => () => cipher.open(cipher.seal(text))
  const parts = Object.fromEntries(Object.entries(CIPHERS).map(([name, cipher]) => [name, both(cipher)]))
  await compare(`Sealing and opening ${size} bytes`, parts, size > 1000 ? 2000 : 5000)
}

/** The data that the other formats are measured with, too: 280 bytes of JSON. */
const data = {
  num_visits: 42,
  basket: ['middlemarch-1', 'frankenstein-3', 'walden-2'],
  device: 'Firefox on Linux',
  theme: 'dark',
  last: { path: '/books/middlemarch', at: 1767225600000 },
  note: 'x'.repeat(99),
}
const json = JSON.stringify(data)
const handle = Buffer.from(random(16)).toString('base64url')
const record = signedIn()
const base64 = (bytes: number): number => Math.ceil((bytes * 4) / 3)
const SEAL = 16

function signedIn(): SessionRecord {
  const journal = new Journal()
  for (const [name, value] of Object.entries(data)) journal.put(name, Slot.ofValue(value, name))
  const empty = { ...newRecord(1767225600000), userId: 'ada', authenticatedAt: 1767225660000 }
  return { ...journal.applyTo(empty, handle, { stale: () => undefined }), seenAt: 1767229200000 }
}

const expiresAt = record.seenAt + 14 * 86_400_000
const bytes = encodeSession({
  handle,
  generation: newToken(),
  expiresAt,
  lastEnd: expiresAt,
  epoch: undefined,
  record,
})
const asText =
  encodeRecord(record, handle).length + JSON.stringify({ handle, expiresAt, userId: 'ada' }).length
console.log(`\nBytes of the cookie's value, for ${json.length} bytes of data as JSON`)
const SIZES = {
  'Sojourn: handle, user, five instants and the data': 1 + 4 + base64(bytes.length + SEAL),
  'the same as the text that stores keep': 1 + 4 + base64(asText + SEAL),
  'iron-session, computed from its format (data and end alone)': ironSize(json.length),
  '@fastify/secure-session, computed from its format (data alone)': secretboxSize(json.length),
}
for (const [name, size] of Object.entries(SIZES)) console.log(`  ${name.padEnd(68)} ${size}`)

/** Fe26.2*1*<salt>*<iv>*<AES-256-CBC>*<end>*<salt>*<HMAC-SHA-256>~2 */
function ironSize(length: number): number {
  const cipher = base64((Math.floor(length / 16) + 1) * 16)
  return 'Fe26.2*1*'.length + 64 + 1 + 22 + 1 + cipher + 1 + 13 + 1 + 64 + 1 + 43 + '~2'.length
}

/** Base64 of the secretbox and of its nonce, in which "+" and "/", two letters of 64, become three letters each. */
function secretboxSize(length: number): number {
  const letters = Math.ceil((length + 16) / 3) * 4 + 32
  return Math.round(letters * (1 + (2 * 2) / 64)) + '%3B'.length
}

console.log(
  '\nWhat compressing would save, and tell: the sealed length by how much of a token a visitor has guessed',
)
const token = 'k7Qm2ZpX9dLw4TnB'
// Each with as many letters right as it says, and the others wrong.
for (const right of [0, 4, 8, 12, 16]) {
  const guess = token.slice(0, right) + 'Rf8sVj3hYc6GuE1a'.slice(right)
  const text = JSON.stringify({ ...data, token, search: guess })
  console.log(
    `  ${String(right).padStart(2)} letters right: ${deflateRawSync(text).length} of ${text.length} bytes`,
  )
}
