const dayLength = 24 * 60 * 60 * 1000

/** The day in UTC, as `2026-11-30`: text that sorts and compares by time. */
export function today(now = Date.now()): string {
  return new Date(now).toISOString().slice(0, 10)
}

export function addDays(day: string, days: number): string {
  return today(Date.parse(day) + days * dayLength)
}

const longDay = new Intl.DateTimeFormat('en-GB', {
  day: 'numeric',
  month: 'long',
  year: 'numeric',
  timeZone: 'UTC',
})

export function formatDay(day: string): string {
  return longDay.format(Date.parse(day))
}

const relative = new Intl.RelativeTimeFormat('en-GB', { numeric: 'auto' })

/** "3 minutes ago": the server does not know the visitor's time zone, and needs no script this way. */
export function formatAgo(instant: number, now = Date.now()): string {
  const seconds = Math.round((instant - now) / 1000)
  if (seconds > -45) return 'just now'
  if (seconds > -45 * 60) return relative.format(Math.round(seconds / 60), 'minute')
  if (seconds > -22 * 60 * 60) return relative.format(Math.round(seconds / 3600), 'hour')
  return relative.format(Math.round((seconds * 1000) / dayLength), 'day')
}

/** Years before the common era are kept as negative numbers: Virgil was born in -70. */
export function formatYear(year: number): string {
  return year < 0 ? `${-year} BC` : String(year)
}

export function formatLife({
  born,
  bornCirca,
  died,
}: {
  born: number
  bornCirca: number
  died: number
}): string {
  return `${bornCirca ? 'c. ' : ''}${formatYear(born)} – ${formatYear(died)}`
}
