import { known, oneOf } from './check-options.ts'
import { milliseconds } from './duration.ts'
import type { Timeouts } from './record.ts'
import type { SessionTimeouts } from './session.ts'

/** Those timeouts that a session is given of its own. @throws TypeError that names the one that is wrong. */
export function ownTimeouts(timeouts: SessionTimeouts): Partial<Timeouts> {
  known(timeouts, ['idle', 'absolute', 'persistent'], 'setTimeouts')
  const { idle, absolute, persistent } = timeouts
  return {
    ...(idle !== undefined && { idle: milliseconds(idle, 'idle') }),
    ...(absolute !== undefined && { absolute: milliseconds(absolute, 'absolute') }),
    ...(persistent !== undefined && { persistent: oneOf(persistent, [true, false], 'persistent') }),
  }
}
