/** An answer, read to its end. */
export interface Answer {
  status: number
  headers: Headers
  /** The values of its `Set-Cookie` headers. */
  setCookies: string[]
  body: string
}

// No page of a contract takes a second, but a busy machine may; what hangs is told as such in the end.
const PATIENCE = 60_000

/** What a browser does for sessions: keeps cookies and sends them back. It follows no redirect by itself. */
export class Browser {
  readonly #origin: string
  readonly #cookies = new Map<string, string>()

  constructor(origin: string) {
    this.#origin = origin
  }

  /** The `Cookie` header it would send. */
  get cookie(): string {
    return Array.from(this.#cookies, ([name, value]) => `${name}=${value}`).join('; ')
  }

  get(path: string, init: RequestInit = {}): Promise<Answer> {
    return this.request(path, init)
  }

  post(path: string): Promise<Answer> {
    return this.request(path, { method: 'POST' })
  }

  async request(path: string, init: RequestInit = {}): Promise<Answer> {
    const response = await this.begin(path, init)
    const { status, headers } = response
    return { status, headers, setCookies: headers.getSetCookie(), body: await response.text() }
  }

  /** Answers when the headers have come. */
  async begin(path: string, init: RequestInit = {}): Promise<Response> {
    const headers = new Headers(init.headers)
    if (this.cookie && !headers.has('Cookie')) headers.set('Cookie', this.cookie)
    const limit = AbortSignal.timeout(PATIENCE)
    const signal = init.signal ? AbortSignal.any([init.signal, limit]) : limit
    const response = await fetch(new URL(path, this.#origin), {
      redirect: 'manual',
      ...init,
      headers,
      signal,
    })
    this.keep(response.headers.getSetCookie())
    return response
  }

  /** Takes over cookies as the browser would on receiving these headers. */
  keep(setCookies: readonly string[]): void {
    for (const setCookie of setCookies) {
      const [pair = ''] = setCookie.split(';', 1)
      const equals = pair.indexOf('=')
      const name = pair.slice(0, equals).trim()
      if (/;\s*max-age=(0|-)/i.test(setCookie)) this.#cookies.delete(name)
      else this.#cookies.set(name, pair.slice(equals + 1).trim())
    }
  }
}
