import type { IncomingMessage, ServerResponse } from 'node:http'
import { known, oneOf } from '../check-options.ts'
import type { Session } from '../session.ts'
import type { Sessions } from '../sessions.ts'
import { checkSessions, isEncrypted, NodeVisit } from './node-visit.ts'

export interface ExpressSessionOptions {
  /**
   * Loads the session before the handlers run and puts it on `req.session`, at the cost of a store call for each request
   * that comes with the cookie.
   * @defaultValue `false`
   */
  eager?: boolean
}

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
  known(options, ['eager'], 'expressSession')
  const { eager = false } = options
  oneOf(eager, [true, false], 'eager')

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
