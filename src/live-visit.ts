import type { Awaitable } from './awaitable.ts'
import type { Carried } from './carrier.ts'
import { CookieJar } from './cookie-jar.ts'
import { endOfTurn } from './end-of-turn.ts'
import { SessionError } from './errors.ts'
import { ignore } from './ignore.ts'
import type { Outcome } from './outcome.ts'
import type { Session } from './session.ts'
import type { SessionState } from './session-state.ts'
import type { Visit, VisitRequest } from './visit.ts'
import { isTolerable, type VisitContext } from './visit-context.ts'
import { NONE, type SavingHost, tooLate, VisitSaves } from './visit-saves.ts'

export class LiveVisit<Data extends object> implements Visit<Data>, SavingHost {
  readonly context: VisitContext
  readonly jar: CookieJar
  #loading: Promise<Session<Data>> | undefined
  /** `undefined` until the session is loaded. */
  #saves: VisitSaves | undefined
  #headersSent = false
  #scheduled = false

  constructor(context: VisitContext, request: VisitRequest) {
    this.context = context
    this.jar = new CookieJar(context, request)
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
    // Bound, not a closure, which would need twice the memory.
    this.#loading ??= endOfTurn().then(this.#load.bind(this))
    return this.#loading
  }

  get dirty(): boolean {
    return this.#saves?.areDue ?? false
  }

  commit(): Promise<void> | undefined {
    try {
      // What an explicit save() could not save was reported to its caller: it is not tried again behind their back.
      const saved = this.#saves?.saveNew()
      return saved instanceof Promise ? saved.then(ignore, this.#notCommitted.bind(this)) : undefined
    } catch (error) {
      return this.#notCommitted(error)
    }
  }

  get outcome(): Outcome {
    return { read: this.#saves !== undefined, setCookies: this.#saves?.setCookies ?? NONE }
  }

  headersSent(): void {
    this.#headersSent = true
    // Middleware may change it at the last moment, when the head is on its way.
    if (this.#saves?.session.hasJournaled) this.#saveSoon()
  }

  beforeChange(needsCookie: boolean): void {
    if (!this.#headersSent) return
    if (needsCookie || this.isTooLate) throw tooLate()
    this.#saveSoon()
  }

  get isTooLate(): boolean {
    return this.#headersSent && this.context.carrier.tellsChanges
  }

  destroyed(): SessionState {
    if (this.#headersSent) {
      if (this.context.carrier.tellsEnd) throw tooLate()
      this.#saveSoon()
    }
    return this.#saves?.destroy() ?? this.context.carrier.blank()
  }

  async save(): Promise<void> {
    const saves = this.#saves
    if (saves?.closed === 'failed')
      throw new SessionError('ERR_SESSION_STORE', 'The session could not be loaded or saved')
    if (saves && !(await saves.save())) {
      throw new SessionError(
        'ERR_SESSION_ENDED',
        'The session has ended meanwhile; its changes were not saved',
      )
    }
  }

  async #notCommitted(error: unknown): Promise<void> {
    // The cookie of what an earlier save() has stored still goes out: without it the visitor could not come back to it.
    if (this.#saves) this.#saves.closed = 'failed'
    if (!isTolerable(this.context, error)) throw error
  }

  #load(): Awaitable<Session<Data>> {
    try {
      const found = this.context.carrier.load(this.jar)
      return found instanceof Promise
        ? found.then(this.#loaded.bind(this), this.#notLoaded.bind(this))
        : this.#loaded(found)
    } catch (error) {
      return this.#notLoaded(error)
    }
  }

  #loaded(found: Carried | undefined): Session<Data> {
    return this.#show(found ?? this.context.carrier.blank())
  }

  #notLoaded(error: unknown): Session<Data> {
    if (!isTolerable(this.context, error)) {
      // A handler that asks but never looks must not bring the process down.
      this.#loading?.catch(ignore)
      throw error
    }
    // Nothing of this request is kept, and the cookie is left alone: the visitor is back when the store is.
    return this.#show(this.context.carrier.blank(), 'failed')
  }

  #show(carried: Carried, closed?: 'failed'): Session<Data> {
    this.#saves = new VisitSaves(this, carried)
    this.#saves.closed = closed
    // The typed face: what the class does with any key and value, Data narrows to its own.
    return this.#saves.session as unknown as Session<Data>
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
