export const MINUTE = 60_000
export const MAX_INTEGER: number = 2 ** 31 - 1

/** The minute from which a purge looks at an entry: that in which it expires, or any earlier one. */
export function minuteOf(instant: number): number {
  return Math.max(-MAX_INTEGER, Math.min(Math.floor(instant / MINUTE), MAX_INTEGER))
}
