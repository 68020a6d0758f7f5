import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Session } from '../session.ts'
import type { Sessions } from '../sessions.ts'
import { checkSessions, type EagerOption, isEager } from './adapter-options.ts'
import { isEncrypted, NodeVisit } from './node-visit.ts'

/** What {@link expressSession} may be told; `eager` puts the session on `req.session`. */
export interface ExpressSessionOptions extends EagerOption {}

/** Middleware, as Express 4 and 5 and whatever else takes `(req, res, next)` know it. */
export type Middleware = (req: IncomingMessage, res: ServerResponse, next: (error?: unknown) => void) => void

/** A request with the session that `eager: true` has put on it, whatever other packages say of `req.session`. */
export type WithSession<Request extends object, Data extends object = Record<string, unknown>> = Omit<
  Request,
  'session'
> & { session: Session<Data> }

/**
 * Sessions for Express 4 and 5: `await sessions.of(req)` in the handlers that come after it. What a handler changes is
 * saved before the first byte of its answer leaves; when that fails, the error goes to the app's error handlers.
 *
 * Whether a request came by https is what Express says (`req.secure`): behind a proxy, set its `trust proxy`.
 * @throws TypeError when an argument is wrong.
 */
export function expressSession<Data extends object>(
  sessions: Sessions<Data>,
  options: ExpressSessionOptions = {},
): Middleware {
  checkSessions(sessions, 'expressSession')
  const eager = isEager(options, 'expressSession')

  return (req, res, next) => {
    // A router or a sub-app may bring the middleware again: the visit is the one there is.
    sessions.attach(req, new NodeVisit(sessions, { req, res, isSecure, fail: next }))
    if (!eager) {
      next()
      return
    }
    sessions.of(req).then((session) => {
      Object.assign(req, { session })
      next()
    }, next)
  }
}

function isSecure(req: IncomingMessage): boolean {
  return 'secure' in req ? req.secure === true : isEncrypted(req)
}
