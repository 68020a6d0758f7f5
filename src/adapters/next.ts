import { AsyncLocalStorage } from 'node:async_hooks'
import { known } from '../check-options.ts'
import { SessionError } from '../errors.ts'
import { ignore } from '../ignore.ts'
import type { Session } from '../session.ts'
import type { Sessions } from '../sessions.ts'
import type { Visit } from '../visit.ts'
import { checkSessions } from './adapter-options.ts'
import { saveVisit, withSessionHeaders } from './fetch-visit.ts'
import {
  currentRequest,
  isPrefetch,
  type NextCookies,
  type NextHeaders,
  type NextRequestFunctions,
  setNextCookie,
  visitRequest,
} from './next-request.ts'
import { answerThrown } from './next-thrown.ts'
import { frozen, type ReadonlySession, readonlySession } from './readonly-session.ts'

export type { NextCookieAttributes, NextCookies, NextHeaders, NextRequestFunctions } from './next-request.ts'
export type { Immutable, ReadonlySession, ShownOf } from './readonly-session.ts'

/** Sessions for the App Router: what `nextSession` answers. */
export interface NextSession<Data extends object = Record<string, unknown>> {
  /**
   * The session where it can only be read: in Server Components, `generateMetadata` and the proxy. Loaded once for each
   * render, and it never writes.
   * @throws SessionError `ERR_SESSION_STORE` when it could not be loaded.
   */
  readSession(): Promise<ReadonlySession<Data>>
  /**
   * The live session, inside `action()` and `route()`.
   * @throws SessionError `ERR_SESSION_MISSING` anywhere else, where its changes would be lost.
   */
  getSession(): Promise<Session<Data>>
  /**
   * A Server Action whose changes of the session are saved before it answers, redirects and errors included.
   * @example
   * export const visit = action(async () => {
   *   const session = await getSession()
   *   session.update('num_visits', (n = 0) => n + 1)
   * })
   */
  action<Args extends unknown[], Result>(
    run: (...args: Args) => Result | Promise<Result>,
  ): (...args: Args) => Promise<Result>
  /**
   * A Route Handler whose changes of the session are saved before it answers, redirects and errors included.
   * @example
   * export const GET = route(async () => Response.json({ user: (await getSession()).userId }))
   */
  route<Req extends Request, Args extends unknown[]>(
    handler: (request: Req, ...args: Args) => Response | Promise<Response>,
    options?: NextRouteOptions<Req>,
  ): (request: Req, ...args: Args) => Promise<Response>
  /**
   * A proxy that extends the life of sessions, which rendering cannot: at most one write for each session and interval, and
   * none for what is only fetched ahead.
   * @param handler - What else the proxy does; `readSession()` works in it, at no further cost. By default it goes on.
   * @example
   * export default proxy()
   */
  proxy<Req extends Request, Args extends unknown[]>(
    handler?: (request: Req, ...args: Args) => ProxyAnswer | Promise<ProxyAnswer>,
  ): (request: Req, ...args: Args) => Promise<Response | undefined>
}

export interface NextRouteOptions<Req extends Request = Request> {
  /**
   * Answers when the handler threw, other than by `redirect()` and its like, or the session could not be saved.
   * @defaultValue Next's own answer, 500; one with the error's `status` where the session's cookie has to go out
   */
  onError?: (error: unknown, request: Req) => Response | Promise<Response>
}

/** A response, or nothing to go on to the page. */
// biome-ignore lint/suspicious/noConfusingVoidType: functions that answer nothing are proxies, too
type ProxyAnswer = Response | null | undefined | void

/** The request that a function works for, and what may be done with its session there. */
interface Scope<Data extends object> {
  readonly visit: Visit<Data>
  readonly isWritable: boolean
}

/**
 * Sessions for the App Router of Next.js: one module of the application calls this, and all others import what it answers.
 * @example
 * import { cookies, headers } from 'next/headers'
 * import { connection } from 'next/server'
 * export const { readSession, getSession, action, route, proxy } = nextSession(sessions, { cookies, headers, connection })
 * @param functions - `cookies` and `headers` of `next/headers`, `connection` of `next/server`.
 * @throws TypeError when an argument is wrong.
 */
