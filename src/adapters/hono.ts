import { known, oneOf } from '../check-options.ts'
import type { Session } from '../session.ts'
import type { Sessions } from '../sessions.ts'
import { checkSessions, type EagerOption, type ProxyOption } from './adapter-options.ts'
import { outliveClient, saveVisit, visitRequest, withSessionHeaders } from './fetch-visit.ts'

export interface HonoSessionOptions extends EagerOption, ProxyOption {}

/** What `eager: true` puts on the context: `new Hono<{ Variables: SessionVariables<Data> }>()` types `c.get('session')`. */
export interface SessionVariables<Data extends object = Record<string, unknown>> {
  session: Session<Data>
}

/** What is used of Hono's context. */
export interface HonoContext {
  readonly req: { readonly raw: Request }
  /** Throws where the runtime has none. */
  readonly executionCtx?: unknown
  get res(): Response
  set res(response: Response | undefined)
  // biome-ignore lint/suspicious/noExplicitAny: the variables are the application's own
  set: (key: any, value: any) => void
}

/**
 * Sessions for Hono, on every runtime: `await sessions.of(c)` in the handlers that come after it. What a handler changes is
 * saved before the response is handed over; when that fails, the error goes to the app's `onError`.
 * @throws TypeError when an argument is wrong.
 */
export function honoSession<Data extends object>(
  sessions: Sessions<Data>,
  options: HonoSessionOptions = {},
): (c: HonoContext, next: () => Promise<void>) => Promise<void> {
  checkSessions(sessions, 'honoSession')
  known(options, ['eager', 'trustProxy'], 'honoSession')
  const eager = oneOf(options.eager ?? false, [true, false], 'eager')
  const trustProxy = oneOf(options.trustProxy ?? false, [true, false], 'trustProxy')

  const contextOf = contexts()

  return (c, next) => {
    const visit = sessions.open(visitRequest(c.req.raw, trustProxy))
    let isUntold = true
    const session = (): Promise<Session<Data>> => {
      // Not sooner: where a runtime has no context Hono throws, which takes longer than all else here.
      if (isUntold) queueMicrotask(() => outliveClient([contextOf(c)], answering))
      isUntold = false
      return visit.session()
    }
    // A sub-app may bring the middleware again: the visit is the one there is, and this one is never asked.
    for (const holder of [c.req.raw, c]) sessions.attach(holder, { session })

    const answer = async (): Promise<void> => {
      if (eager) c.set('session', await sessions.of(c))
      await next()
      try {
        await saveVisit(visit)
      } catch (error) {
        // Nothing of the answer that is not given is to be in the error page.
        c.res = undefined
        throw error
      }
      const given = c.res
      const carrying = withSessionHeaders(visit, given)
      if (carrying !== given) {
        // Hono would give it the headers of the other one, and makes a new response for each header that it is told of.
        c.res = undefined
        c.res = carrying
      }
      // A body that goes on streaming is the runtime's own business.
      isUntold = false
    }
    const answering = answer()
    return answering
  }
}

/** Runtimes that end no request together with its client. */
const ENDS_NONE = /^(Node\.js|Bun|Deno)\//.test(globalThis.navigator?.userAgent ?? '')

/** Asks Hono for the context that the runtime has handed over; where it has none Hono throws, which takes long. */
function contexts(): (c: HonoContext) => unknown {
  let asks = true
  return (c) => {
    if (!asks) return undefined
    try {
      return c.executionCtx
    } catch {
      asks = !ENDS_NONE
      return undefined
    }
  }
}
