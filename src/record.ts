import { hashSecret, sameHash } from './id.ts'
import { randomText } from './random.ts'
import { decodeBody, EMPTY_BODY, encodeBody, type RecordBody } from './record-body.ts'
import { decodeHead, encodeHead, NO_TIMEOUTS, type RecordHead, type SecretHash } from './record-head.ts'
import { newDataKey, seal, unseal, unwrapKey, wrapKey } from './seal.ts'
import type { Entry } from './store.ts'

export { NO_TIMEOUTS, type SecretHash, type Timeouts } from './record-head.ts'

/** A session as the store keeps it, decoded. Never changed in place once made: commits work on copies. */
export interface SessionRecord extends RecordHead, RecordBody {
  readonly userId: string | undefined
  /** What opens and seals the data, when it is sealed at rest. */
  readonly dataKey: Uint8Array | undefined
  /** Whether the data is sealed and stayed closed: `data` and `flashes` are empty then. */
  readonly closed: boolean
}

/** One that is being made, and nobody else has. */
export type DraftRecord = { -readonly [Name in keyof SessionRecord]: SessionRecord[Name] }

/** What may open a record's sealed data: secrets of its ids, or else the data key of a record of the same session. */
export type Opener = { secrets: readonly string[]; dataKey?: Uint8Array | undefined } | undefined

export function newRecord(createdAt: number): SessionRecord {
  return {
    secrets: [],
    createdAt,
    seenAt: createdAt,
    mark: undefined,
    authenticatedAt: undefined,
    userId: undefined,
    timeouts: NO_TIMEOUTS,
    data: EMPTY_BODY.data,
    flashes: EMPTY_BODY.flashes,
    dataKey: undefined,
    closed: false,
  }
}

/** Random, since requests that run at the same time must not number alike. Not secret: 52 bits tell a few flashes apart. */
export function newFlashNumber(): number {
  return Math.floor(Math.random() * Number.MAX_SAFE_INTEGER)
}

/**
 * A mark for a write. It tells apart the few writes of one session that may be under way at once, so 24 random bits are
 * enough; nobody gains anything by guessing one.
 */
export function newMark(): string {
  return randomText(3)
}

/** Whether there is anything in it worth keeping. */
export function isBlank(record: SessionRecord): boolean {
  return record.data.size === 0 && record.flashes.length === 0 && record.userId === undefined
}

export function hasSecret(record: SessionRecord, hash: string): boolean {
  let found = false
  for (let i = 0; i < record.secrets.length; i++)
    if (sameHash((record.secrets[i] as SecretHash).hash, hash)) found = true
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

/** What stands before data that is sealed. */
const SEALED = '~'

/** The text that a store keeps for a record: a head of all but the data, and the data as JSON or sealed. */
export function encodeRecord(record: SessionRecord, key: string): string {
  const { dataKey } = record
  const body = encodeBody(record)
  return encodeHead(record) + (dataKey ? `${SEALED}${seal(body, dataKey, `data ${key}`)}` : body)
}

/**
 * Reads what `encodeRecord` wrote. Sealed data stays closed without an opener.
 * @throws When the text is no session of ours, or the seal is broken.
 */
export function decodeRecord(entry: Entry, key: string, opener: Opener): SessionRecord {
  const head = decodeHead(entry.value)
  const { length } = head
  const isSealed = entry.value.startsWith(SEALED, length)
  const dataKey = isSealed ? openKey(head.secrets, key, opener) : undefined
  const closed = isSealed && dataKey === undefined
  const { data, flashes } = isSealed
    ? openBody(entry.value.slice(length + SEALED.length), dataKey, key)
    : decodeBody(entry.value, length)
  return {
    secrets: head.secrets,
    createdAt: head.createdAt,
    seenAt: head.seenAt,
    mark: head.mark,
    authenticatedAt: head.authenticatedAt,
    timeouts: head.timeouts,
    userId: entry.userId,
    data,
    flashes,
    dataKey,
    closed,
  }
}

function openBody(sealed: string, dataKey: Uint8Array | undefined, key: string): RecordBody {
  return dataKey ? decodeBody(unseal(sealed, dataKey, `data ${key}`)) : EMPTY_BODY
}

function openKey(secrets: readonly SecretHash[], key: string, opener: Opener): Uint8Array | undefined {
  for (const secret of opener?.secrets ?? []) {
    const hash = hashSecret(secret)
    const wrap = secrets.find((known) => sameHash(known.hash, hash))?.wrap
    if (wrap !== undefined) return unwrapKey(wrap, secret, `key ${key}`)
  }
  return opener?.dataKey
}
