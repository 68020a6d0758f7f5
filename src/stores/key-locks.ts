/** Who is at work on one key, or waits to be. */
interface Line {
  /** Settles with the last write that was asked for. */
  writing: Promise<unknown>
  /** The reads that were asked for since. */
  readonly reading: Set<Promise<unknown>>
  callers: number
}

const locks = new WeakMap<object, KeyLocks>()

/** The locks on what one object keeps: all who write through that object in this process share them. */
export function locksOf(backend: object): KeyLocks {
  const known = locks.get(backend)
  if (known) return known
  const own = new KeyLocks()
  locks.set(backend, own)
  return own
}

/** Lets the readers of a key work together, and each writer alone, in the order in which they came. */
export class KeyLocks {
  readonly #lines = new Map<string, Line>()

  read<T>(key: string, work: () => Promise<T>): Promise<T> {
    const line = this.#enter(key)
    const result = line.writing.then(work)
    const done = result.then(nothing, nothing).then(() => {
      line.reading.delete(done)
      this.#leave(key, line)
    })
    line.reading.add(done)
    return result
  }

  write<T>(key: string, work: () => Promise<T>): Promise<T> {
    const line = this.#enter(key)
    const result = Promise.all([line.writing, ...line.reading]).then(work)
    line.reading.clear()
    line.writing = result.then(nothing, nothing).then(() => this.#leave(key, line))
    return result
  }

  #enter(key: string): Line {
    const line = this.#lines.get(key) ?? { writing: Promise.resolve(), reading: new Set(), callers: 0 }
    this.#lines.set(key, line)
    line.callers++
    return line
  }

  #leave(key: string, line: Line): void {
    line.callers--
    if (line.callers === 0) this.#lines.delete(key)
  }
}

function nothing(): void {
  // What became of it is its caller's business.
}
