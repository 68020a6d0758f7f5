/** So many failures in a row, and the cache is left alone for a while: each costs a request its patience. */
const FAILURES = 5
/** Then one call a time tries whether it is back. */
const REST_MS = 1000

/** The calls of a cache that may fail, hang, or be away for hours. */
export class Circuit {
  readonly #timeout: number
  readonly #onError: (error: unknown) => void
  #failures = 0
  #closedUntil = 0

  /** @param timeout how many milliseconds a call may take */
  constructor(timeout: number, onError: (error: unknown) => void) {
    this.#timeout = timeout
    this.#onError = onError
  }

  /**
   * The answer of the call.
   * @throws CacheFailure when it fails, takes too long, or is not even tried
   */
  async call<T>(call: () => Promise<T>): Promise<T> {
    if (this.#isOpen()) throw new CacheFailure('The cache is left alone')
    try {
      const answer = await within(this.#timeout, call)
      this.#failures = 0
      return answer
    } catch (cause) {
      this.#failed(cause)
      throw new CacheFailure('The cache failed', { cause })
    }
  }

  #isOpen(): boolean {
    if (this.#failures < FAILURES) return false
    const now = performance.now()
    if (now < this.#closedUntil) return true
    // This call is the one that tries.
    this.#closedUntil = now + REST_MS
    return false
  }

  #failed(error: unknown): void {
    this.#failures++
    if (this.#failures >= FAILURES) this.#closedUntil = performance.now() + REST_MS
    try {
      this.#onError(error)
    } catch {
      // Whoever watches the cache must not fail the request either.
    }
  }
}

/** That the cache is of no help with this call. It never leaves the tiered store. */
export class CacheFailure extends Error {}

function within<T>(ms: number, call: () => Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const late = (): void => reject(new Error(`The cache did not answer within ${ms} ms`))
    // When it was this process that stood still, the answer has come, and is read before the immediate.
    const timer = setTimeout(() => setImmediate(late), ms)
    const settle = <V>(act: (value: V) => void) => {
      return (value: V): void => {
        clearTimeout(timer)
        act(value)
      }
    }
    // What a call throws at once rejects, too.
    Promise.resolve().then(call).then(settle(resolve), settle(reject))
  })
}
