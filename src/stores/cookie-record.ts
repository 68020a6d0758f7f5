import { fromBase64Url, toBase64Url } from '../base64url.ts'
import { randomText } from '../random.ts'
import { NO_TIMEOUTS, type SessionRecord } from '../record.ts'
import { decodeBody, encodeBody } from '../record-body.ts'
import { ByteReader, ByteWriter } from './cookie-bytes.ts'

/** A session as a cookie holds it. */
export interface SealedSession {
  readonly handle: string
  /** Which of its ids the session had when this was sealed: a new one at each sign-in. */
  readonly generation: string
  /** The instant from which this copy opens no more. */
  readonly expiresAt: number
  /** The latest such instant of all copies so far, as far as this one knows. */
  readonly lastEnd: number
  /** The mark of its user's last `revokeUser` when this was sealed, where there was one. */
  readonly epoch: string | undefined
  readonly record: SessionRecord
}

const VERSION = 1

/** 16 bytes, as in `Id`. */
const HANDLE_BYTES = 16
/** 6 bytes (48 bits) tell a few apart. Nobody can try them, as they are inside the seal. */
const TOKEN_BYTES = 6
/** The letters that they make. */
export const TOKEN_LENGTH = 8

export function newToken(): string {
  return randomText(TOKEN_BYTES)
}

/** What is there, as bits of one byte. */
const USER = 1
const AUTHENTICATED = 2
const IDLE = 4
const ABSOLUTE = 8
const PERSISTENCE = 16
const PERSISTENT = 32
const EPOCH = 64

/**
 * The session as bytes. Instants are differences in milliseconds, which take three to five bytes where JSON takes thirteen
 * and a name. To be used before the next one is encoded: all are in the same memory.
 */
export function encodeSession(session: SealedSession): Uint8Array {
  const { record, expiresAt, epoch } = session
  const { userId, authenticatedAt, createdAt, seenAt, timeouts } = record
  const writer = new ByteWriter()
    .byte(VERSION)
    .byte(flagsOf(session))
    .fixed(fromBase64Url(session.handle))
    .fixed(fromBase64Url(session.generation))
    .number(createdAt)
    .number(seenAt - createdAt)
    .number(expiresAt - seenAt)
    .number(session.lastEnd - expiresAt)
  if (userId !== undefined) writer.text(userId)
  if (authenticatedAt !== undefined) writer.number(authenticatedAt - createdAt)
  if (timeouts.idle !== undefined) writer.number(timeouts.idle)
  if (timeouts.absolute !== undefined) writer.number(timeouts.absolute)
  if (epoch !== undefined) writer.fixed(fromBase64Url(epoch))
  return writer.end(encodeBody(record))
}

/** Reads what `encodeSession` wrote. @throws When it is of another version. */
export function decodeSession(bytes: Uint8Array): SealedSession {
  const reader = new ByteReader(bytes)
  if (reader.byte() !== VERSION) throw new Error('The cookie is no session of this version')
  const flags = reader.byte()
  const has = (flag: number): boolean => (flags & flag) !== 0
  const handle = toBase64Url(reader.fixed(HANDLE_BYTES))
  const generation = toBase64Url(reader.fixed(TOKEN_BYTES))
  const createdAt = reader.number()
  const seenAt = createdAt + reader.number()
  const expiresAt = seenAt + reader.number()
  const lastEnd = expiresAt + reader.number()
  const userId = has(USER) ? reader.text() : undefined
  const authenticatedAt = has(AUTHENTICATED) ? createdAt + reader.number() : undefined
  const idle = has(IDLE) ? reader.number() : undefined
  const absolute = has(ABSOLUTE) ? reader.number() : undefined
  const persistent = has(PERSISTENCE) ? has(PERSISTENT) : undefined
  const epoch = has(EPOCH) ? toBase64Url(reader.fixed(TOKEN_BYTES)) : undefined
  return {
    handle,
    generation,
    expiresAt,
    lastEnd,
    epoch,
    record: {
      secrets: [{ hash: generation, wrap: undefined }],
      createdAt,
      seenAt,
      mark: undefined,
      authenticatedAt,
      userId,
      timeouts: { ...NO_TIMEOUTS, idle, absolute, persistent },
      ...decodeBody(reader.end()),
      dataKey: undefined,
      closed: false,
    },
  }
}

function flagsOf({ record, epoch }: SealedSession): number {
  const { idle, absolute, persistent } = record.timeouts
  return (
    (record.userId === undefined ? 0 : USER) |
    (record.authenticatedAt === undefined ? 0 : AUTHENTICATED) |
    (idle === undefined ? 0 : IDLE) |
    (absolute === undefined ? 0 : ABSOLUTE) |
    (persistent === undefined ? 0 : PERSISTENCE) |
    (persistent ? PERSISTENT : 0) |
    (epoch === undefined ? 0 : EPOCH)
  )
}
