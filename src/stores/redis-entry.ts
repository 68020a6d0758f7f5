import type { Entry, StoredEntry } from '../store.ts'

/**
 * So many processes are remembered that wrote an entry last.
 *
 * Clients send a command again when its connection is lost before the answer, though the server may have carried it
 * out. A process that then meets a conflict finds its own token here and knows that its write was done, even when others
 * have written since.
 */
const WRITERS = 4

/** The length of the part of a token that is the same for all writes of one store. */
const WRITER = 8

/**
 * Makes tokens that are never the same: what an entry's state is known by. Nothing is ever taken for its successor, not
 * even under a key that was deleted in between.
 */
export function tokens(): () => string {
  const bytes = crypto.getRandomValues(new Uint8Array(WRITER))
  const writer = Array.from(bytes, (byte) => ALPHABET[byte % ALPHABET.length]).join('')
  let count = 0
  return () => writer + (count++).toString(36)
}

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'

/**
 * An entry as the one string that is kept of it: `<tokens> <expiresAt> <length of the user id> <user id><value>`. The
 * tokens begin with that of this state; a length of `-` means that there is no user. The same string is the entry's
 * version, so that whoever has the version has all that it says.
 * @param before the tokens of the state that this one replaces
 */
export function pack(token: string, before: readonly string[], { value, expiresAt, userId }: Entry): string {
  const others = before.filter((other) => other.slice(0, WRITER) !== token.slice(0, WRITER))
  const all = [token, ...others].slice(0, WRITERS).join(',')
  return `${all} ${expiresAt} ${userId === undefined ? '-' : userId.length} ${userId ?? ''}${value}`
}

/** The entry that a string holds, or `undefined` when it holds none. */
export function unpack(raw: unknown): StoredEntry | undefined {
  if (typeof raw !== 'string') return undefined
  // By hand: a regular expression takes some times as long, and each visit does this twice.
  const afterTokens = raw.indexOf(' ')
  const afterExpiry = raw.indexOf(' ', afterTokens + 1)
  const afterLength = raw.indexOf(' ', afterExpiry + 1)
  if (afterTokens < 1 || afterLength < 0) return undefined
  const expiresAt = Number(raw.slice(afterTokens + 1, afterExpiry))
  const length = raw.slice(afterExpiry + 1, afterLength)
  const start = afterLength + 1 + (length === '-' ? 0 : Number(length))
  if (!(expiresAt > 0 && start > afterLength && start <= raw.length)) return undefined
  const userId = length === '-' ? undefined : raw.slice(afterLength + 1, start)
  return { value: raw.slice(start), expiresAt, userId, version: raw }
}

/** The tokens of the writes that a string is known to contain. */
export function tokensIn(raw: string): string[] {
  return raw.slice(0, raw.indexOf(' ')).split(',')
}

/** What a string has to begin with to be the same state: enough to know it by, and short enough to send along. */
export function head(raw: string): string {
  return raw.slice(0, raw.indexOf(' ') + 1) || raw
}
