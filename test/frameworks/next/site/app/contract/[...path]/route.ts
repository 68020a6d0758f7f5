import { cookies, headers } from 'next/headers'
import { connection, type NextRequest } from 'next/server'
import { nextSession } from 'sojourn/next'
import type { Site } from 'sojourn/testing'
import { toResponse } from '../../../lib/to-response'

// The contract's sites live in the process that serves them, each on a port of its own.
const { sites } = globalThis as { sites?: Map<string, Site> }

async function answer(request: NextRequest): Promise<Response> {
  const site = sites?.get(request.headers.get('Host') ?? '')
  if (!site) return new Response(null, { status: 404 })
  const { getSession, route } = nextSession(site.sessions, { cookies, headers, connection })
  const page = site.pages[request.nextUrl.pathname.replace('/contract', '')]
  const handler = route(
    async ({ nextUrl }: NextRequest) =>
      page
        ? toResponse(await page({ session: getSession, query: nextUrl.searchParams }))
        : new Response(null, { status: 404 }),
    { onError: (error) => toResponse(site.errorPage(error)) },
  )
  return handler(request)
}

export { answer as GET, answer as HEAD, answer as POST }
