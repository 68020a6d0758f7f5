import type { StoredEntry, Version } from '../store.ts'

/** An entry of the durable store, and since when it is not known whether it has changed there. */
export interface Copy {
  readonly entry: StoredEntry
  /** An instant at which the durable store had it, or before that; in milliseconds since 1970. */
  readonly since: number
}

/**
 * What the cache holds under a key: a copy, or a gap. A gap says that nothing is known, and stands in the way of those who
 * would cache what they read before.
 */
export interface Held {
  /** The cache's own version of it. */
  readonly mark: Version
  /** `undefined`: a gap. */
  readonly copy: Copy | undefined
}

/** How an entry of the cache looks: facts in one line of JSON, then the value; or nothing at all, a gap. */
export function textOf({ entry, since }: Copy): string {
  const { value, expiresAt, userId, version } = entry
  return `${JSON.stringify([since, version, expiresAt, userId])}\n${value}`
}

/** What was found in the cache. Anything else than a copy is a gap. */
export function heldOf({ value, version: mark }: { value: string; version: Version }): Held {
  const end = value.indexOf('\n')
  const facts = end === -1 ? undefined : parsed(value.slice(0, end))
  if (!isFacts(facts)) return { mark, copy: undefined }
  const [since, version, expiresAt, userId] = facts
  const entry = { value: value.slice(end + 1), expiresAt, userId: userId ?? undefined, version }
  return { mark, copy: { since, entry } }
}

type Facts = [since: number, version: Version, expiresAt: number, userId: string | null]

function isFacts(facts: unknown): facts is Facts {
  if (!Array.isArray(facts) || facts.length !== 4) return false
  const [since, version, expiresAt, userId] = facts.map((fact) => typeof fact)
  return (
    since === 'number' &&
    (version === 'number' || version === 'string') &&
    expiresAt === 'number' &&
    (userId === 'string' || facts[3] === null)
  )
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}
