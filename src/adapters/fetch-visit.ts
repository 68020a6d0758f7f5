import { isForwardedHttps } from '../forwarded.ts'
import { ignore } from '../ignore.ts'
import { cachingHeaders, type Outcome } from '../outcome.ts'
import type { Sessions } from '../sessions.ts'
import type { Visit, VisitRequest } from '../visit.ts'

// What is changed while changes are being saved is saved before the head leaves, too; but not for ever.
const MAX_COMMITS = 3

/** A visit by a request of the Fetch standard. */
export function openFetchVisit<Data extends object>(
  sessions: Sessions<Data>,
  request: Request,
  trustProxy: boolean,
): Visit<Data> {
  const visit = sessions.open(visitRequest(request, trustProxy))
  sessions.attach(request, visit)
  return visit
}

/** The request as it concerns the session. */
export function visitRequest(request: Request, trustProxy: boolean): VisitRequest {
  return { cookie: request.headers.get('Cookie') ?? undefined, secure: isHttps(request, trustProxy) }
}

function isHttps({ url, headers }: Request, trustProxy: boolean): boolean {
  const forwarded = trustProxy ? isForwardedHttps(headers.get('X-Forwarded-Proto')) : undefined
  return forwarded ?? url.startsWith('https:')
}

/** Saves what the handler has changed. Answers nothing where that is done; rejects with a SessionError when it failed. */
export function saveVisit(visit: Pick<Visit, 'dirty' | 'commit'>, commits = 0): Promise<void> | undefined {
  for (let i = commits; i < MAX_COMMITS && visit.dirty; i++) {
    const saving = visit.commit()
    if (saving !== undefined) return saving.then(() => saveVisit(visit, i + 1))
  }
  return undefined
}

/**
 * The headers to set, and the cookies to append, for what the session needs the client and the caches to know.
 * @param answer - Its headers are looked at only where there is something to say: some servers send an answer that nobody has
 * looked into by a shorter way.
 */
export function sessionHeaders(
  outcome: Outcome,
  answer: Pick<Response, 'headers'>,
): { set: readonly [name: string, value: string][]; cookies: readonly string[] } {
  const { read, setCookies: cookies } = outcome
  if (!read && cookies.length === 0) return NOTHING
  const { headers } = answer
  const { cacheControl, vary } = cachingHeaders(outcome, {
    cacheControl: headers.get('Cache-Control') ?? undefined,
    vary: headers.get('Vary') ?? undefined,
  })
  const set: [string, string][] = []
  if (cacheControl !== undefined) set.push(['Cache-Control', cacheControl])
  if (vary !== undefined) set.push(['Vary', vary])
  return { set, cookies }
}

const NOTHING = { set: [], cookies: [] } as const

/**
 * The response with the session's headers. A new one, since a response may be immutable (a redirect, one from `fetch`) or
 * be given to many visitors.
 */
export function withSessionHeaders(
  visit: Pick<Visit, 'outcome' | 'headersSent'>,
  response: Response,
): Response {
  const { set, cookies } = sessionHeaders(visit.outcome, response)
  visit.headersSent()
  if (set.length === 0 && cookies.length === 0) return response
  // A change of protocol is the runtime's own kind of response, which nobody else can make.
  const headers = response.status === 101 ? response.headers : new Headers(response.headers)
  for (const [name, value] of set) headers.set(name, value)
  for (const cookie of cookies) headers.append('Set-Cookie', cookie)
  const { status, statusText, body } = response
  return status === 101 ? response : new Response(body, { status, statusText, headers })
}

/**
 * Lets an answer be finished when its client has gone, on runtimes that would else end it with the request (Cloudflare), by
 * the context that they hand to the handler beside the request.
 */
export function outliveClient(args: readonly unknown[], answering: Promise<unknown>): void {
  for (const context of args as ({ waitUntil?: unknown } | undefined)[]) {
    if (typeof context?.waitUntil === 'function') context.waitUntil(answering.catch(ignore))
  }
}
