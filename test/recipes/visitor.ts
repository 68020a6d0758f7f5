/** A visitor's browser by HTTP: keeps the cookies it is given, and follows no redirect by itself. */
export class Visitor {
  readonly #origin: string
  readonly #cookies = new Map<string, string>()

  constructor(origin: string, cookie?: string) {
    this.#origin = origin
    const [name, value] = cookie?.split('=') ?? []
    if (name && value) this.#cookies.set(name, value)
  }

  /** The `Cookie` header that it sends. */
  get cookie(): string {
    return [...this.#cookies].map((pair) => pair.join('=')).join('; ')
  }

  /** The same browser as it is now, whatever the other one receives from then on. */
  clone(): Visitor {
    const clone = new Visitor(this.#origin)
    for (const [name, value] of this.#cookies) clone.#cookies.set(name, value)
    return clone
  }

  async fetch(path: string, init: RequestInit = {}): Promise<Response> {
    const headers = new Headers(init.headers)
    if (this.#cookies.size > 0) headers.set('Cookie', this.cookie)
    const response = await fetch(this.#origin + path, { redirect: 'manual', ...init, headers })
    for (const line of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
      if (/; Max-Age=0(;|$)/.test(line)) this.#cookies.delete(name)
      else this.#cookies.set(name, value)
    }
    return response
  }

  async text(path: string, init?: RequestInit): Promise<string> {
    return (await this.fetch(path, init)).text()
  }

  post(path: string, form: Record<string, string> = {}): Promise<Response> {
    return this.fetch(path, { method: 'POST', body: new URLSearchParams(form) })
  }
}
