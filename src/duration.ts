type Unit = 'ms' | 's' | 'm' | 'h' | 'd' | 'w'

/** A length of time with its unit, such as `'500ms'`, `'30s'`, `'30m'`, `'12h'`, `'14d'` or `'2w'`. */
export type Duration = `${number}${Unit}`

const MILLISECONDS: Readonly<Record<Unit, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
}

const PATTERN = /^(\d+(?:\.\d+)?)(ms|s|m|h|d|w)$/

/**
 * The milliseconds of a duration.
 * @throws TypeError that names the option, when the text is no duration above zero.
 */
export function milliseconds(duration: Duration, option: string): number {
  const [, amount, unit] = (typeof duration === 'string' && PATTERN.exec(duration)) || []
  const result = unit ? Math.round(Number(amount) * MILLISECONDS[unit as Unit]) : 0
  if (result > 0 && Number.isSafeInteger(result)) return result
  throw new TypeError(`"${option}" must be a duration such as "30m" or "14d"; got ${describe(duration)}`)
}

// What timers of JavaScript can count; beyond it they fire at once.
const MAX_TIMER = 2 ** 31 - 1

/**
 * The milliseconds of a duration that a timer is to run for.
 * @throws TypeError that names the option, when it is none, or longer than timers can count.
 */
export function timer(duration: Duration, option: string): number {
  const ms = milliseconds(duration, option)
  if (ms > MAX_TIMER) throw new TypeError(`"${option}" must be a duration of 24 days at most`)
  return ms
}

function describe(value: unknown): string {
  if (typeof value === 'number') return `the bare number ${value}, which has no unit`
  return typeof value === 'string' ? JSON.stringify(value) : typeof value
}
