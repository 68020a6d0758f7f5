import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

/** Where a response, and its connection, keep what they are disguised as. */
const DISGUISE = Symbol('sojourn disguise')
type Disguised<Target> = Target & { [DISGUISE]?: Disguise | undefined }

/**
 * Makes a response whose answer is held look as Node's own does once it has been given, though nothing has left yet:
 * error handlers, `if (!res.headersSent)` and a second `res.send()` find what they would find without sessions.
 */
export class Disguise {
  readonly #res: ServerResponse
  #active = true
  #ended = false
  readonly #setters: Pick<ServerResponse, 'setHeader' | 'setHeaders' | 'appendHeader' | 'removeHeader'>
  #socket: Socket | undefined
  #destroy: Socket['destroy'] | undefined
  #destroyWanted = false

  /** The head has been given: it can no longer be changed. */
  constructor(res: ServerResponse) {
    this.#res = res
    const { setHeader, setHeaders, appendHeader, removeHeader } = res
    this.#setters = { setHeader, setHeaders, appendHeader, removeHeader }
    res.setHeader = refuseHeaders
    res.setHeaders = refuseHeaders
    res.appendHeader = refuseHeaders
    res.removeHeader = refuseHeaders
    flag(res, 'headersSent', HEADERS_SENT)
    ;(res as Disguised<ServerResponse>)[DISGUISE] = this
  }

  /** The answer is complete. */
  ended(): void {
    if (!this.#active) return
    this.#ended = true
    flag(this.#res, 'writableEnded', WRITABLE_ENDED)
    this.#keepConnection()
  }

  /** From now on the response looks as it is. */
  drop(): void {
    if (!this.#active) return
    this.#active = false
    // By assignment both ways: deleting a property again would make the object slow.
    const res = this.#res
    const { setHeader, setHeaders, appendHeader, removeHeader } = this.#setters
    res.setHeader = setHeader
    res.setHeaders = setHeaders
    res.appendHeader = appendHeader
    res.removeHeader = removeHeader
    this.#releaseConnection()
  }

  get looksSent(): boolean {
    return this.#active
  }

  get looksEnded(): boolean {
    return this.#active && this.#ended
  }

  /** Whoever destroys the connection without an error has it done afterwards. */
  destroy(error: Error | undefined): Socket {
    const socket = this.#socket as Socket
    if (error) return Reflect.apply(this.#destroy as Socket['destroy'], socket, [error])
    this.#destroyWanted = true
    return socket
  }

  /**
   * Express destroys the connection of a handler that throws after it has answered, when the answer has usually been
   * received. A held one would be lost.
   */
  #keepConnection(): void {
    const { socket, req } = this.#res
    // The sockets of HTTP/2 are shared by many responses, and what may destroy them is the stream alone.
    if (this.#socket || !socket || req.httpVersionMajor > 1) return
    this.#socket = socket
    this.#destroy = socket.destroy
    socket.destroy = keepConnection
    ;(socket as Disguised<Socket>)[DISGUISE] = this
  }

  #releaseConnection(): void {
    const socket = this.#socket
    if (!socket || !this.#destroy) return
    socket.destroy = this.#destroy
    ;(socket as Disguised<Socket>)[DISGUISE] = undefined
    if (!this.#destroyWanted) return
    if (socket.writable) this.#res.once('finish', () => socket.destroy())
    else socket.destroy()
  }
}

// Accessors and functions that all responses share: with closures of its own each would be a kind of object of its own,
// which the engine gives up on, and every access to the response would be slow.

const HEADERS_SENT: PropertyDescriptor & ThisType<Disguised<ServerResponse>> = {
  get() {
    return this[DISGUISE]?.looksSent || own(this, 'headersSent')
  },
  configurable: true,
  enumerable: true,
}

const WRITABLE_ENDED: PropertyDescriptor & ThisType<Disguised<ServerResponse>> = {
  get() {
    return this[DISGUISE]?.looksEnded || own(this, 'writableEnded')
  },
  configurable: true,
  enumerable: true,
}

function flag(
  res: ServerResponse,
  name: 'headersSent' | 'writableEnded',
  descriptor: PropertyDescriptor,
): void {
  if (!Object.hasOwn(res, name)) Object.defineProperty(res, name, descriptor)
}

function own(res: ServerResponse, name: 'headersSent' | 'writableEnded'): boolean {
  return Reflect.get(Object.getPrototypeOf(res), name, res)
}

function keepConnection(this: unknown, error?: Error): Socket {
  return (this as { [DISGUISE]: Disguise })[DISGUISE].destroy(error)
}

/** What Node throws. */
export function refuseHeaders(): never {
  const error = new Error('Cannot set headers after they are sent to the client')
  throw Object.assign(error, { code: 'ERR_HTTP_HEADERS_SENT' })
}
