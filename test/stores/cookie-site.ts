import { toBase64Url } from '../../src/base64url.ts'
import {
  createSessions,
  type Session,
  type SessionEventName,
  type Sessions,
  type SessionsOptions,
  type Store,
} from '../../src/index.ts'
import { cookieStore } from '../../src/stores/cookie.ts'

// biome-ignore lint/suspicious/noExplicitAny: tests look at values of all kinds
export type Data = Record<string, any>

/** A key as `sojourn secret` prints it. */
export function newKey(): string {
  return toBase64Url(crypto.getRandomValues(new Uint8Array(32)))
}

/** A site whose sessions are in cookies, at an instant that the test sets. */
export class CookieSite {
  now = Date.UTC(2026, 0, 1)
  readonly clock = (): number => this.now
  readonly keys: string[]
  readonly revocation: Store | undefined
  readonly sessions: Sessions<Data>
  readonly events: [SessionEventName, unknown][] = []

  constructor(
    options: SessionsOptions & { keys?: string[]; revocation?: (clock: () => number) => Store } = {},
  ) {
    const { keys = [newKey()], revocation, ...rest } = options
    this.keys = keys
    this.revocation = revocation?.(this.clock)
    this.sessions = this.process(rest)
  }

  /** Another process of the site, or another site of the same keys. */
  process(options: SessionsOptions = {}, keys: readonly string[] = this.keys): Sessions<Data> {
    const store = cookieStore({ keys, ...(this.revocation && { revocation: this.revocation }) })
    const sessions = createSessions<Data>({ store, clock: this.clock, ...options })
    for (const name of ['created', 'renewed', 'rotated', 'ended', 'discarded', 'storeError'] as const) {
      sessions.on(name, (event) => void this.events.push([name, event]))
    }
    return sessions
  }

  /** The names of the events since the last call. */
  heard(): string[] {
    return this.events.splice(0).map(([name]) => name)
  }

  browser(sessions: Sessions<Data> = this.sessions, options: { secure?: boolean } = {}): CookieBrowser {
    return new CookieBrowser(sessions, options.secure ?? false)
  }
}

/** A request that is under way. */
export interface UnderWay {
  session: Session<Data>
  headersSent(): void
  /** Commits, and answers the `Set-Cookie` values, which the browser has not received yet. */
  finish(): Promise<readonly string[]>
}

/** A browser without the web: keeps cookies by name, as they are set and removed. */
export class CookieBrowser {
  readonly #sessions: Sessions<Data>
  readonly #secure: boolean
  cookies: Map<string, string> = new Map()
  /** The `Set-Cookie` values of the last answer. */
  received: readonly string[] = []

  constructor(sessions: Sessions<Data>, secure: boolean) {
    this.#sessions = sessions
    this.#secure = secure
  }

  get header(): string | undefined {
    return this.cookies.size === 0 ? undefined : Array.from(this.cookies, (pair) => pair.join('=')).join('; ')
  }

  /** One request: the handler runs, the session is committed, the answer's cookies are kept. */
  async visit<Result>(handler: (session: Session<Data>) => Result | Promise<Result>): Promise<Result> {
    const { session, finish } = await this.begin()
    const result = await handler(session)
    this.receive(await finish())
    return result
  }

  async begin(header: string | undefined = this.header): Promise<UnderWay> {
    const visit = this.#sessions.open({ cookie: header, secure: this.#secure })
    const session = await visit.session()
    return {
      session,
      headersSent: () => visit.headersSent(),
      finish: async () => {
        await visit.commit()
        return visit.outcome.setCookies
      },
    }
  }

  receive(setCookies: readonly string[]): void {
    this.received = setCookies
    for (const setCookie of setCookies) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(setCookie) ?? []
      if (/; Max-Age=0(;|$)/.test(setCookie)) this.cookies.delete(name)
      else this.cookies.set(name, value)
    }
  }

  /** A copy of the browser as it is now: what a thief of its cookies has, or another site of the same name. */
  copy(sessions: Sessions<Data> = this.#sessions): CookieBrowser {
    const other = new CookieBrowser(sessions, this.#secure)
    other.cookies = new Map(this.cookies)
    return other
  }

  /** What a page shows that prints the whole session. */
  contents(): Promise<Data> {
    return this.visit((session) => Object.fromEntries(session))
  }

  user(): Promise<string | undefined> {
    return this.visit((session) => session.userId)
  }
}
