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
  const answer = new Promise<unknown>(begun)
  const guard = new Guard(operation, timeout, events)
  start(call).then(guard.done.bind(guard), guard.failed.bind(guard))
  // A store in this process has answered by then: the timer would cost as much as the call.
  void endOfTurn().then(guard.wait.bind(guard))
  return answer as Promise<T>
}

/** Settles the promise that was begun last. */
let settle: (result: unknown) => void

// Not a closure of each call, which would take more memory than the promise.
function begun(resolve: typeof settle): void {
  settle = resolve
}

/** A call that is under way. What waits is bound to it, which takes less memory than closures. */
class Guard {
  readonly #operation: string
  readonly #timeout: number
  readonly #events: Events
  /** `undefined` once it is settled. */
  #settle: typeof settle | undefined = settle
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor(operation: string, timeout: number, events: Events) {
    this.#operation = operation
    this.#timeout = timeout
    this.#events = events
  }

  done(result: unknown): void {
    clearTimeout(this.#timer)
    this.#settle?.(result)
    this.#settle = undefined
  }

  failed(cause: unknown): void {
    if (this.#settle) this.done(Promise.reject(this.#failure(cause)))
  }

  wait(): void {
    if (this.#settle) this.#timer = setTimeout(this.#late.bind(this), this.#timeout)
  }

  #late(): void {
    this.failed(new Timeout(`No answer within ${this.#timeout} ms`))
  }

  #failure(cause: unknown): SessionError {
    if (cause instanceof SessionError && cause.code === 'ERR_SESSION_TOO_LARGE') return cause
    const operation = this.#operation
    const reason = cause instanceof Timeout ? `did not answer within ${this.#timeout} ms` : 'failed'
    const error = new SessionError('ERR_SESSION_STORE', `The session store ${reason} (${operation})`, {
      cause,
    })
    this.#events.emit('storeError', { operation, error })
    return error
  }
}

/** A store that throws instead of rejecting. */
function start<T>(call: () => Promise<T>): Promise<T> {
  try {
    return call()
  } catch (error) {
    return Promise.reject(error)
  }
}

class Timeout extends Error {
  override readonly name = 'TimeoutError'
}
