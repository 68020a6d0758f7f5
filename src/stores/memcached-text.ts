import { randomBytes } from 'node:crypto'
import type { Entry } from '../store.ts'

/** An entry as the text of an item, with the token that tells it from every other state of every other item. */
export interface Kept extends Entry {
  readonly token: string
}

export function newToken(): string {
  return randomBytes(12).toString('base64url')
}

/** `<token> <expiresAt> <length of the user's id, or -> <user's id><value>` */
export function encode({ token, expiresAt, userId, value }: Kept): string {
  const [length, user] = userId === undefined ? ['-', ''] : [userId.length, userId]
  return `${token} ${expiresAt} ${length} ${user}${value}`
}

const HEAD = /^([\w-]{16}) (-?\d+(?:\.\d+)?) (-|\d{1,9}) /

/** `undefined` when the text is none that `encode` has made. */
export function decode(data: string): Kept | undefined {
  const [head, token, expiresAt, length] = HEAD.exec(data) ?? []
  if (head === undefined || token === undefined) return undefined
  const user = head.length
  const value = user + (length === '-' ? 0 : Number(length))
  if (value > data.length) return undefined
  return {
    token,
    expiresAt: Number(expiresAt),
    userId: length === '-' ? undefined : data.slice(user, value),
    value: data.slice(value),
  }
}

const THIRTY_DAYS = 30 * 24 * 3600
const DAY = 24 * 3600
/** What a server can count to: January 2038. */
const LAST = 2 ** 31 - 1

/**
 * What memcached is told of an entry's life: seconds from now, or from 1970 when they are more than 30 days; never 0, which
 * means for ever. It may come later than the entry's end, which the store looks after itself, and never earlier: the
 * server counts whole seconds, and a date is one by the clock of this machine, which may be wrong by as much as a day.
 */
export function exptime(expiresAt: number, now: number): number {
  const seconds = Math.max(Math.ceil((expiresAt - now) / 1000), 0) + 1
  if (seconds <= THIRTY_DAYS) return seconds
  return Math.min(Math.ceil(Date.now() / 1000) + seconds + DAY, LAST)
}
