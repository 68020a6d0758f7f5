import type { Visit } from '../visit.ts'
import { statusOf } from './response-head.ts'

/** The mark that Next puts on the errors by which it and its functions speak to each other. */
function digestOf(thrown: unknown): string {
  return thrown instanceof Error && 'digest' in thrown ? String(thrown.digest) : ''
}

/**
 * The answer to what a Route Handler threw, or `undefined` where Next is to give it. Next sends a redirect with the cookies
 * it was told of, and all else without: `notFound()`, `forbidden()`, `unauthorized()` and failures.
 * @param onError - The application's own answer to failures.
 */
export function answerThrown(
  thrown: unknown,
  visit: Pick<Visit, 'outcome'>,
  onError: (() => Response | Promise<Response>) | undefined,
): Response | Promise<Response> | undefined {
  const digest = digestOf(thrown)
  const isFailure = !digest.startsWith('NEXT_')
  if (isFailure && onError) return onError()
  if (visit.outcome.setCookies.length === 0) return undefined
  if (isFailure) return answerError(thrown)
  const [, status] = /^NEXT_HTTP_ERROR_FALLBACK;(\d{3})$/.exec(digest) ?? []
  return status === undefined ? undefined : new Response(null, { status: Number(status) })
}

function answerError(error: unknown): Response {
  const status = statusOf(error)
  if (status >= 500) console.error(error)
  return new Response(null, { status })
}
