import { createHash } from 'node:crypto'
import type { Entry, Version } from '../store.ts'

// What the stores on engines with revisions have in common: how an entry becomes bytes, and what a version says.

/** What a version says of its entry, so that an update need not look at what it replaces. */
export interface Known {
  readonly revision: string
  readonly expiresAt: number
  /** The hash of the user, or nothing. */
  readonly user: string
  /** When the index of users was last told, where the store has to know. */
  readonly markedAt: number
}

export function toVersion({ revision, expiresAt, user, markedAt }: Known): Version {
  return `${revision}/${expiresAt}/${user}/${markedAt}`
}

/** What {@link toVersion} has put together; `undefined` for anything else. */
export function parseVersion(version: Version): Known | undefined {
  const [, revision, expiresAt, user = '', markedAt] =
    /^([1-9]\d*)\/(-?[\d.e+]+)\/([\w-]*)\/(\d+)$/.exec(String(version)) ?? []
  if (revision === undefined || Number.isNaN(Number(expiresAt))) return undefined
  return { revision, expiresAt: Number(expiresAt), user, markedAt: Number(markedAt) }
}

/** What a user is called in an index: any text has one, of one length. */
export function hashOf(userId: string | undefined): string {
  return userId === undefined ? '' : createHash('sha256').update(userId).digest('base64url')
}

/** An entry as it was kept, with what else stands in front of its value. */
export interface Unpacked extends Entry {
  markedAt: number
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** A line that says when the entry expires and whose it is, and the value after it. */
export function pack({ value, expiresAt, userId }: Entry, markedAt = 0): Buffer {
  return Buffer.from(`${JSON.stringify([expiresAt, markedAt, userId])}\n${value}`)
}

/** What {@link pack} has put together; `undefined` when it is damaged: then there is no session any more. */
export function unpack(bytes: Uint8Array): Unpacked | undefined {
  try {
    const text = decoder.decode(bytes)
    const end = text.indexOf('\n')
    const [expiresAt, markedAt, userId] = JSON.parse(text.slice(0, end)) as unknown[]
    if (typeof expiresAt !== 'number' || typeof markedAt !== 'number') return undefined
    if (userId !== null && typeof userId !== 'string') return undefined
    return { value: text.slice(end + 1), expiresAt, userId: userId ?? undefined, markedAt }
  } catch {
    return undefined
  }
}
