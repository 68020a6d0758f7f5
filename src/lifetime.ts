import type { SessionRecord } from './record.ts'

/** The lifetimes that hold where a session has none of its own, in milliseconds. */
export interface Lifetimes {
  readonly idle: number
  readonly absolute: number
}

// RFC 6265bis section 5.6.2: user agents cap a cookie's life at 400 days.
const MAX_COOKIE_SECONDS = 400 * 86_400
const MAX_EXTENSION_INTERVAL = 3_600_000

/**
 * The instant from which the session has ended, whatever happens. The absolute timeout asks for a new sign-in after so
 * long, so it counts from the sign-in where there was one (NIST SP 800-63B, reauthentication at AAL1), else from the start.
 */
function absoluteEnd(record: SessionRecord, { absolute }: Lifetimes): number {
  return (record.authenticatedAt ?? record.createdAt) + (record.timeouts.absolute ?? absolute)
}

/** The instant at which a session used now would end for lack of use, or absolutely. */
export function expiryAfterUse(record: SessionRecord, lifetimes: Lifetimes, now: number): number {
  return Math.min(now + idleOf(record, lifetimes), absoluteEnd(record, lifetimes))
}

/** Whether the session is over by the lifetimes of today, which may be shorter than when it was written. */
export function isOver(record: SessionRecord, lifetimes: Lifetimes, now: number): boolean {
  return record.seenAt + idleOf(record, lifetimes) <= now || absoluteEnd(record, lifetimes) <= now
}

/**
 * Whether a use now is worth a write: a tenth of the idle timeout (an hour at most) has passed since the last one. Also
 * once at the end, so that no session ends before its absolute end for having been extended a moment too early.
 */
export function extensionDue(
  record: SessionRecord,
  expiresAt: number,
  lifetimes: Lifetimes,
  now: number,
): boolean {
  const idle = idleOf(record, lifetimes)
  const unused = now - record.seenAt
  if (unused >= idle / 10 || unused >= MAX_EXTENSION_INTERVAL) return true
  const end = absoluteEnd(record, lifetimes)
  return end > expiresAt && end <= now + idle
}

/** The `Max-Age` of the cookie: up to the absolute end. Rounded up, so that the cookie never dies first. */
export function cookieSeconds(record: SessionRecord, lifetimes: Lifetimes, now: number): number {
  return Math.min(Math.ceil((absoluteEnd(record, lifetimes) - now) / 1000), MAX_COOKIE_SECONDS)
}

function idleOf(record: SessionRecord, { idle }: Lifetimes): number {
  return record.timeouts.idle ?? idle
}
