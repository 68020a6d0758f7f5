import type { Session, Sessions } from '../../src/index.ts'

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
    { cookie, secure = false }: { cookie?: string; secure?: boolean } = {},
  ) {
    this.#sessions = sessions
    this.#secure = secure
    this.cookie = cookie
  }

  /** One request: the handler runs, the session is committed, the answer's cookie is kept. */
  async visit<Result>(handler: (session: Session<Data>) => Result | Promise<Result>): Promise<Result> {
    const visit = this.#sessions.open({ cookie: this.cookie, secure: this.#secure })
    const result = await handler(await visit.session())
    await visit.commit()
    for (const header of visit.outcome.setCookies) this.receive(header)
    return result
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
