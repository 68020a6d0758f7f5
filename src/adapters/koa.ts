import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Session } from '../session.ts'
import type { Sessions } from '../sessions.ts'
import type { Visit } from '../visit.ts'
import { checkSessions, type EagerOption, isEager } from './adapter-options.ts'
import { saveVisit } from './fetch-visit.ts'
import { NodeVisit } from './node-visit.ts'
import { clearBodyHeaders } from './response-head.ts'

/** What is used of Koa's context. */
export interface KoaContext {
  readonly req: IncomingMessage
  readonly res: ServerResponse
  readonly secure: boolean
  onerror(error: Error): void
}

/** A context with the session that `eager: true` has put on it, whatever other packages say of `ctx.session`. */
export type WithSession<Context extends object, Data extends object = Record<string, unknown>> = Omit<
  Context,
  'session'
> & { session: Session<Data> }

/**
 * Sessions for Koa: `await sessions.of(ctx)` in the middleware that comes after it. What it changes is saved before the
 * first byte of the response leaves, also where the response is written by hand (`ctx.respond = false`); when that fails,
 * the error is thrown through the middleware that came before.
 *
 * Whether a request came by https is what Koa says (`ctx.secure`): behind a proxy, set `app.proxy`.
 * @throws TypeError when an argument is wrong.
 */
export function koaSession<Data extends object>(
  sessions: Sessions<Data>,
  options: EagerOption = {},
): (ctx: KoaContext, next: () => Promise<unknown>) => Promise<void> {
  checkSessions(sessions, 'koaSession')
  const eager = isEager(options, 'koaSession')

  return async (ctx, next) => {
    const { req, res } = ctx
    const visit = new NodeVisit(sessions, {
      req,
      res,
      isSecure: () => ctx.secure,
      fail: (error) => ctx.onerror(error as Error),
    })
    sessions.attach(ctx, visit)
    sessions.attach(req, visit)
    if (eager) Object.assign(ctx, { session: await sessions.of(ctx) })
    try {
      await next()
    } finally {
      if (!res.headersSent) await save(visit, res)
    }
  }
}

async function save(visit: Pick<Visit, 'dirty' | 'commit'>, res: ServerResponse): Promise<void> {
  try {
    await saveVisit(visit)
  } catch (error) {
    // The error page must not carry what was said of the answer that is not given.
    clearBodyHeaders(res)
    throw error
  }
}
