import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Session } from '../session.ts'
import type { Sessions } from '../sessions.ts'
import type { Visit } from '../visit.ts'
import { checkSessions, type EagerOption, isEager } from './adapter-options.ts'
import { answerError } from './error-answer.ts'
import { saveVisit } from './fetch-visit.ts'
import { NodeVisit } from './node-visit.ts'
import { clearBodyHeaders } from './response-head.ts'

/** What is used of a Fastify request. */
export interface FastifyRequest {
  readonly raw: IncomingMessage
  readonly protocol: string
}

/** What is used of a Fastify reply. */
export interface FastifyReply {
  readonly raw: ServerResponse
  removeHeader(name: string): unknown
}

type Done = (error?: Error) => void

/** What is used of a Fastify instance. */
export interface FastifyInstance {
  addHook(
    name: 'onRequest',
    hook: (request: FastifyRequest, reply: FastifyReply, done: Done) => void,
  ): unknown
  addHook(
    name: 'onSend',
    hook: (request: FastifyRequest, reply: FastifyReply, payload: unknown, done: Done) => void,
  ): unknown
  decorateRequest(name: string, value: null): unknown
}

/** Each plugin finds its own visit: an instance may have sessions of several kinds. */
type VisitedRequest = FastifyRequest & { [held: symbol]: Pick<Visit, 'dirty' | 'commit'> | undefined }

/** A request with the session that `eager: true` has put on it, whatever other plugins say of `request.session`. */
export type WithSession<Request extends object, Data extends object = Record<string, unknown>> = Omit<
  Request,
  'session'
> & { session: Session<Data> }

/**
 * Sessions for Fastify 5, as a plugin: `app.register(fastifySession(sessions))`, then `await sessions.of(request)` in the
 * routes of the instance that it is registered on, and of those inside it. What a handler changes is saved in `onSend`; when
 * that fails, the error goes to the instance's error handler. Hijacked replies are held back until it is saved.
 *
 * Whether a request came by https is what Fastify says (`request.protocol`): behind a proxy, set its `trustProxy`.
 * @throws TypeError when an argument is wrong.
 */
export function fastifySession<Data extends object>(
  sessions: Sessions<Data>,
  options: EagerOption = {},
): (fastify: FastifyInstance, options: object, done: () => void) => void {
  checkSessions(sessions, 'fastifySession')
  const eager = isEager(options, 'fastifySession')
  const held = Symbol('sojourn visit')

  const plugin = (fastify: FastifyInstance, _: object, done: () => void): void => {
    if (eager) fastify.decorateRequest('session', null)
    fastify.addHook('onRequest', (request, { raw: res }, next) => {
      const { raw: req } = request
      const visit = new NodeVisit(sessions, {
        req,
        res,
        isSecure: () => request.protocol === 'https',
        fail: (error) => answerError(error, req, res),
      })
      ;(request as VisitedRequest)[held] = visit
      sessions.attach(request, visit)
      sessions.attach(req, visit)
      if (!eager) {
        next()
        return
      }
      sessions.of(request).then((session) => {
        Object.assign(request, { session })
        next()
      }, next)
    })
    fastify.addHook('onSend', (request, reply, _payload, next) => {
      const visit = (request as VisitedRequest)[held]
      const saving = visit && saveVisit(visit)
      if (saving === undefined) {
        next()
        return
      }
      saving.then(
        () => next(),
        (error) => {
          // The error page must not carry what was said of the answer that is not given.
          clearBodyHeaders(reply)
          next(error)
        },
      )
    })
    done()
  }
  // Hooks of the instance that it is registered on, not of a scope of its own.
  return Object.assign(plugin, {
    [Symbol.for('skip-override')]: true,
    [Symbol.for('plugin-meta')]: { name: 'sojourn', fastify: '5.x' },
  })
}
