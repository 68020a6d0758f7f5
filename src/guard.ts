import { SessionError } from './errors.ts'
import type { Events } from './events.ts'

/**
 * Runs a call of the store: within its time, its failures wrapped and told to observers.
 * @throws SessionError `ERR_SESSION_STORE`, with the store's own error as `cause`.
 */
export async function guarded<T>(
  operation: string,
  call: () => Promise<T>,
  timeout: number,
  events: Events,
): Promise<T> {
  try {
    return await within(timeout, call())
  } catch (cause) {
    const reason = cause instanceof Timeout ? `did not answer within ${timeout} ms` : 'failed'
    const error = new SessionError('ERR_SESSION_STORE', `The session store ${reason} (${operation})`, {
      cause,
    })
    events.emit('storeError', { operation, error })
    throw error
  }
}

class Timeout extends Error {
  override readonly name = 'TimeoutError'
}

function within<T>(ms: number, promise: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    let timer: ReturnType<typeof setTimeout> | undefined
    let isDone = false
    const done = (): void => {
      isDone = true
      clearTimeout(timer)
    }
    promise.then(
      (result) => {
        done()
        resolve(result)
      },
      (error) => {
        done()
        reject(error)
      },
    )
    // A store in this process has answered by then: the timer would cost more than the call.
    afterMicrotasks(() => {
      if (!isDone) timer = setTimeout(() => reject(new Timeout(`No answer within ${ms} ms`)), ms)
    })
  })
}

function afterMicrotasks(action: () => void): void {
  queueMicrotask(() => queueMicrotask(action))
}
