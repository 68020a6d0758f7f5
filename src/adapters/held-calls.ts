type Callback = (error: Error) => void

/** The arguments of `write` or `end`, in whichever of their forms. */
export type Arguments = readonly unknown[]

interface Receiver {
  write(args: Arguments): boolean
  end(args: Arguments): unknown
}

// As much as Node lets a stream of its own hold; from here on `write` answers false. Not less: what middleware such as
// `compression` is given after the save then fills its stream too, and whoever waits there for 'drain' hears it.
const HIGH_WATER_MARK = 65_536

/**
 * The calls of `write` and `end` that wait, in their order. Chunks are kept by reference, as every stream that waits
 * keeps them: a buffer belongs to the stream until the callback of its `write`, which is called as late as it should.
 */
export class HeldCalls {
  /** Whether `writeHead` or `flushHeaders` has been called. */
  givesHead = false
  flushesHead = false
  readonly #calls: { method: 'write' | 'end'; args: Arguments }[] = []
  #bytes = 0

  write(args: Arguments): boolean {
    this.#bytes += byteLength(args[0], args[1])
    this.#calls.push({ method: 'write', args })
    return !this.#isFull
  }

  end(args: Arguments): void {
    this.#calls.push({ method: 'end', args })
  }

  /** Makes the calls, and answers whether a writer waits for a 'drain' that nobody else will emit. */
  replay(receiver: Receiver): boolean {
    let flows = true
    for (const { method, args } of this.#calls) {
      if (method === 'write') flows = receiver.write(args)
      else receiver.end(args)
    }
    return this.#isFull && flows
  }

  /** Tells those who wait for a call that it will not be made. */
  refuse(): void {
    for (const { args } of this.#calls) refuseCall(args)
  }

  get #isFull(): boolean {
    return this.#bytes >= HIGH_WATER_MARK
  }
}

/** Tells whoever made a call that it comes to nothing: through its callback, never by an 'error' event. */
export function refuseCall(args: Arguments): void {
  const callback = args.findLast((arg) => typeof arg === 'function') as Callback | undefined
  if (callback) process.nextTick(callback, new Error('An error page has taken the place of this answer'))
}

function byteLength(chunk: unknown, encoding: unknown): number {
  if (typeof chunk === 'string') {
    return Buffer.byteLength(chunk, typeof encoding === 'string' ? (encoding as BufferEncoding) : 'utf8')
  }
  if (chunk instanceof Uint8Array) return chunk.byteLength
  const error = new TypeError('A chunk of a response must be a string, a Buffer or a Uint8Array')
  throw Object.assign(error, { code: 'ERR_INVALID_ARG_TYPE' })
}
