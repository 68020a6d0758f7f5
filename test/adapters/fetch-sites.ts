import { Hono } from 'hono'
import { withSession } from '../../src/adapters/fetch.ts'
import { honoSession } from '../../src/adapters/hono.ts'
import type { Site } from '../../src/testing/adapter-site.ts'
import { toResponse } from './to-response.ts'

// The contract's site as a function of the Fetch standard: for every runtime, so nothing here is Node's.

export type FetchSite = (request: Request, ...context: unknown[]) => Response | Promise<Response>

/** The site with `withSession`. */
export function fetchSite({ sessions, pages, errorPage }: Site): FetchSite {
  return withSession(
    sessions,
    async (request: Request, ..._context: unknown[]) => {
      const { pathname, searchParams: query } = new URL(request.url)
      const page = pages[pathname]
      return page
        ? toResponse(await page({ session: () => sessions.of(request), query }))
        : new Response('', { status: 404 })
    },
    { onError: (error) => toResponse(errorPage(error)) },
  )
}

/** The site with Hono. */
export function honoSite({ sessions, pages, errorPage }: Site): FetchSite {
  const app = new Hono()
  app.use(honoSession(sessions))
  for (const [path, page] of Object.entries(pages)) {
    app.all(path, async (c) =>
      toResponse(await page({ session: () => sessions.of(c), query: new URL(c.req.url).searchParams })),
    )
  }
  app.onError((error) => toResponse(errorPage(error)))
  return (request, ...context) => app.fetch(request, ...(context as []))
}
