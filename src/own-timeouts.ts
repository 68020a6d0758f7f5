import { known, oneOf } from './check-options.ts'
import { milliseconds } from './duration.ts'
import type { Timeouts } from './record.ts'
import type { SessionTimeouts } from './session.ts'

/** Those timeouts that a session is given of its own. @throws TypeError that names the one that is wrong. */
export function ownTimeouts(timeouts: SessionTimeouts): Partial<Timeouts> {
  known(timeouts, ['idle', 'absolute', 'persistent'], 'setTimeouts')
  const { idle, absolute, persistent } = timeouts
  const own: { -readonly [Name in keyof Timeouts]?: Timeouts[Name] } = {}
  if (idle !== undefined) own.idle = milliseconds(idle, 'idle')
  if (absolute !== undefined) own.absolute = milliseconds(absolute, 'absolute')
  if (persistent !== undefined) own.persistent = oneOf(persistent, [true, false], 'persistent')
  return own
}
