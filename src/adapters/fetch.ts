import { known, oneOf } from '../check-options.ts'
import type { Sessions } from '../sessions.ts'
import { checkSessions, type ProxyOption } from './adapter-options.ts'
import { FetchRuns } from './fetch-runs.ts'
import { openFetchVisit, outliveClient, saveVisit, withSessionHeaders } from './fetch-visit.ts'

/** Makes the response to a request. */
export type FetchHandler<Req extends Request, Args extends unknown[]> = (
  request: Req,
  ...args: Args
) => Response | Promise<Response>

export interface FetchSessionOptions<Req extends Request = Request> extends ProxyOption {
  /**
   * Answers when the handler threw or the session could not be saved.
   * @defaultValue answers with the error's `status`, or 500, and reports it on the console
   */
  onError?: (error: unknown, request: Req) => Response | Promise<Response>
}

/**
 * Sessions for handlers that take a `Request` and answer a `Response`: `Bun.serve`, `Deno.serve`, Cloudflare Workers and all
 * others. `await sessions.of(request)` in the handler; what it changes is saved before the response is handed over.
 * @example
 * Deno.serve(withSession(sessions, async (request) => {
 *   const session = await sessions.of(request)
 *   return new Response(`Visits: ${session.update('num_visits', (n = 0) => n + 1)}`)
 * }))
 * @throws TypeError when an argument is wrong.
 */
export function withSession<Data extends object, Req extends Request = Request, Args extends unknown[] = []>(
  sessions: Sessions<Data>,
  handler: FetchHandler<Req, Args>,
  options: FetchSessionOptions<Req> = {},
): (request: Req, ...args: Args) => Promise<Response> {
  checkSessions(sessions, 'withSession')
  if (typeof handler !== 'function') {
    throw new TypeError(
      'The second argument of withSession() must be a function (request) that answers a Response',
    )
  }
  known(options, ['trustProxy', 'onError'], 'withSession')
  const { trustProxy = false, onError = answerError } = options
  oneOf(trustProxy, [true, false], 'trustProxy')
  if (typeof onError !== 'function') throw new TypeError('"onError" must be a function (error, request)')

  const answer = async (request: Req, args: Args): Promise<Response> => {
    const visit = openFetchVisit(sessions, request, trustProxy)
    const fail = async (error: unknown): Promise<Response> => {
      const page = await onError(error, request)
      await saveVisit(visit)
      return page
    }
    let response: Response
    try {
      response = await handler(request, ...args)
      await saveVisit(visit)
    } catch (error) {
      // The error page is for what the handler threw; if its changes cannot be saved either, for that.
      response = await fail(error).catch((another) => onError(another, request))
    }
    return withSessionHeaders(visit, response)
  }
  return (request, ...args) => {
    const answering = answer(request, args)
    outliveClient(args, answering)
    return answering
  }
}

/**
 * Sessions for one request inside a framework that calls middleware with the request and a function that answers it:
 * SvelteKit's `handle`, Astro's `onRequest`, React Router's middleware. What was thrown is thrown on, once the session is
 * saved; a `Response` that was thrown (a redirect) gets the session's cookie like one that was returned. When the framework calls
 * it again for the same request, to show an error page, that page has the same session.
 * @example
 * export const handle = ({ event, resolve }) => runWithSession(sessions, event.request, () => resolve(event))
 * @throws TypeError when an argument is wrong; SessionError when the session could not be saved.
 */
export async function runWithSession<Data extends object>(
  sessions: Sessions<Data>,
  request: Request,
  answer: () => Response | Promise<Response>,
  options: ProxyOption = {},
): Promise<Response> {
  checkSessions(sessions, 'runWithSession')
  known(options, ['trustProxy'], 'runWithSession')
  const trustProxy = oneOf(options.trustProxy ?? false, [true, false], 'trustProxy')
  return FetchRuns.of(sessions, request, trustProxy).answer(answer)
}

function answerError(error: unknown): Response {
  const given = error instanceof Error && 'status' in error ? error.status : undefined
  const status = typeof given === 'number' && given >= 400 && given < 600 ? given : 500
  if (status >= 500) console.error(error)
  return new Response(`Error ${status}`, { status, headers: { 'Content-Type': 'text/plain; charset=utf-8' } })
}
