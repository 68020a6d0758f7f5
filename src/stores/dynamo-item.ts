import { randomBytes } from 'node:crypto'
import { SessionError } from '../errors.ts'
import type { Entry, StoredEntry, Version } from '../store.ts'

/** What the store keeps in DynamoDB for one entry. */
export interface DynamoItem {
  key: string
  value: string
  version: string
  /** In milliseconds since 1970: what decides. */
  expiresAt: number
  /** In seconds since 1970: when DynamoDB may remove the item. */
  ttl: number
  /** There only when there is a user: items without it are not in the index. */
  userId?: string
}

/**
 * So long after its expiry DynamoDB may remove an item. It goes by a clock of its own, and an application whose clock is
 * slow must not lose what it takes to be alive; reads never answer what has expired, so that being late costs nothing.
 */
const MARGIN = 3600

/** What DynamoDB takes at most in an item: names and values of all attributes. */
const MAX_BYTES = 400 * 1024
/** The names of the attributes and the most that two numbers take. */
const OVERHEAD = 'keyvalueversionexpiresAtttluserId'.length + 2 * 21

/** @throws SessionError `ERR_SESSION_TOO_LARGE` when the item would be larger than DynamoDB takes. */
export function itemOf(key: string, { value, expiresAt, userId }: Entry, version: string): DynamoItem {
  const ttl = Math.ceil(expiresAt / 1000) + MARGIN
  const item: DynamoItem = { key, value: escaped(value), version, expiresAt, ttl }
  if (userId !== undefined) item.userId = escaped(userId)
  const bytes = OVERHEAD + [item.key, item.value, item.version, item.userId ?? ''].reduce(addBytes, 0)
  if (bytes <= MAX_BYTES) return item
  throw new SessionError(
    'ERR_SESSION_TOO_LARGE',
    `The session takes ${bytes} bytes as an item of DynamoDB, which takes no more than ${MAX_BYTES}`,
  )
}

function addBytes(sum: number, text: string): number {
  return sum + Buffer.byteLength(text)
}

/** The entry that an item holds; an item that was damaged holds none. */
export function entryOf(item: Readonly<Record<string, unknown>> | undefined): StoredEntry | undefined {
  if (!item) return undefined
  const { value, version, userId } = item
  const expiresAt = Number(item['expiresAt'])
  if (typeof value !== 'string' || typeof version !== 'string' || Number.isNaN(expiresAt)) return undefined
  if (userId !== undefined && typeof userId !== 'string') return undefined
  const user = userId === undefined ? undefined : unescaped(userId)
  return { value: unescaped(value), expiresAt, userId: user, version }
}

/** DynamoDB refuses an empty text in an index, and a document client may be told to make null of one. */
export function escaped(text: string): string {
  return text === '' || text.startsWith('\0') ? `\0${text}` : text
}

function unescaped(text: string): string {
  return text.startsWith('\0') ? text.slice(1) : text
}

/** So many writes of an entry can tell that they were stored. */
const REMEMBERED = 8

/**
 * A version: the marks of the last writes of the entry, the newest first. The AWS SDK sends a command again when the
 * answer was lost; the condition then fails on what the command itself has written, maybe under writes that came since.
 * Its mark in there tells the one from a conflict, so that no update is applied twice.
 */
export function newVersion(old: Version | undefined): string {
  const mark = randomBytes(6).toString('base64url')
  return old === undefined ? mark : [mark, ...marksOf(old).slice(0, REMEMBERED - 1)].join('.')
}

/** Whether the entry of version `current` is what the write of version `mine` has left, or came after it. */
export function includesWrite(current: Version, mine: string): boolean {
  const [mark = ''] = marksOf(mine)
  return marksOf(current).includes(mark)
}

function marksOf(version: Version): string[] {
  return String(version).split('.')
}

/** An attribute as it goes over the wire. In the item of an error the document client leaves it like that. */
type WireItem = Readonly<Record<string, unknown>>

/** The item of a failed condition, in plain values. */
export function plainItem(item: WireItem): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(item).map(([name, value]) => [name, plain(value)]))
}

function plain(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  const { S, N } = value as { S?: string; N?: string }
  return S ?? (N === undefined ? value : Number(N))
}
