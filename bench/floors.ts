/*
 * Sessions that do only what must be done, as a measure of what the job itself costs: find one cookie, hash its id, one read,
 * parse, one write, one header. They check nothing else, keep no promise under concurrency, and are no sessions to use.
 */
import { createCipheriv, createDecipheriv, createSecretKey, hash, randomFillSync } from 'node:crypto'
import type { Data } from './site-data.ts'

export interface Floor {
  read(cookie: string | undefined, done: (data: Partial<Data>) => void): void
  /** Reads, changes and writes; `done` is told the cookie of a new session. */
  change(
    cookie: string | undefined,
    change: (data: Partial<Data>) => void,
    done: (data: Partial<Data>, setCookie: string | undefined) => void,
  ): void
}

/** What keeps texts, for a day. Calls back at once where it need not wait. */
export interface Keeper {
  read(key: string, done: (text: string | undefined) => void): void
  write(key: string, text: string, done: () => void): void
}

export const DAY = 86_400_000
const NAME = 'sid='
const ATTRIBUTES = '; Max-Age=86400; Path=/; HttpOnly; Secure; SameSite=Lax'

/** Sessions under an id, in whatever keeps them. */
export function keptFloor(keeper: Keeper): Floor {
  const load = (
    cookie: string | undefined,
    done: (key: string | undefined, data: Partial<Data>) => void,
  ): void => {
    const id = valueIn(cookie)
    const key = id && hash('sha256', id, 'base64url')
    if (!key) done(undefined, {})
    else keeper.read(key, (text) => (text === undefined ? done(undefined, {}) : done(key, JSON.parse(text))))
  }
  return {
    read: (cookie, done) => load(cookie, (_, data) => done(data)),
    change(cookie, change, done) {
      load(cookie, (known, data) => {
        change(data)
        if (known !== undefined) return keeper.write(known, JSON.stringify(data), () => done(data, undefined))
        const id = random(24).toString('base64url')
        const key = hash('sha256', id, 'base64url')
        return keeper.write(key, JSON.stringify(data), () => done(data, NAME + id + ATTRIBUTES))
      })
    },
  }
}

export function memoryKeeper(): Keeper {
  const entries = new Map<string, { text: string; expiresAt: number }>()
  return {
    read(key, done) {
      const entry = entries.get(key)
      done(entry && entry.expiresAt > Date.now() ? entry.text : undefined)
    },
    write(key, text, done) {
      entries.set(key, { text, expiresAt: Date.now() + DAY })
      done()
    },
  }
}

const NONCE = 12
const TAG = 16

/** The whole session in the cookie, sealed by AES-256-GCM. */
export function sealedFloor(bytes: Uint8Array): Floor {
  // Node 24 takes eight times as long to begin with a key that is bytes.
  const key = createSecretKey(bytes)
  const load = (cookie: string | undefined): Partial<Data> => {
    const value = valueIn(cookie)
    if (value === undefined) return {}
    const sealed = Buffer.from(value, 'base64url')
    const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, NONCE))
    decipher.setAuthTag(sealed.subarray(-TAG))
    const text = decipher.update(sealed.subarray(NONCE, -TAG), undefined, 'utf8') + decipher.final('utf8')
    const [expiresAt, data] = JSON.parse(text)
    return expiresAt > Date.now() ? data : {}
  }
  const seal = (data: Partial<Data>): string => {
    const nonce = random(NONCE)
    const cipher = createCipheriv('aes-256-gcm', key, nonce)
    const box = cipher.update(JSON.stringify([Date.now() + DAY, data]), 'utf8')
    cipher.final()
    return Buffer.concat([nonce, box, cipher.getAuthTag()]).toString('base64url')
  }
  return {
    read: (cookie, done) => done(load(cookie)),
    change(cookie, change, done) {
      const data = load(cookie)
      change(data)
      done(data, NAME + seal(data) + ATTRIBUTES)
    },
  }
}

/** The value of the one cookie wanted, by a scan of the header. */
function valueIn(header: string | undefined): string | undefined {
  if (header === undefined) return undefined
  let at = header.indexOf(NAME)
  while (at > 0 && header[at - 1] !== ' ') at = header.indexOf(NAME, at + 1)
  if (at < 0) return undefined
  const end = header.indexOf(';', at)
  return header.slice(at + NAME.length, end < 0 ? undefined : end)
}

const pool = Buffer.alloc(3072)
let drawn = pool.length

/** Random bytes, drawn in one piece for many; none is handed out twice, nor overwritten while it is used. */
function random(bytes: number): Buffer {
  if (drawn + bytes > pool.length) {
    randomFillSync(pool)
    drawn = 0
  }
  drawn += bytes
  return Buffer.from(pool.subarray(drawn - bytes, drawn))
}
