import { type Carried, type IdCarrier, idText } from './carrier.ts'
import { type CookiePolicy, clearCookie, cookieName, cookieValues, setCookie } from './cookie.ts'
import { SessionError } from './errors.ts'
import type { Events } from './events.ts'
import { hashSecret, newSecret } from './id.ts'
import { ignore } from './ignore.ts'
import type { Journal } from './journal.ts'
import { cookieSeconds, type Lifetimes } from './lifetime.ts'
import { LiveSession } from './live-session.ts'
import type { Outcome } from './outcome.ts'
import type { Session } from './session.ts'
import type { SessionHost, SessionState } from './session-host.ts'
import type { Visit, VisitRequest } from './visit.ts'

/** What a visit needs of the sessions it belongs to. */
export interface VisitContext {
  readonly carrier: IdCarrier
  readonly cookie: CookiePolicy
  readonly lifetimes: Lifetimes
  readonly events: Events
  readonly checksPurity: boolean
  /** Whether a visitor is served without a session while the store is down. */
  readonly anonymousOnError: boolean
  now(): number
}

export class LiveVisit<Data extends object> implements Visit<Data>, SessionHost {
  readonly #context: VisitContext
  readonly #request: VisitRequest
  #loading: Promise<Session<Data>> | undefined
  #session: LiveSession | undefined
  #carried: Carried | undefined
  /** Sessions that the handler has destroyed, until the commit. */
  #destroyed: Carried[] = []
  /** What a failed `save()` could not save: for another `save()`. */
  #unsaved: Journal[] = []
  #setCookie: string | undefined
  #headersSent = false
  /** Whether nothing is to be saved any more: the session has ended, or the store is down. */
  #closed: 'ended' | 'failed' | undefined
  #queue: Promise<unknown> = Promise.resolve()
  /** How many saves are under way or wait for their turn. */
  #saving = 0
  #scheduled = false
  /** Whether an extension was tried, which a request does once: when it fails, the next request will. */
  #extended = false

  constructor(context: VisitContext, request: VisitRequest) {
    this.#context = context
    this.#request = request
  }

  /** A visit outside any request, to a session that was found otherwise. */
  static resumed<Data extends object>(context: VisitContext, carried: Carried): Session<Data> {
    const visit = new LiveVisit<Data>(context, { cookie: undefined, secure: false })
    visit.#headersSent = true
    // Nothing is saved by itself where no response marks the end: its holder calls save().
    visit.#scheduled = true
    return visit.#show(carried)
  }

  session(): Promise<Session<Data>> {
    if (!this.#loading) {
      this.#loading = this.#load()
      // A handler that asks but never looks must not bring the process down.
      this.#loading.catch(ignore)
    }
    return this.#loading
  }

