import { hashSecret, sameHash } from './id.ts'
import { newDataKey, seal, unseal, unwrapKey, wrapKey } from './seal.ts'
import { Slot } from './slot.ts'
import type { Entry } from './store.ts'

/** A secret that opens the session: its hash and, when the data is sealed, the data key wrapped by the secret. */
export interface SecretHash {
  readonly hash: string
  readonly wrap: string | undefined
}

/** Lifetimes that this session has of its own, in milliseconds. */
export interface Timeouts {
  readonly idle: number | undefined
  readonly absolute: number | undefined
  readonly persistent: boolean | undefined
}

/** A value for the next page. The number tells it from the session's others: a request names those it has taken. */
export interface Flash {
  readonly number: number
  readonly key: string
  readonly slot: Slot
}

/** A session as the store keeps it, decoded. Never changed in place once made: commits work on copies. */
export interface SessionRecord {
  readonly secrets: readonly SecretHash[]
  readonly createdAt: number
  /** When it was last written, which a use does once per extension interval. */
  readonly seenAt: number
  readonly authenticatedAt: number | undefined
  readonly userId: string | undefined
  readonly timeouts: Timeouts
  /** `undefined` when the data is sealed and nothing at hand opens it. */
  readonly data: ReadonlyMap<string, Slot>
  readonly flashes: readonly Flash[]
  /** What opens and seals the data, when it is sealed at rest. */
  readonly dataKey: Uint8Array | undefined
  /** Whether the data is sealed and stayed closed: `data` and `flashes` are empty then. */
  readonly closed: boolean
}

/** What may open a record's sealed data: secrets of its ids, or else the data key of a record of the same session. */
export type Opener = { secrets: readonly string[]; dataKey?: Uint8Array | undefined } | undefined

/** The text form. Short names: every session carries them. */
interface Wire {
  v: 1
  /** The secrets: `[hash]` or `[hash, wrap]`. */
  s: [string, string?][]
  c: number
  u: number
  a?: number
  i?: number
  t?: number
  p?: boolean
}

interface Body {
  /** The data by key; values named in `r` are texts of `devalue`. */
  d: Record<string, unknown>
  r?: string[]
  /** The flashes: number, key, value, and 1 when the value is text of `devalue`. */
  f?: [number, string, unknown, 1?][]
}

export const NO_TIMEOUTS: Timeouts = { idle: undefined, absolute: undefined, persistent: undefined }

export function newRecord(createdAt: number): SessionRecord {
  return {
    secrets: [],
    createdAt,
    seenAt: createdAt,
    authenticatedAt: undefined,
    userId: undefined,
    timeouts: NO_TIMEOUTS,
    data: new Map(),
    flashes: [],
    dataKey: undefined,
    closed: false,
  }
}

/** Random, since requests that run at the same time must not number alike. Not secret: 52 bits tell a few flashes apart. */
export function newFlashNumber(): number {
  return Math.floor(Math.random() * Number.MAX_SAFE_INTEGER)
}

/** Whether there is anything in it worth keeping. */
export function isBlank(record: SessionRecord): boolean {
  return record.data.size === 0 && record.flashes.length === 0 && record.userId === undefined
}

export function hasSecret(record: SessionRecord, hash: string): boolean {
  let found = false
  for (const secret of record.secrets) if (sameHash(secret.hash, hash)) found = true
  return found
}

/** The secret as the record may keep it. */
export function secretHash(secret: string, key: string, dataKey: Uint8Array | undefined): SecretHash {
  return { hash: hashSecret(secret), wrap: dataKey && wrapKey(dataKey, secret, `key ${key}`) }
}

/** The record with its data sealed from the next write on; the secret is the one that opened it. */
export function sealed(record: SessionRecord, key: string, secret: string): SessionRecord {
  if (record.dataKey || record.closed) return record
  const dataKey = newDataKey()
  // Another secret that opened it too cannot be wrapped for, being unknown: it ends here.
  return { ...record, dataKey, secrets: [secretHash(secret, key, dataKey)] }
}

