import { type CookiePolicy, clearCookie, cookieName, cookieValues, setCookie } from './cookie.ts'
import { cookieSeconds, type Lifetimes } from './lifetime.ts'
import type { SessionRecord } from './record.ts'
import type { VisitRequest } from './visit.ts'

/** What decides what the session's cookies are called and how long they live. */
export interface CookieContext {
  readonly cookie: CookiePolicy
  readonly lifetimes: Lifetimes
  now(): number
}

/** The session's cookies in one request, and how its response changes them. */
export class CookieJar {
  readonly #context: CookieContext
  readonly #header: string | undefined
  readonly #secure: boolean

  constructor(context: CookieContext, { cookie, secure }: VisitRequest) {
    this.#context = context
    this.#header = cookie
    this.#secure = context.cookie.secure ?? secure
  }

  /** The name of the session's cookie on the wire. */
  get name(): string {
    return cookieName(this.#context.cookie, this.#secure)
  }

  /** All values of the session's cookie in the request, or of the one with that suffix to its name. */
  values(suffix = ''): readonly string[] {
    return cookieValues(this.#header, this.name + suffix)
  }

  /** The header value that sets the cookie for as long as the session may last. */
  set(value: string, record: SessionRecord, suffix = ''): string {
    const { cookie, lifetimes, now } = this.#context
    const persistent = record.timeouts.persistent ?? cookie.persistent
    const maxAge = persistent ? cookieSeconds(record, lifetimes, now()) : undefined
    return setCookie(cookie, value, this.#secure, maxAge, suffix)
  }

  /** The header value that removes the cookie. */
  clear(suffix = ''): string {
    return clearCookie(this.#context.cookie, this.#secure, suffix)
  }
}
