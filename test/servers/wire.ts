import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'

/** A wire between a client and a server on this machine that can be cut, slowed and listened to. */
export class Wire {
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  #target: number
  #delay = 0
  #losesAnswers = false
  #onLost: () => void = () => undefined
  #refuses = false
  /** Told each chunk that a client sends. */
  onRequest: (chunk: Buffer) => void = () => undefined

  private constructor(target: number) {
    this.#target = target
    this.#server = createServer((client) => this.#join(client))
  }

  static async to(target: number): Promise<Wire> {
    const wire = new Wire(target)
    await new Promise<void>((resolve) => wire.#server.listen(0, '127.0.0.1', resolve))
    return wire
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  /** Cuts all connections there are, at once. New ones are let through. */
  cut(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy()
  }

  /** From now on what the server answers is lost, and the connection that it was for is cut: the request has arrived all the same. */
  loseAnswers(): void {
    this.#losesAnswers = true
  }

  /** Loses answers until it has lost one, and lets the others pass. */
  async loseAnswer(): Promise<void> {
    const lost = new Promise<void>((resolve) => {
      this.#onLost = resolve
    })
    this.loseAnswers()
    await lost
    this.heal()
  }

  /** From now on, new connections are refused as well as cut. */
  refuse(): void {
    this.#refuses = true
    this.cut()
  }

  /** From now on it leads to another server, as an address does that moves to whoever takes over. */
  redirect(target: number): void {
    this.#target = target
    this.cut()
  }

  /** Every answer takes so many milliseconds longer. */
  delay(ms: number): void {
    this.#delay = ms
  }

  /** Lets everything pass again. */
  heal(): void {
    this.#losesAnswers = false
    this.#refuses = false
    this.#delay = 0
  }

  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve))
    this.cut()
    await closed
  }

  #join(client: Socket): void {
    if (this.#refuses) {
      client.resetAndDestroy()
      return
    }
    const server = connect(this.#target, '127.0.0.1')
    this.#keep(client, server)
    this.#keep(server, client)
    client.on('data', (chunk) => {
      this.onRequest(chunk)
      server.write(chunk)
    })
    server.on('data', (chunk) => this.#answer(client, chunk))
  }

  #answer(client: Socket, chunk: Buffer): void {
    if (this.#losesAnswers) {
      client.resetAndDestroy()
      this.#onLost()
      return
    }
    if (this.#delay === 0) client.write(chunk)
    else setTimeout(() => client.destroyed || client.write(chunk), this.#delay)
  }

  #keep(socket: Socket, other: Socket): void {
    socket.setNoDelay(true)
    this.#sockets.add(socket)
    // Its end is all there is to do about an error here.
    socket.on('error', () => socket.destroy())
    socket.on('close', () => {
      this.#sockets.delete(socket)
      other.destroy()
    })
  }
}
