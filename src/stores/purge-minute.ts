/**
 * What the index of a purge knows of an entry: a minute, at most that in which it expires. An entry that is extended keeps
 * the one it has, so that no index is touched; a purge looks at an entry when its minute has come, and puts one that lives on
 * to the minute in which it expires now.
 */

export const MINUTE = 60_000

/** The last minute that a column of 32 bits holds. */
export const MAX_MINUTE: number = 2 ** 31 - 1

/** The minute in which an entry expires; one that the column cannot hold is the nearest that it can. */
export function minuteOf(instant: number): number {
  return Math.max(-MAX_MINUTE, Math.min(Math.floor(instant / MINUTE), MAX_MINUTE))
}
