/** A browser reduced to what these tests need: it keeps cookies, follows redirects and posts forms. */
export class Visitor {
  readonly #base: string
  readonly #cookies = new Map<string, string>()

  constructor(base: string) {
    this.#base = base
  }

  get cookie(): string {
    return [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ')
  }

  set cookie(header: string) {
    this.#cookies.clear()
    this.#store(header)
  }

  /** One request, without following a redirect. */
  async request(path: string, init: RequestInit = {}): Promise<Response> {
    const headers = new Headers(init.headers)
    if (this.#cookies.size > 0) headers.set('cookie', this.cookie)
    const response = await fetch(this.#base + path, { ...init, headers, redirect: 'manual' })
    for (const line of response.headers.getSetCookie()) this.#store(line)
    return response
  }

  /** The text of a page. */
  async open(path: string): Promise<string> {
    return this.#follow(await this.request(path))
  }

  /** Sends a form as the site's own pages do. Answers the text of the page to which it leads. */
  async send(path: string, form: Record<string, string> = {}): Promise<string> {
    return this.#follow(await this.post(path, form))
  }

  post(
    path: string,
    form: Record<string, string> = {},
    headers: Record<string, string> = {},
  ): Promise<Response> {
    const body = new URLSearchParams(form)
    return this.request(path, { method: 'POST', body, headers: { origin: this.#base, ...headers } })
  }

  signIn(name: 'ada' | 'grace', next = '/'): Promise<string> {
    const password = { ada: 'difference-engine', grace: 'first-compiler' }[name]
    return this.send('/sign-in', { name, password, next })
  }

  async #follow(response: Response): Promise<string> {
    const location = response.headers.get('location')
    return location ? this.open(location) : response.text()
  }

  #store(line: string): void {
    const [, name, value] = /^([^=]+)=([^;]*)/.exec(line) ?? []
    if (!name) return
    if (!value || /;\s*max-age=0/i.test(line)) this.#cookies.delete(name)
    else this.#cookies.set(name, value)
  }
}

/** The number in "You have visited this page N times." */
export function visits(page: string): number {
  return Number(/You have visited this page (\d+) times\./.exec(page)?.[1])
}

/** What so many visits of the home page at once print, from few to many. */
export async function visitsAtOnce(visitor: Visitor, count: number): Promise<number[]> {
  const pages = await Promise.all(Array.from({ length: count }, () => visitor.open('/')))
  return pages.map(visits).sort((a, b) => a - b)
}
