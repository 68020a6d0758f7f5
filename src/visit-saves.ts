import type { Awaitable } from './awaitable.ts'
import type { Carriage, Carried } from './carrier.ts'
import type { CookieJar } from './cookie-jar.ts'
import { SessionError } from './errors.ts'
import type { Journal } from './journal.ts'
import { LiveSession } from './live-session.ts'
import type { SessionHost } from './session-host.ts'
import { Turns } from './turns.ts'

/** What the saves of a visit ask of it. */
export interface SavingHost extends SessionHost {
  readonly jar: CookieJar
  /** Whether what is changed now can reach nobody. */
  readonly isTooLate: boolean
}

/** The session of a visit once it is loaded, and how it is saved: one save at a time. */
export class VisitSaves extends Turns {
  readonly session: LiveSession
  /** Whether nothing is to be saved any more: the session has ended, or the store is down. */
  closed: 'ended' | 'failed' | undefined
  setCookies: readonly string[] = NONE
  readonly #visit: SavingHost
  #carried: Carried
  /** Sessions that the handler has destroyed, until the commit. */
  #destroyed: readonly Carried[] = NONE
  /** What a failed `save()` could not save: for another `save()`. */
  #unsaved: readonly Journal[] = NONE
  /** Whether an extension was tried, which a request does once: when it fails, the next request will. */
  #extended = false

  constructor(visit: SavingHost, carried: Carried) {
    super()
    this.#visit = visit
    this.#carried = carried
    this.session = new LiveSession(visit, carried)
  }

  /** Whether there is anything to save, or saves under way to wait for. */
  get areDue(): boolean {
    if (this.underWay) return true
    if (this.closed) return false
    if (this.#destroyed.length > 0 || this.session.changed) return true
    return this.#unsaved.length === 0 && !this.#extended && this.#extensionDue
  }

  /** Saves what was changed, and not tried before. Answers whether the session is still there. */
  saveNew(): Awaitable<boolean> {
    this.#unsaved = NONE
    return this.save()
  }

  /** Answers whether the session is still there. */
  save(): Awaitable<boolean> {
    return this.take(VisitSaves.#saveAll)
  }

  /** Takes note that the holder has ended the session. Answers the blank one that follows. */
  destroy(): Carried {
    this.#destroyed = [...this.#destroyed, this.#carried]
    this.#unsaved = NONE
    if (this.closed === 'ended') this.closed = undefined
    this.#carried = this.#visit.context.carrier.blank()
    return this.#carried
  }

  static #saveAll(this: void, mine: VisitSaves): Awaitable<boolean> {
    if (mine.closed) return mine.closed === 'failed'
    if (mine.#destroyed.length === 0) return mine.#saveChanges()
    return mine.#endDestroyed().then(mine.#saveChanges.bind(mine))
  }

  #saveChanges(): Awaitable<boolean> {
    const { session } = this
    const carried = this.#carried
    const journals = session.changed ? joined(this.#unsaved, session.takeJournal()) : this.#unsaved
    if (journals.length === 0 && !this.#extensionDue) return true
    if (this.#visit.isTooLate) {
      // Changes inside objects alone come so far: of those nothing is told before they are looked for.
      this.#discarded()
      throw tooLate()
    }
    this.#unsaved = NONE
    if (journals.length === 0) this.#extended = true
    try {
      const carriage = this.#visit.context.carrier.commit(carried, journals, this.#visit.jar)
      return carriage instanceof Promise
        ? carriage.then(
            this.#saved.bind(this, carried, journals),
            this.#notSaved.bind(this, carried, journals),
          )
        : this.#saved(carried, journals, carriage)
    } catch (error) {
      return this.#notSaved(carried, journals, error)
    }
  }

  #saved(carried: Carried, journals: readonly Journal[], carriage: Carriage | undefined): boolean {
    // The handler may have destroyed the session meanwhile: then there is another one by now.
    const isCurrent = this.#carried === carried
    if (!carriage) {
      if (journals.length === 0 || !isCurrent) return true
      this.closed = 'ended'
      this.#discarded()
      return false
    }
    if (isCurrent) {
      this.#carried = carriage.carried
      this.session.stored(carriage.carried)
    } else if (carriage.carried.secretHash !== undefined) {
      this.#destroyed = this.#destroyed.with(this.#destroyed.indexOf(carried), carriage.carried)
    }
    if (carriage.setCookies.length > 0) this.setCookies = carriage.setCookies
    return true
  }

  #notSaved(carried: Carried, journals: readonly Journal[], error: unknown): true {
    // An extension that fails costs the visitor nothing; observers have heard of it.
    if (journals.length === 0) return true
    if (this.#carried === carried) this.#unsaved = journals
    throw error
  }

  get #extensionDue(): boolean {
    return !this.#visit.isTooLate && this.#visit.context.carrier.extensionDue(this.#carried)
  }

  async #endDestroyed(): Promise<void> {
    while (this.#destroyed[0]) {
      const { carrier } = this.#visit.context
      await carrier.end(this.#destroyed[0])
      this.#destroyed = this.#destroyed.slice(1)
      this.setCookies = carrier.clear(this.#visit.jar)
    }
  }

  #discarded(): void {
    this.#visit.context.events.emit('discarded', { handle: this.#carried.handle })
  }
}

/** Mostly of one alone, which `concat` takes long for. */
function joined(journals: readonly Journal[], last: Journal): readonly Journal[] {
  return journals.length > 0 ? journals.concat(last) : [last]
}

export const NONE: readonly never[] = []

export function tooLate(): SessionError {
  return new SessionError(
    'ERR_SESSION_HEADERS_SENT',
    'This change needs a cookie, and the response headers have left: make it before the response begins',
  )
}