  get dirty(): boolean {
    if (this.#saving > 0) return true
    if (!this.#session || !this.#carried || this.#closed) return false
    if (this.#destroyed.length > 0 || this.#session.changed) return true
    return this.#unsaved.length === 0 && !this.#extended && this.#context.carrier.extensionDue(this.#carried)
  }

  async commit(): Promise<void> {
    // What an explicit save() could not save was reported to its caller: it is not tried again behind their back.
    this.#unsaved = []
    try {
      if (!(await this.#inTurn())) this.#discard()
    } catch (error) {
      // The cookie of what an earlier save() has stored still goes out: without it the visitor could not come back to it.
      this.#closed = 'failed'
      if (!this.#tolerates(error)) throw error
    }
  }

  get outcome(): Outcome {
    return { read: this.#session !== undefined, setCookies: this.#setCookie ? [this.#setCookie] : [] }
  }

  headersSent(): void {
    this.#headersSent = true
  }

  get lifetimes(): Lifetimes {
    return this.#context.lifetimes
  }

  get checksPurity(): boolean {
    return this.#context.checksPurity
  }

  now(): number {
    return this.#context.now()
  }

  newSecret(): string {
    return newSecret()
  }

  beforeChange(needsCookie: boolean): void {
    if (!this.#headersSent) return
    if (needsCookie) {
      throw new SessionError(
        'ERR_SESSION_HEADERS_SENT',
        'This change needs a cookie, and the response headers have left: make it before the response begins',
      )
    }
    this.#saveSoon()
  }

  destroyed(): SessionState {
    if (this.#carried) this.#destroyed.push(this.#carried)
    this.#unsaved = []
    if (this.#closed === 'ended') this.#closed = undefined
    if (this.#headersSent) this.#saveSoon()
    this.#carried = this.#context.carrier.blank()
    return stateOf(this.#carried)
  }

  async save(): Promise<void> {
    if (this.#closed === 'failed')
      throw new SessionError('ERR_SESSION_STORE', 'The session could not be loaded or saved')
    if (this.#closed === 'ended' || !(await this.#inTurn())) {
      this.#discard()
      throw new SessionError(
        'ERR_SESSION_ENDED',
        'The session has ended meanwhile; its changes were not saved',
      )
    }
  }

  async #load(): Promise<Session<Data>> {
    const { carrier } = this.#context
    try {
      return this.#show((await carrier.load(this.#cookies)) ?? carrier.blank())
    } catch (error) {
      if (!this.#tolerates(error)) throw error
      // Nothing of this request is kept, and the cookie is left alone: the visitor is back when the store is.
      this.#closed = 'failed'
      return this.#show(carrier.blank())
    }
  }

  #show(carried: Carried): Session<Data> {
    this.#carried = carried
    this.#session = new LiveSession(this, stateOf(carried))
    // The typed face: what the class does with any key and value, Data narrows to its own.
    return this.#session as unknown as Session<Data>
  }

  /** The values of the session's cookie in the request. */
  get #cookies(): string[] {
    return cookieValues(this.#request.cookie, cookieName(this.#context.cookie, this.#secure))
  }

  get #secure(): boolean {
    return this.#context.cookie.secure ?? this.#request.secure
  }

  #tolerates(error: unknown): boolean {
    return (
      this.#context.anonymousOnError && error instanceof SessionError && error.code === 'ERR_SESSION_STORE'
    )
  }

  /** One commit of this visit at a time. Answers whether the session is still there. */
  #inTurn(): Promise<boolean> {
    this.#saving++
    const turn = this.#queue.then(() => this.#save()).finally(() => this.#saving--)
    this.#queue = turn.catch(ignore)
    return turn
  }

  async #save(): Promise<boolean> {
    const session = this.#session
    if (!session || !this.#carried || this.#closed) return true
    await this.#endDestroyed()
    const changed = session.changed
    const journals = changed ? [...this.#unsaved, session.takeJournal()] : this.#unsaved
    if (journals.length === 0 && !this.#context.carrier.extensionDue(this.#carried)) return true
    this.#unsaved = []
    if (journals.length === 0) this.#extended = true
    const carried = this.#carried
    try {
      return await this.#saveOn(session, carried, journals)
    } catch (error) {
      // An extension that fails costs the visitor nothing; observers have heard of it.
      if (journals.length === 0) return true
      if (this.#carried === carried) this.#unsaved = [...journals]
      throw error
    }
  }

  async #saveOn(session: LiveSession, carried: Carried, journals: readonly Journal[]): Promise<boolean> {
    const carriage = await this.#context.carrier.commit(carried, journals)
    // The handler may have destroyed the session meanwhile: then there is another one by now.
    const isCurrent = this.#carried === carried
    if (!carriage) return journals.length === 0 || !isCurrent
    if (isCurrent) {
      this.#carried = carriage.carried
      session.stored(stateOf(carriage.carried))
    } else if (carriage.carried.loaded) {
      this.#destroyed = this.#destroyed.map((ended) => (ended === carried ? carriage.carried : ended))
    }
    if (carriage.tell) this.#setCookie = this.#cookieOf(carriage.carried)
    return true
  }

  async #endDestroyed(): Promise<void> {
    while (this.#destroyed[0]) {
      await this.#context.carrier.end(this.#destroyed[0])
      this.#destroyed.shift()
      this.#setCookie = this.#cookies.length > 0 ? clearCookie(this.#context.cookie, this.#secure) : undefined
    }
  }

  #cookieOf(carried: Carried): string {
    const { cookie, lifetimes } = this.#context
    const { record } = carried
    const persistent = record.timeouts.persistent ?? cookie.persistent
    const maxAge = persistent ? cookieSeconds(record, lifetimes, this.now()) : undefined
    return setCookie(cookie, idText(carried), this.#secure, maxAge)
  }

  #discard(): void {
    if (this.#closed === 'ended') return
    this.#closed = 'ended'
    if (this.#carried) this.#context.events.emit('discarded', { handle: this.#carried.id.key })
  }

  /** Saves, soon, what is changed after the headers have left: all changes made in one go at once. */
  #saveSoon(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    queueMicrotask(() => {
      this.#scheduled = false
      // The store's failure has been told to observers; there is no response left to tell.
      this.commit().catch(ignore)
    })
  }
}

function stateOf({ id, loaded, record }: Carried): SessionState {
  return {
    handle: id.key,
    record,
    secretHash: loaded && hashSecret(id.secret),
    expiresAt: loaded?.expiresAt,
  }
}
