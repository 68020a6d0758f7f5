import type { Session, Sessions } from '../../src/index.ts'

/** A request that is under way: its handler holds the session, and its answer has not left. */
export interface UnderWay<Data extends object> {
  session: Session<Data>
  /** Commits, and answers the `Set-Cookie` values, which the browser has not received yet. */
  finish(): Promise<readonly string[]>
}

/** A visitor's browser without the web: keeps one cookie, and runs handlers as requests of its own. */
export class Browser<Data extends object> {
  readonly #sessions: Sessions<Data>
  readonly #secure: boolean
  /** The `Cookie` header that it sends. */
  cookie: string | undefined
  /** The `Set-Cookie` values that it has received, in order. */
  readonly received: string[] = []

  constructor(
    sessions: Sessions<Data>,
    { cookie, secure = false }: { cookie?: string | undefined; secure?: boolean } = {},
  ) {
    this.#sessions = sessions
    this.#secure = secure
    this.cookie = cookie
  }

  /** One request: the handler runs, the session is committed, the answer's cookie is kept. */
  async visit<Result>(handler: (session: Session<Data>) => Result | Promise<Result>): Promise<Result> {
    const { session, finish } = await this.begin()
    const result = await handler(session)
    for (const header of await finish()) this.receive(header)
    return result
  }

  /** A request up to the point where its handler has the session. */
  async begin(): Promise<UnderWay<Data>> {
    const visit = this.#sessions.open({ cookie: this.cookie, secure: this.#secure })
    const session = await visit.session()
    const finish = async (): Promise<readonly string[]> => {
      await visit.commit()
      return visit.outcome.setCookies
    }
    return { session, finish }
  }

  /** The same browser, as its next request meets another process of the site. */
  at(sessions: Sessions<Data>): Browser<Data> {
    return new Browser(sessions, { cookie: this.cookie, secure: this.#secure })
  }

  receive(header: string): void {
    this.received.push(header)
    this.cookie = /; Max-Age=0(;|$)/.test(header) ? undefined : header.slice(0, header.indexOf(';'))
  }

  /** The id inside the cookie. */
  get id(): string {
    return this.cookie?.slice(this.cookie.indexOf('=') + 1) ?? ''
  }
}
