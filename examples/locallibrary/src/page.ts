import type { Catalogue } from './catalogue.ts'
import type { VisitorSession } from './sessions.ts'

/** What a page needs to know of a request, whichever framework received it. */
export interface PageRequest {
  /** The path with its query, as the visitor sees it. */
  url: string
  params: Readonly<Record<string, string>>
  query: URLSearchParams
  form: URLSearchParams
  userAgent: string
}

export interface PageInput {
  request: PageRequest
  session: VisitorSession
  catalogue: Catalogue
}

/** A template to fill, or another page to go to. */
export type Answer = View | { redirect: string }

export interface View {
  view: string
  title: string
  data?: object
  status?: number
}

/** Pages know nothing of frameworks: `app.ts` calls them, and `frameworks/` binds it to each. */
export type Page = (input: PageInput) => Answer | Promise<Answer>

export interface Route {
  method: 'get' | 'post'
  path: string
  page: Page
}

export function notFound(what = 'page'): View {
  return {
    view: 'error',
    title: 'Not found',
    status: 404,
    data: { message: `This library has no such ${what}. It may have moved, or the address may hold a slip.` },
  }
}