/** The text that a store keeps for a record. */
export function encodeRecord(record: SessionRecord, key: string): string {
  const { authenticatedAt, timeouts, dataKey } = record
  const wire: Wire = {
    v: 1,
    s: record.secrets.map(({ hash, wrap }) => (wrap === undefined ? [hash] : [hash, wrap])),
    c: record.createdAt,
    u: record.seenAt,
  }
  if (authenticatedAt !== undefined) wire.a = authenticatedAt
  if (timeouts.idle !== undefined) wire.i = timeouts.idle
  if (timeouts.absolute !== undefined) wire.t = timeouts.absolute
  if (timeouts.persistent !== undefined) wire.p = timeouts.persistent
  const head = JSON.stringify(wire).slice(0, -1)
  const body = encodeBody(record)
  return dataKey ? `${head},"x":"${seal(`{${body}}`, dataKey, `data ${key}`)}"}` : `${head},${body}}`
}

// Joined by hand, since the values are JSON texts already: nothing unchanged is written twice.
function encodeBody({ data, flashes }: SessionRecord): string {
  const values: string[] = []
  const rich: string[] = []
  for (const [name, slot] of data) {
    values.push(`${JSON.stringify(name)}:${jsonOf(slot)}`)
    if (slot.rich) rich.push(name)
  }
  const parts = [`"d":{${values.join(',')}}`]
  if (rich.length > 0) parts.push(`"r":${JSON.stringify(rich)}`)
  if (flashes.length > 0) parts.push(`"f":[${flashes.map(encodeFlash).join(',')}]`)
  return parts.join(',')
}

function encodeFlash({ number, key, slot }: Flash): string {
  return `[${number},${JSON.stringify(key)},${jsonOf(slot)}${slot.rich ? ',1' : ''}]`
}

function jsonOf(slot: Slot): string {
  return slot.rich ? JSON.stringify(slot.text) : slot.text
}

/**
 * Reads what `encodeRecord` wrote. Sealed data stays closed without an opener.
 * @throws When the text is no session of ours, or the seal is broken.
 */
export function decodeRecord(entry: Entry, key: string, opener: Opener): SessionRecord {
  const wire = parse(entry.value) as Wire & Partial<Body> & { x?: string }
  if (wire?.v !== 1 || !Array.isArray(wire.s)) throw new Error('The entry is no session of this version')
  const secrets = wire.s.map(([hash, wrap]) => ({ hash, wrap }))
  const dataKey = wire.x === undefined ? undefined : openKey(secrets, key, opener)
  const body = wire.x === undefined ? wire : dataKey && JSON.parse(unseal(wire.x, dataKey, `data ${key}`))
  return {
    secrets,
    createdAt: wire.c,
    seenAt: wire.u,
    authenticatedAt: wire.a,
    userId: entry.userId,
    timeouts: { idle: wire.i, absolute: wire.t, persistent: wire.p },
    ...decodeBody(body),
    dataKey,
    closed: body === undefined,
  }
}

/** Without the parser's own error, which quotes what it cannot read: data, on its way to a log. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new Error('The entry is not JSON')
  }
}

function openKey(secrets: readonly SecretHash[], key: string, opener: Opener): Uint8Array | undefined {
  for (const secret of opener?.secrets ?? []) {
    const hash = hashSecret(secret)
    const wrap = secrets.find((known) => sameHash(known.hash, hash))?.wrap
    if (wrap !== undefined) return unwrapKey(wrap, secret, `key ${key}`)
  }
  return opener?.dataKey
}

function decodeBody(body: Partial<Body> | undefined): Pick<SessionRecord, 'data' | 'flashes'> {
  const data = new Map<string, Slot>()
  const rich = new Set(body?.r)
  // Entries, not assignment to an object: a key may be called "__proto__".
  for (const [name, value] of Object.entries(body?.d ?? {})) {
    data.set(name, rich.has(name) ? Slot.ofText({ text: String(value), rich: true }) : Slot.ofJson(value))
  }
  const flashes = (body?.f ?? []).map(([number, key, value, isRich]) => ({
    number,
    key,
    slot: isRich ? Slot.ofText({ text: String(value), rich: true }) : Slot.ofJson(value),
  }))
  return { data, flashes }
}
