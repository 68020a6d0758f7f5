import type { Awaitable } from './awaitable.ts'
import type { Carriage, Carried } from './carrier.ts'
import { CookieJar } from './cookie-jar.ts'
import { endOfTurn } from './end-of-turn.ts'
import { SessionError } from './errors.ts'
import { newSecret } from './id.ts'
import { ignore } from './ignore.ts'
import type { Journal } from './journal.ts'
import type { Lifetimes } from './lifetime.ts'
import { LiveSession } from './live-session.ts'
import type { Outcome } from './outcome.ts'
import type { Session } from './session.ts'
import type { SessionHost, SessionState } from './session-host.ts'
import { Turns } from './turns.ts'
import type { Visit, VisitRequest } from './visit.ts'
import { isTolerable, type VisitContext } from './visit-context.ts'

export class LiveVisit<Data extends object> implements Visit<Data>, SessionHost {
  readonly #context: VisitContext
  readonly #jar: CookieJar
  #loading: Promise<Session<Data>> | undefined
  #session: LiveSession | undefined
  #carried: Carried | undefined
  /** Sessions that the handler has destroyed, until the commit. */
  #destroyed: readonly Carried[] = NONE
  /** What a failed `save()` could not save: for another `save()`. */
  #unsaved: readonly Journal[] = NONE
  #setCookies: readonly string[] = NONE
  #headersSent = false
  /** Whether nothing is to be saved any more: the session has ended, or the store is down. */
  #closed: 'ended' | 'failed' | undefined
  readonly #saves = new Turns()
  #scheduled = false
  /** Whether an extension was tried, which a request does once: when it fails, the next request will. */
  #extended = false

  constructor(context: VisitContext, request: VisitRequest) {
    this.#context = context
    this.#jar = new CookieJar(context, request)
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
    this.#loading ??= endOfTurn().then(() => this.#load())
    return this.#loading
  }

