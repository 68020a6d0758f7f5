import type { Carried } from './carrier.ts'
import { CookieJar } from './cookie-jar.ts'
import { ignore } from './ignore.ts'
import { LiveVisit } from './live-visit.ts'
import type { Session } from './session.ts'
import type { SocketVisit } from './socket-visit.ts'
import { type UpgradeOptions, type UpgradeRequest, upgradeSettings, visitOf, whenClosed } from './upgrade.ts'
import type { VisitRequest } from './visit.ts'
import { isTolerable, type VisitContext } from './visit-context.ts'

/** The visits of the sockets that are open, and the one ear they have on what happens to their sessions in this process. */
export class SocketVisits {
  readonly #context: VisitContext
  readonly #visits = new Map<string, Set<LiveSocketVisit>>()
  #isListening = false

  constructor(context: VisitContext) {
    this.#context = context
  }

  /** The visit of a handshake; `undefined` when its cookie opens no session, or the page is another site's. */
  async open(request: UpgradeRequest, options: UpgradeOptions): Promise<SocketVisit | undefined> {
    const config = upgradeSettings(options)
    const handshake = visitOf(request, config, this.#context.cookie.secure === true)
    if (!handshake) {
      if (this.#context.warns) console.warn(FOREIGN)
      return undefined
    }
    const visit = await this.#opened(handshake, config.checkInterval)
    if (visit) whenClosed(request, () => visit.close())
    return visit
  }

  /** Stops all, without a word: the store is about to close. */
  close(): void {
    for (const visits of this.#visits.values()) for (const visit of visits) visit.close()
  }

  /** @param interval - In milliseconds. */
  async #opened(request: VisitRequest, interval: number): Promise<SocketVisit | undefined> {
    this.#listen()
    const { carrier, events } = this.#context
    // What happens between the store's answer and the visit would be missed otherwise.
    const touched = new Set<string>()
    const touch = ({ handle }: { handle: string }): unknown => touched.add(handle)
    const stops = [events.on('ended', touch), events.on('rotated', touch)]
    try {
      const loaded = await carrier.load(new CookieJar(this.#context, request))
      const isDoubtful = loaded && touched.has(loaded.handle)
      const carried = isDoubtful ? await carrier.again(loaded) : loaded
      return carried && this.#add(new LiveSocketVisit(this.#context, carried, interval))
    } catch (error) {
      if (isTolerable(this.#context, error)) return undefined
      throw error
    } finally {
      for (const stop of stops) stop()
    }
  }

  #add(visit: LiveSocketVisit): LiveSocketVisit {
    const { handle } = visit
    const visits = this.#visits.get(handle) ?? new Set()
    this.#visits.set(handle, visits.add(visit))
    visit.onClose = () => {
      visits.delete(visit)
      if (visits.size === 0 && this.#visits.get(handle) === visits) this.#visits.delete(handle)
    }
    return visit
  }

  #listen(): void {
    if (this.#isListening) return
    this.#isListening = true
    const { events } = this.#context
    const each = (handle: string, action: (visit: LiveSocketVisit) => unknown): void => {
      for (const visit of [...(this.#visits.get(handle) ?? [])]) action(visit)
    }
    events.on('ended', ({ handle }) => each(handle, (visit) => visit.end()))
    // A new id ends who came with the old one, and who signed in twice at once goes on with both: the store knows.
    events.on('rotated', ({ handle }) => each(handle, (visit) => visit.check()))
    // Perhaps it has ended elsewhere; perhaps these changes alone came too late.
    events.on('discarded', ({ handle }) => each(handle, (visit) => visit.check()))
  }
}

class LiveSocketVisit implements SocketVisit {
  readonly ended: Promise<void>
  /** Called once, when nobody has to be told any more. */
  onClose: () => void = ignore
  /** Asks the store, in the background. */
  check: () => void = ignore
  readonly #context: VisitContext
  readonly #carried: Carried
  readonly #interval: number
  #settle: () => void = ignore
  #timer: ReturnType<typeof setTimeout> | undefined
  #hasEnded = false
  #isClosed = false

  constructor(context: VisitContext, carried: Carried, interval: number) {
    this.#context = context
    this.#carried = carried
    this.#interval = interval
    this.ended = new Promise((resolve) => {
      this.#settle = resolve
    })
    // Anywhere within the interval: sockets that all came back at once, after a restart, must not all ask at once.
    this.#wait(Math.random() * interval)
    void this.#watch()
  }

  get handle(): string {
    return this.#carried.handle
  }

  get userId(): string | undefined {
    return this.#carried.record.userId
  }

  async session(): Promise<Session | undefined> {
    const carried = await this.#read()
    return carried && LiveVisit.resumed(this.#context, carried)
  }

  end(): void {
    this.#hasEnded = true
    this.close()
    this.#settle()
  }

  close(): void {
    this.#isClosed = true
    clearTimeout(this.#timer)
    this.onClose()
  }

  /**
   * Asks the store each time that it is told to. Other requests only tell: some runtimes end what a request has begun
   * together with the request, and this one is there for as long as its socket is.
   */
  async #watch(): Promise<void> {
    for (let told = this.#told(); ; ) {
      await told
      if (this.#isClosed) return
      told = this.#told()
      // A store that does not answer is asked again when it is time.
      await this.#read().catch(() => this.#wait(this.#interval))
    }
  }

  #told(): Promise<void> {
    return new Promise((resolve) => {
      this.check = resolve
    })
  }

  async #read(): Promise<Carried | undefined> {
    if (this.#hasEnded) return undefined
    const carried = await this.#context.carrier.again(this.#carried)
    if (!carried) this.end()
    else this.#wait(this.#interval)
    return this.#hasEnded ? undefined : carried
  }

  #wait(ms: number): void {
    clearTimeout(this.#timer)
    if (this.#isClosed) return
    this.#timer = setTimeout(() => this.check(), ms)
    // Nothing to stay alive for. Not every runtime has such timers.
    const timer: { unref?: () => void } = this.#timer
    timer.unref?.()
  }
}

const FOREIGN =
  'sojourn: a page of another origin opened a socket and got no session. If it is yours: ' +
  'sessions.ofUpgrade(request, { origins: ["http://localhost:5173"] })'
