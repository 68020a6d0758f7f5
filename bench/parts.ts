/*
 * What the parts cost that a dependency could do, or the platform: the figures of the pages in decisions/.
 *   node bench/parts.ts
 */
import { createCipheriv, createHash, hash } from 'node:crypto'
import { deserialize, serialize } from 'node:v8'
import { xchacha20poly1305 } from '@noble/ciphers/chacha.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { utf8ToBytes } from '@noble/hashes/utils.js'
import { parseCookie, stringifySetCookie } from 'cookie'
import { parse, stringify } from 'devalue'
import superjson from 'superjson'
import { cookieValues, setCookie } from '../src/cookie.ts'
import { cookiePolicy } from '../src/cookie-policy.ts'
import { compare } from './compare.ts'

const secret = 'abcdefghijklmnopqrstuvwxyz012345'
const bytes = utf8ToBytes(secret)
await compare('SHA-256 of a secret', {
  '@noble/hashes': () => sha256(utf8ToBytes(secret)),
  'crypto.hash (Node alone)': () => hash('sha256', secret, 'base64url'),
  'crypto.createHash (Node alone)': () => createHash('sha256').update(secret).digest('base64url'),
  'crypto.subtle.digest (asynchronous)': () => crypto.subtle.digest('SHA-256', bytes),
})

const key = crypto.getRandomValues(new Uint8Array(32))
const text = crypto.getRandomValues(new Uint8Array(300))
const subtleKey = await crypto.subtle.importKey('raw', key, 'AES-GCM', false, ['encrypt'])
await compare('Sealing 300 bytes', {
  'XChaCha20-Poly1305, @noble/ciphers': () =>
    xchacha20poly1305(key, crypto.getRandomValues(new Uint8Array(24))).encrypt(text),
  'ChaCha20-Poly1305, node:crypto (12-byte nonce)': () => nodeSeal('chacha20-poly1305'),
  'AES-256-GCM, node:crypto (12-byte nonce)': () => nodeSeal('aes-256-gcm'),
  'AES-256-GCM, crypto.subtle (asynchronous)': () =>
    crypto.subtle.encrypt(
      { name: 'AES-GCM', iv: crypto.getRandomValues(new Uint8Array(12)) },
      subtleKey,
      text,
    ),
})

function nodeSeal(algorithm: 'aes-256-gcm' | 'chacha20-poly1305'): Uint8Array {
  const nonce = crypto.getRandomValues(new Uint8Array(12))
  const cipher = createCipheriv(algorithm as 'aes-256-gcm', key, nonce, { authTagLength: 16 })
  return Buffer.concat([nonce, cipher.update(text), cipher.final(), cipher.getAuthTag()])
}

const rich = {
  at: new Date(),
  tags: new Set(['a', 'b']),
  total: 12n,
  name: 'a plain string',
  list: [1, 2, 3],
}
await compare('Writing and reading a value with a Date, a Set and a BigInt', {
  devalue: () => parse(stringify(rich)),
  superjson: () => superjson.parse(superjson.stringify(rich)),
  'node:v8 (Node alone, not text)': () => deserialize(serialize(rich)),
})

const id = `${'k'.repeat(22)}.${'s'.repeat(32)}`
const header = `theme=dark; consent=yes; _ga=GA1.1.123456789.1700000000; sid=${id}; lang=en; tz=Europe%2FParis`
const policy = cookiePolicy({})
await compare('Finding one cookie among six', {
  "Sojourn's own (all values of one name)": () => cookieValues(header, 'sid'),
  'parseCookie of cookie 1.1': () => parseCookie(header)['sid'],
})
await compare('Writing Set-Cookie', {
  "Sojourn's own (attributes joined once)": () => setCookie(policy, id, false, 2_592_000),
  'stringifySetCookie of cookie 1.1': () =>
    stringifySetCookie('sid', id, { maxAge: 2_592_000, path: '/', httpOnly: true, sameSite: 'lax' }),
})
