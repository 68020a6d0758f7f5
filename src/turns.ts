import type { Awaitable } from './awaitable.ts'

/** Lets one piece of work run at a time, in the order in which they came. */
export class Turns {
  /** The last one that was begun or waits; `undefined` where there is none. */
  #last: Promise<unknown> | undefined

  /** Whether any work is being done or waits. */
  get underWay(): boolean {
    return this.#last !== undefined
  }

  /** Does the work when all that came before is done, failed or not; at once, where that can be. */
  take<T>(work: () => Awaitable<T>): Awaitable<T> {
    const turn = this.#last !== undefined ? this.#last.then(work) : work()
    if (!(turn instanceof Promise)) return turn
    const next = (): void => {
      if (this.#last === settled) this.#last = undefined
    }
    const settled = turn.then(next, next)
    this.#last = settled
    return turn
  }
}
