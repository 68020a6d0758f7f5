import type { ServerResponse } from 'node:http'

const HEADER_SETTERS = ['setHeader', 'setHeaders', 'appendHeader', 'removeHeader'] as const

/**
 * Makes a response whose answer is held look as Node's own does once it has been given, though nothing has left yet:
 * error handlers, `if (!res.headersSent)` and a second `res.send()` find what they would find without sessions.
 */
export class Disguise {
  readonly #res: ServerResponse
  #headGiven = false
  #ended = false
  readonly #undo: (() => void)[] = []

  constructor(res: ServerResponse) {
    this.#res = res
  }

  /** The head has been given: it can no longer be changed. */
  headGiven(): void {
    this.#headGiven = true
    this.#flag('headersSent', () => this.#headGiven)
    for (const name of HEADER_SETTERS) this.#replace(this.#res, name, refuseHeaders)
  }

  /** The answer is complete. */
  ended(): void {
    this.#ended = true
    this.#flag('writableEnded', () => this.#ended)
    this.#keepConnection()
  }

  /** From now on the response looks as it is. */
  drop(): void {
    this.#headGiven = false
    this.#ended = false
    for (const undo of this.#undo.splice(0)) undo()
  }

  /**
   * Express destroys the connection of a handler that throws after it has answered, when the answer has usually been
   * received. A held one would be lost, so whoever destroys the connection without an error has it done afterwards.
   */
  #keepConnection(): void {
    const res = this.#res
    const { socket } = res
    // The sockets of HTTP/2 are shared by many responses, and what may destroy them is the stream alone.
    if (!socket || res.req.httpVersionMajor > 1) return
    const { destroy } = socket
    let wanted = false
    this.#replace(socket, 'destroy', (error?: Error) => {
      if (error) return destroy.call(socket, error)
      wanted = true
      return socket
    })
    this.#undo.push(() => {
      if (!wanted) return
      if (socket.writable) res.once('finish', () => socket.destroy())
      else socket.destroy()
    })
  }

  // By assignment both ways: deleting a property again would make the object slow.
  #replace<Target extends object, Name extends keyof Target>(
    target: Target,
    name: Name,
    value: Target[Name],
  ): void {
    const before = target[name]
    target[name] = value
    this.#undo.push(() => {
      target[name] = before
    })
  }

  #flag(name: 'headersSent' | 'writableEnded', raised: () => boolean): void {
    const res = this.#res
    if (Object.hasOwn(res, name)) return
    const get = (): boolean => raised() || Reflect.get(Object.getPrototypeOf(res), name, res)
    Object.defineProperty(res, name, { get, configurable: true, enumerable: true })
  }
}

/** What Node throws. */
export function refuseHeaders(): never {
  const error = new Error('Cannot set headers after they are sent to the client')
  throw Object.assign(error, { code: 'ERR_HTTP_HEADERS_SENT' })
}
