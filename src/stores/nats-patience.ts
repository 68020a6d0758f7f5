import { SessionError } from '../errors.ts'

// The codes of JetStream, as https://github.com/nats-io/nats-server/blob/main/server/errors.json numbers them.
const WRONG_SEQUENCE = new Set<unknown>([10_071, 10_164])
const TOO_LARGE = new Set<unknown>([10_054])
const NO_LEADER = 10_008

/** How errors are called that the loss of a node brings. */
const PASSING = new Set([
  'TimeoutError',
  'RequestError',
  'NoResponders',
  'ConnectionError',
  'JetStreamNotEnabled',
])

/** What the first attempt may take of the time: a slow disk is no dead server, but some time must be left for another one. */
const SHARE = 0.75

/** Between two attempts, in milliseconds. An election takes seconds. */
const PAUSE = 100

/**
 * Tries for so many milliseconds what the loss of a server may keep from succeeding.
 * @param what for the message of an error
 */
export async function patiently<T>(
  what: string,
  ms: number,
  attempt: (timeout: number) => Promise<T>,
): Promise<T> {
  const until = performance.now() + ms
  for (;;) {
    try {
      const timeout = Math.max(1, Math.min(until - performance.now(), ms * SHARE))
      return await within(timeout, attempt(timeout))
    } catch (error) {
      if (!isPassing(error) || performance.now() + PAUSE >= until) throw explained(what, error)
    }
    await new Promise((resolve) => setTimeout(resolve, PAUSE))
  }
}

/** Refused by somebody who need not be the one that leads. Passing, as what is not answered. */
export class Undecided extends Error {
  override readonly name = 'TimeoutError'
  constructor() {
    super('it was refused, though nothing newer is there')
  }
}

/** Whether a write was stored that others have overtaken. */
export class Unknowable extends Error {
  constructor() {
    super('it was overtaken, and nobody knows whether it was stored')
  }
}

function isPassing(error: unknown): boolean {
  const { name, cause, status } = error as { name?: string; cause?: { name?: string }; status?: unknown }
  if (cause?.name === 'PermissionViolationError') return false
  const code = codeOf(error)
  // Without a code it is the word of a server that has just ceased to lead.
  return PASSING.has(name ?? '') || code === NO_LEADER || (status === 503 && code === undefined)
}

/** Whether the bucket refused a write because something else is there than what it was to replace, or may be soon. */
export function isConflict(error: unknown): boolean {
  return WRONG_SEQUENCE.has(codeOf(error))
}

function codeOf(error: unknown): unknown {
  return (error as { code?: unknown }).code
}

/** What is thrown instead of an error of NATS. */
export function explained(what: string, cause: unknown): Error {
  const { name = '', message = '' } = cause as Partial<Error>
  if (TOO_LARGE.has(codeOf(cause)) || /payload.*exceed/i.test(message)) {
    return new SessionError('ERR_SESSION_TOO_LARGE', 'The session is larger than NATS takes', { cause })
  }
  const reason = name === 'JetStreamNotEnabled' ? 'there is no such bucket, or it has no leader now' : message
  return new Error(`NATS failed to ${what}: ${reason}`, { cause })
}

function within<T>(ms: number, promise: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const late = new Promise<never>((_, reject) => {
    const error = Object.assign(new Error(`no answer within ${Math.round(ms)} ms`), { name: 'TimeoutError' })
    timer = setTimeout(reject, ms, error)
  })
  return Promise.race([promise, late]).finally(() => clearTimeout(timer))
}
