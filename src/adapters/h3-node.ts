import type { IncomingMessage, ServerResponse } from 'node:http'
import { isForwardedHttps } from '../forwarded.ts'
import type { Sessions } from '../sessions.ts'
import type { Visit } from '../visit.ts'
import { saveVisit } from './fetch-visit.ts'
import { NodeVisit } from './node-visit.ts'
import { addSessionHeaders, clearBodyHeaders, statusOf } from './response-head.ts'

/** What is used of an event of h3 1. */
export interface H3v1Event {
  readonly node: { readonly req: IncomingMessage; readonly res: ServerResponse }
  readonly context: object
}

/** What is used of an app of h3 1. */
export interface H3v1App {
  // biome-ignore-start lint/suspicious/noExplicitAny: the classes are h3's own
  handler: any
  readonly options: {
    onError?: (error: any, event: any) => unknown
    onBeforeResponse?: (event: any, response: { body?: unknown }) => void | Promise<void>
  }
  // biome-ignore-end lint/suspicious/noExplicitAny: see above
}

/** Each installation finds its own visit: an app may have sessions of several kinds. */
type VisitedEvent = H3v1Event & { [held: symbol]: HeldVisit | undefined }

type HeldVisit = Pick<Visit, 'dirty' | 'commit' | 'outcome'>

/**
 * Sessions for h3 1, which writes to a response of Node: a real one, or one in memory (Nitro's internal fetch, and Nitro on
 * workers), of which nothing leaves before the app's handler is done.
 */
export class H3NodeApp<Data extends object> {
  readonly #sessions: Sessions<Data>
  readonly #options: { eager: boolean; trustProxy: boolean }
  readonly #app: H3v1App
  readonly #held: symbol = Symbol('sojourn visit')

  constructor(sessions: Sessions<Data>, options: { eager: boolean; trustProxy: boolean }, app: H3v1App) {
    this.#sessions = sessions
    this.#options = options
    this.#app = app
  }

  install(): void {
    const { handler, options } = this.#app
    const { onBeforeResponse } = options
    // h3 keeps marks of its own on its handlers.
    this.#app.handler = Object.assign((event: H3v1Event) => this.#around(event, handler), handler)
    options.onBeforeResponse = async (event: VisitedEvent, response) => {
      await onBeforeResponse?.(event, response)
      const visit = event[this.#held]
      // What was thrown has been dealt with in #around.
      if (visit && !(response.body instanceof Error)) await save(visit, event)
    }
  }

  async #around(event: H3v1Event, handler: (event: H3v1Event) => unknown): Promise<unknown> {
    const { res } = event.node
    const inMemory = !res.socket
    const visit = this.#open(event, inMemory)
    let answer: unknown
    try {
      if (this.#options.eager) Object.assign(event.context, { session: await this.#sessions.of(event) })
      answer = await handler(event)
    } catch (error) {
      if (!res.headersSent) await save(visit, event)
      throw error
    }
    if (!inMemory) return answer
    try {
      await save(visit, event)
      return answer
    } catch (error) {
      takeBack(event)
      throw error
    }
  }

  /** A response with a connection is held back, for handlers that send their answers themselves. */
  #open(event: H3v1Event, inMemory: boolean): HeldVisit {
    const { req, res } = event.node
    const isSecure = (): boolean => this.#isSecure(req)
    const visit = inMemory
      ? this.#sessions.open({ cookie: req.headers.cookie, secure: isSecure() })
      : new NodeVisit(this.#sessions, { req, res, isSecure, fail: (error) => void this.#fail(error, event) })
    ;(event as VisitedEvent)[this.#held] = visit
    this.#sessions.attach(event, visit)
    this.#sessions.attach(req, visit)
    return visit
  }

  #isSecure({ headers, socket }: IncomingMessage): boolean {
    const { trustProxy } = this.#options
    const forwarded = trustProxy ? isForwardedHttps(String(headers['x-forwarded-proto'] ?? '')) : undefined
    return forwarded ?? (socket as { encrypted?: boolean } | undefined)?.encrypted === true
  }

  /** Answers in place of an answer that a handler has sent itself, as h3 does for what a handler throws. */
  async #fail(cause: unknown, event: H3v1Event): Promise<void> {
    const { res } = event.node
    const statusCode = statusOf(cause)
    const message = cause instanceof Error ? cause.message : String(cause)
    const facts = { statusCode, status: statusCode, unhandled: true, fatal: false }
    const error = Object.assign(new Error(message, { cause }), facts)
    try {
      await this.#app.options.onError?.(error, event)
    } catch (another) {
      console.error(another)
    }
    if (res.headersSent || res.writableEnded) return
    console.error(cause)
    res.statusCode = statusCode
    res.setHeader('Content-Type', 'application/json')
    res.end(JSON.stringify({ statusCode, stack: [] }, undefined, 2))
  }
}

async function save(visit: HeldVisit, { node: { res } }: H3v1Event): Promise<void> {
  try {
    await saveVisit(visit)
  } catch (error) {
    // The error page must not carry what was said of the answer that is not given.
    if (!res.headersSent) clearBodyHeaders(res)
    throw error
  }
  // Where no head is ever sent, nobody else would add them.
  if (!res.headersSent) addSessionHeaders(res, visit.outcome)
}

/**
 * Makes an event look as if its handler had not answered, for h3 to answer with an error page. Only of responses in memory,
 * whose properties are plain ones.
 */
function takeBack(event: H3v1Event): void {
  const { res } = event.node
  Object.assign(event, { _handled: false })
  Object.assign(res, { _data: undefined, headersSent: false, writableEnded: false, writableFinished: false })
}