export function nextSession<Data extends object>(
  sessions: Sessions<Data>,
  functions: NextRequestFunctions,
): NextSession<Data> {
  checkSessions(sessions, 'nextSession')
  const given = [functions?.cookies, functions?.headers, functions?.connection]
  if (given.some((one) => typeof one !== 'function')) {
    throw new TypeError(
      'The second argument of nextSession() must be { cookies, headers, connection }: the functions of "next/headers", ' +
        'and the one of "next/server"',
    )
  }
  const scopes = new AsyncLocalStorage<Scope<Data>>()
  /** What renders have loaded, by the headers object that Next has for each request. */
  const rendered = new WeakMap<NextHeaders, Promise<ReadonlySession<Data>>>()

  const open = (cookies: NextCookies, headers: NextHeaders): Visit<Data> =>
    sessions.open(visitRequest(cookies, headers))

  const readSession = async (): Promise<ReadonlySession<Data>> => {
    const scope = scopes.getStore()
    // What is changed inside a value is found and saved where changes are; where none are it would be lost.
    if (scope?.isWritable) return readonlySession(await scope.visit.session(), (value) => value)
    if (scope) return readonlySession(await scope.visit.session(), frozen)
    const { cookies, headers } = await currentRequest(functions)
    // With Cache Components, Next renders ahead with the visitor's cookies, too, and lets nobody look at the clock meanwhile.
    await functions.connection()
    let session = rendered.get(headers)
    if (!session) {
      session = open(cookies, headers)
        .session()
        .then((loaded) => readonlySession(loaded, frozen))
      rendered.set(headers, session)
    }
    return session
  }

  const getSession = (): Promise<Session<Data>> => {
    const scope = scopes.getStore()
    return scope?.isWritable ? scope.visit.session() : Promise.reject(missing())
  }

  /** Runs a function and saves what it has changed, even if it throws, as Next's `redirect()` and `notFound()` do. */
  const saving = async <Result>(visit: Visit<Data>, run: () => Result | Promise<Result>): Promise<Result> => {
    try {
      const result = await scopes.run({ visit, isWritable: true }, run)
      await saveVisit(visit)
      return result
    } catch (thrown) {
      await saveVisit(visit)
      throw thrown
    }
  }

  const tell = (cookies: NextCookies, visit: Visit<Data>): void => {
    for (const setCookie of visit.outcome.setCookies) setNextCookie(cookies, setCookie)
    visit.headersSent()
  }

  const action: NextSession<Data>['action'] = (run) => {
    checkFunction(run, 'What action() is given')
    return async (...args) => {
      // Within another action or a Route Handler: its session is this one's, and it saves.
      if (scopes.getStore()?.isWritable) return run(...args)
      const { cookies, headers } = await currentRequest(functions)
      const visit = open(cookies, headers)
      try {
        return await saving(visit, () => run(...args))
      } finally {
        tell(cookies, visit)
        // The page that is rendered next shows what is stored now.
        rendered.delete(headers)
      }
    }
  }

  const route: NextSession<Data>['route'] = (handler, options = {}) => {
    checkFunction(handler, 'What route() is given')
    known(options, ['onError'], 'route')
    const { onError } = options
    if (onError !== undefined) checkFunction(onError, '"onError"')
    return async (request, ...args) => {
      const { cookies, headers } = await currentRequest(functions)
      const visit = open(cookies, headers)
      sessions.attach(request, visit)
      const answer = async (): Promise<Response> => handler(request, ...args)
      const response = await saving(visit, answer).catch(async (thrown) => {
        const own = await saving(visit, () =>
          answerThrown(thrown, visit, onError && (() => onError(thrown, request))),
        )
        if (own) return own
        tell(cookies, visit)
        throw thrown
      })
      return withSessionHeaders(visit, response)
    }
  }

  const proxy: NextSession<Data>['proxy'] = (handler = () => undefined) => {
    checkFunction(handler, 'What proxy() is given')
    return async (request, ...args) => {
      const { cookies, headers } = await currentRequest(functions)
      const visit = open(cookies, headers)
      const response = await scopes.run({ visit, isWritable: false }, () => handler(request, ...args))
      if (!isPrefetch(headers)) await extend(visit)
      if (visit.outcome.setCookies.length === 0) return response ?? undefined
      return withSessionHeaders(visit, response ?? goOn())
    }
  }

  return { readSession, getSession, action, route, proxy }
}

/** A store that fails here costs the visitor nothing: the page that asks for the session meets it again. */
async function extend<Data extends object>(visit: Visit<Data>): Promise<void> {
  await visit.session().then(() => saveVisit(visit), ignore)
}

/** What `NextResponse.next()` answers: the way to give headers to whatever answers the request. */
function goOn(): Response {
  return new Response(null, { headers: { 'x-middleware-next': '1' } })
}

function checkFunction(given: unknown, what: string): void {
  if (typeof given !== 'function') throw new TypeError(`${what} must be a function`)
}

function missing(): SessionError {
  return new SessionError(
    'ERR_SESSION_MISSING',
    'getSession() works inside action(...) and route(...), which save what is changed: wrap the Server Action or Route ' +
      'Handler in one of them. In Server Components and in the proxy use readSession()',
  )
}
