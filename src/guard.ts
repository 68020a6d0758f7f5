import { endOfTurn } from './end-of-turn.ts'
import { SessionError } from './errors.ts'
import type { Events } from './events.ts'

/**
 * Runs a call of the store: within its time, its failures wrapped and told to observers.
 * @throws SessionError `ERR_SESSION_STORE`, with the store's own error as `cause`; or the store's own word that the session
 * is too large, which is no failure of the store.
 */
export function guarded<T>(
  operation: string,
  call: () => Promise<T>,
  timeout: number,
  events: Events,
): Promise<T> {
  return new Promise((resolve, reject) => {
    let timer: ReturnType<typeof setTimeout> | undefined
    let isDone = false
    const done = (result: T): void => {
      isDone = true
      if (timer !== undefined) clearTimeout(timer)
      resolve(result)
    }
    const failed = (cause: unknown): void => {
      if (isDone) return
      isDone = true
      if (timer !== undefined) clearTimeout(timer)
      reject(failure(operation, cause, timeout, events))
    }
    start(call).then(done, failed)
    // A store in this process has answered by then: the timer would cost as much as the call.
    void endOfTurn().then(() => {
      if (!isDone) timer = setTimeout(() => failed(new Timeout(`No answer within ${timeout} ms`)), timeout)
    })
  })
}

/** A store that throws instead of rejecting. */
function start<T>(call: () => Promise<T>): Promise<T> {
  try {
    return call()
  } catch (error) {
    return Promise.reject(error)
  }
}

function failure(operation: string, cause: unknown, timeout: number, events: Events): SessionError {
  if (cause instanceof SessionError && cause.code === 'ERR_SESSION_TOO_LARGE') return cause
  const reason = cause instanceof Timeout ? `did not answer within ${timeout} ms` : 'failed'
  const error = new SessionError('ERR_SESSION_STORE', `The session store ${reason} (${operation})`, { cause })
  events.emit('storeError', { operation, error })
  return error
}

class Timeout extends Error {
  override readonly name = 'TimeoutError'
}