  get dirty(): boolean {
    if (this.#saves.underWay) return true
    if (!this.#session || !this.#carried || this.#closed) return false
    if (this.#destroyed.length > 0 || this.#session.changed) return true
    return this.#unsaved.length === 0 && !this.#extended && this.#extensionDue(this.#carried)
  }

  commit(): Promise<void> | undefined {
    // What an explicit save() could not save was reported to its caller: it is not tried again behind their back.
    this.#unsaved = NONE
    try {
      const isThere = this.#save()
      if (!(isThere instanceof Promise)) return this.#committed(isThere)
      return isThere.then((isThere) => this.#committed(isThere)).catch((error) => this.#notCommitted(error))
    } catch (error) {
      return this.#notCommitted(error)
    }
  }

  get outcome(): Outcome {
    return { read: this.#session !== undefined, setCookies: this.#setCookies }
  }

  headersSent(): void {
    this.#headersSent = true
    // Middleware may change it at the last moment, when the head is on its way.
    if (this.#session?.hasJournaled) this.#saveSoon()
  }

  get lifetimes(): Lifetimes {
    return this.#context.lifetimes
  }

  get checksPurity(): boolean {
    return this.#context.warns
  }

  now(): number {
    return this.#context.now()
  }

  newSecret(): string {
    return newSecret()
  }

  beforeChange(needsCookie: boolean): void {
    if (!this.#headersSent) return
    if (needsCookie || this.#isTooLate) throw tooLate()
    this.#saveSoon()
  }

  destroyed(): SessionState {
    if (this.#headersSent && this.#context.carrier.tellsEnd) throw tooLate()
    if (this.#carried) this.#destroyed = [...this.#destroyed, this.#carried]
    this.#unsaved = NONE
    if (this.#closed === 'ended') this.#closed = undefined
    if (this.#headersSent) this.#saveSoon()
    this.#carried = this.#context.carrier.blank()
    return this.#carried
  }

  async save(): Promise<void> {
    if (this.#closed === 'failed')
      throw new SessionError('ERR_SESSION_STORE', 'The session could not be loaded or saved')
    if (this.#closed === 'ended' || !(await this.#save())) {
      this.#discard()
      throw new SessionError(
        'ERR_SESSION_ENDED',
        'The session has ended meanwhile; its changes were not saved',
      )
    }
  }

  #committed(isThere: boolean): undefined {
    if (!isThere) this.#discard()
  }

  async #notCommitted(error: unknown): Promise<void> {
    // The cookie of what an earlier save() has stored still goes out: without it the visitor could not come back to it.
    this.#closed = 'failed'
    if (!isTolerable(this.#context, error)) throw error
  }

  #load(): Awaitable<Session<Data>> {
    try {
      const found = this.#context.carrier.load(this.#jar)
      return found instanceof Promise ? this.#loadedLater(found) : this.#loaded(found)
    } catch (error) {
      return this.#notLoaded(error)
    }
  }

  async #loadedLater(found: Promise<Carried | undefined>): Promise<Session<Data>> {
    try {
      return this.#loaded(await found)
    } catch (error) {
      return this.#notLoaded(error)
    }
  }

  #loaded(found: Carried | undefined): Session<Data> {
    return this.#show(found ?? this.#context.carrier.blank())
  }

  async #notLoaded(error: unknown): Promise<Session<Data>> {
    if (!isTolerable(this.#context, error)) return this.#refused(error)
    // Nothing of this request is kept, and the cookie is left alone: the visitor is back when the store is.
    this.#closed = 'failed'
    return this.#show(this.#context.carrier.blank())
  }

  /** A handler that asks but never looks must not bring the process down. */
  #refused(error: unknown): Promise<never> {
    const refused = Promise.reject(error)
    refused.catch(ignore)
    this.#loading?.catch(ignore)
    return refused
  }

  #show(carried: Carried): Session<Data> {
    this.#carried = carried
    this.#session = new LiveSession(this, carried)
    // The typed face: what the class does with any key and value, Data narrows to its own.
    return this.#session as unknown as Session<Data>
  }

  /** One save of this visit at a time. Answers whether the session is still there. */
  #save(): Awaitable<boolean> {
    return this.#saves.take(() => this.#saveAll())
  }

  #saveAll(): Awaitable<boolean> {
    if (!this.#session || !this.#carried || this.#closed) return true
    if (this.#destroyed.length === 0) return this.#saveChanges()
    return this.#endDestroyed().then(() => this.#saveChanges())
  }

  #saveChanges(): Awaitable<boolean> {
    const session = this.#session
    const carried = this.#carried
    if (!session || !carried) return true
    const journals = session.changed ? [...this.#unsaved, session.takeJournal()] : this.#unsaved
    if (journals.length === 0 && !this.#extensionDue(carried)) return true
    if (this.#isTooLate) {
      // Changes inside objects alone come so far: of those nothing is told before they are looked for.
      this.#context.events.emit('discarded', { handle: carried.handle })
      throw tooLate()
    }
    this.#unsaved = NONE
    if (journals.length === 0) this.#extended = true
    try {
      const carriage = this.#context.carrier.commit(carried, journals, this.#jar)
      if (!(carriage instanceof Promise)) return this.#saved(session, carried, journals, carriage)
      return carriage
        .then((carriage) => this.#saved(session, carried, journals, carriage))
        .catch((error) => this.#notSaved(carried, journals, error))
    } catch (error) {
      return this.#notSaved(carried, journals, error)
    }
  }

  #saved(
    session: LiveSession,
    carried: Carried,
    journals: readonly Journal[],
    carriage: Carriage | undefined,
  ): boolean {
    // The handler may have destroyed the session meanwhile: then there is another one by now.
    const isCurrent = this.#carried === carried
    if (!carriage) return journals.length === 0 || !isCurrent
    if (isCurrent) {
      this.#carried = carriage.carried
      session.stored(carriage.carried)
    } else if (carriage.carried.secretHash !== undefined) {
      this.#destroyed = this.#destroyed.map((ended) => (ended === carried ? carriage.carried : ended))
    }
    if (carriage.setCookies.length > 0) this.#setCookies = carriage.setCookies
    return true
  }

  #notSaved(carried: Carried, journals: readonly Journal[], error: unknown): true {
    // An extension that fails costs the visitor nothing; observers have heard of it.
    if (journals.length === 0) return true
    if (this.#carried === carried) this.#unsaved = journals
    throw error
  }

  #extensionDue(carried: Carried): boolean {
    return !this.#isTooLate && this.#context.carrier.extensionDue(carried)
  }

  /** Whether what is changed now can reach nobody. */
  get #isTooLate(): boolean {
    return this.#headersSent && this.#context.carrier.tellsChanges
  }

  async #endDestroyed(): Promise<void> {
    while (this.#destroyed[0]) {
      const { carrier } = this.#context
      await carrier.end(this.#destroyed[0])
      this.#destroyed = this.#destroyed.slice(1)
      this.#setCookies = carrier.clear(this.#jar)
    }
  }

  #discard(): void {
    if (this.#closed === 'ended') return
    this.#closed = 'ended'
    if (this.#carried) this.#context.events.emit('discarded', { handle: this.#carried.handle })
  }

  /** Saves, soon, what is changed after the headers have left: all changes made in one go at once. */
  #saveSoon(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    queueMicrotask(() => {
      this.#scheduled = false
      // The store's failure has been told to observers; there is no response left to tell.
      this.commit()?.catch(ignore)
    })
  }
}

const NONE: readonly never[] = []

function tooLate(): SessionError {
  return new SessionError(
    'ERR_SESSION_HEADERS_SENT',
    'This change needs a cookie, and the response headers have left: make it before the response begins',
  )
}
