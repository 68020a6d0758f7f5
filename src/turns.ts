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
  take<T>(work: (mine: this) => Awaitable<T>): Awaitable<T> {
    const turn = this.#last === undefined ? work(this) : this.#last.then(work.bind(undefined, this))
    return turn instanceof Promise ? this.#begun(turn) : turn
  }

  // A method of its own, since closures keep what they see on the heap even where none is made.
  #begun<T>(turn: Promise<T>): Promise<T> {
    const next = (): void => {
      if (this.#last === settled) this.#last = undefined
    }
    const settled = turn.then(next, next)
    this.#last = settled
    return turn
  }
}
