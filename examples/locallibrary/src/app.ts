import { readFileSync } from 'node:fs'
import { extname, join } from 'node:path'
import type { Catalogue } from './catalogue.ts'
import { describeError } from './errors.ts'
import { readForm } from './form.ts'
import { notFound, type PageRequest, type Route } from './page.ts'
import { render } from './render.ts'
import { routes } from './routes.ts'
import { isCrossSite, securityHeaders } from './security.ts'
import type { VisitorSession } from './sessions.ts'

/** A request, as any framework can hand it over. */
export interface SiteRequest {
  readonly method: string
  /** The path with its query, as the visitor sees it. */
  readonly url: string
  header(name: string): string | undefined
  /** The body of a form, as it comes. */
  readonly body: AsyncIterable<Uint8Array> | null
  /** The visitor's session: `sessions.of(...)`. */
  session(): Promise<VisitorSession>
}

/** The whole answer, for the framework to send. */
export interface SiteAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

const FILES = ['style.css', 'favicon.svg']
const TYPES: Readonly<Record<string, string>> = { '.css': 'text/css', '.svg': 'image/svg+xml' }

/** The site: from a request to an answer. It knows no framework; `frameworks/` has the few lines that each of them needs. */
export class App {
  readonly #catalogue: Catalogue
  readonly #files: ReadonlyMap<string, SiteAnswer>

  constructor(catalogue: Catalogue) {
    this.#catalogue = catalogue
    this.#files = new Map(FILES.map((name) => [`/${name}`, file(name)]))
  }

  /** What the visitor gets. Rejects with what went wrong: the framework then sends `errorPage`. */
  async answer(request: SiteRequest): Promise<SiteAnswer> {
    const { pathname, searchParams: query } = new URL(request.url, 'http://here.invalid')
    // A request for the style sheet does not ask for its session, so it costs nothing.
    const file = this.#files.get(pathname)
    if (file) return file
    if (isCrossSite(request.method, (name) => request.header(name)))
      throw Object.assign(new Error('Refused: sent by another site'), { status: 403 })
    const found = find(request.method, pathname)
    const form = await readForm(request.body)
    const session = await request.session()
    if (!found) return page(request.url, session, notFound())
    const userAgent = request.header('user-agent') ?? ''
    const pageRequest: PageRequest = { url: request.url, params: found.params, query, form, userAgent }
    return page(
      request.url,
      session,
      await found.route.page({ request: pageRequest, session, catalogue: this.#catalogue }),
    )
  }

  errorPage(error: unknown, url: string): SiteAnswer {
    const view = describeError(error)
    if (view.status >= 500) console.error(error)
    // The session may be what failed, so the error page does without.
    return html(view.status, 'no-store', render(view, url, undefined))
  }
}

function page(url: string, session: VisitorSession, answer: Awaited<ReturnType<Route['page']>>): SiteAnswer {
  // Nothing a reader saw while signed in is to be had with the Back button after signing out.
  const caching = session.userId ? 'no-store' : 'private, no-cache'
  if (!('redirect' in answer)) return html(answer.status ?? 200, caching, render(answer, url, session))
  return {
    status: 303,
    headers: { ...securityHeaders, 'Cache-Control': caching, Location: answer.redirect },
    body: '',
  }
}

function html(status: number, caching: string, body: string): SiteAnswer {
  const headers = { ...securityHeaders, 'Cache-Control': caching, 'Content-Type': 'text/html; charset=utf-8' }
  return { status, headers, body }
}

function file(name: string): SiteAnswer {
  const type = `${TYPES[extname(name)]}; charset=utf-8`
  return {
    status: 200,
    headers: { ...securityHeaders, 'Cache-Control': 'public, max-age=60', 'Content-Type': type },
    body: readFileSync(join(import.meta.dirname, '../public', name), 'utf8'),
  }
}

function find(method: string, path: string): { route: Route; params: Record<string, string> } | undefined {
  const wanted = method === 'HEAD' ? 'get' : method.toLowerCase()
  for (const route of routes) {
    const params = route.method === wanted ? match(route.path, path) : undefined
    if (params) return { route, params }
  }
  return undefined
}

/** The parameters when a path is of that form, such as `/books/:slug`. */
function match(form: string, path: string): Record<string, string> | undefined {
  const [parts, given] = [form.split('/'), path.split('/')]
  if (parts.length !== given.length) return undefined
  const params: Record<string, string> = {}
  for (const [i, part] of parts.entries()) {
    const text = given[i] ?? ''
    if (part.startsWith(':') && text !== '') params[part.slice(1)] = decoded(text)
    else if (part !== text) return undefined
  }
  return params
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw Object.assign(new Error('The address is not well-formed'), { status: 400 })
  }
}
