import type { Sessions } from '../sessions.ts'
import type { Visit } from '../visit.ts'
import { openFetchVisit, saveVisit, sessionHeaders, withSessionHeaders } from './fetch-visit.ts'
import { clearBodyHeaders } from './response-head.ts'

/** What is used of an event of h3 2. */
export interface H3Event {
  readonly req: Request
  /** What handlers have prepared of the answer. h3 leaves it out of error pages, but for `errHeaders`. */
  readonly res: {
    status?: number | undefined
    statusText?: string | undefined
    readonly headers: Headers
    /** Not in the first candidates of h3 2, whose error pages get the other headers. */
    readonly errHeaders?: Headers
  }
  readonly context: object
  readonly app?: Pick<H3App, 'config'> | undefined
}

/** What is used of an app of h3 2. */
export interface H3App {
  // biome-ignore lint/suspicious/noExplicitAny: the error is of a class of h3's own
  readonly config: { onError?: (error: any, event: any) => unknown }
  use(middleware: (event: H3Event, next: () => unknown) => Promise<unknown>): unknown
}

/** Each plugin finds its own visit: an app may have sessions of several kinds. */
type VisitedEvent = H3Event & { [held: symbol]: Visit | undefined }

/** Sessions for h3 2, where requests and responses are those of the Fetch standard. */
export class H3Web<Data extends object> {
  readonly #sessions: Sessions<Data>
  readonly #options: { eager: boolean; trustProxy: boolean }
  readonly #held: symbol = Symbol('sojourn visit')
  readonly #wrapped = new WeakSet<object>()

  constructor(sessions: Sessions<Data>, options: { eager: boolean; trustProxy: boolean }) {
    this.#sessions = sessions
    this.#options = options
  }

  install(app: H3App): void {
    app.use((event, next) => this.around(event, next))
    this.#wrapOnError(app.config)
  }

  /** A Response that `onError` answers is given to the client without what was prepared on the event. */
  #wrapOnError(config: H3App['config']): void {
    if (this.#wrapped.has(config)) return
    this.#wrapped.add(config)
    const { onError } = config
    // Of an app that `serve` has made unchangeable the plugin has wrapped it before; a middleware comes too late.
    if (!onError || Object.isFrozen(config)) return
    config.onError = async (error, event: VisitedEvent) => {
      const answer = await onError(error, event)
      const visit = event[this.#held]
      // The candidates, which have no `errHeaders`, do give it what was prepared.
      const isBare = answer instanceof Response && event.res.errHeaders !== undefined
      return visit && isBare ? withSessionHeaders(visit, answer) : answer
    }
  }

  async around(event: H3Event, next: () => unknown): Promise<unknown> {
    const held = event as VisitedEvent
    // A sub-app may bring it again.
    if (held[this.#held]) return next()
    if (event.app) this.#wrapOnError(event.app.config)
    const visit = openFetchVisit(this.#sessions, event.req, this.#options.trustProxy)
    held[this.#held] = visit as Visit
    this.#sessions.attach(event, visit)
    if (this.#options.eager) Object.assign(event.context, { session: await this.#sessions.of(event) })
    let answer: unknown
    try {
      answer = await next()
    } catch (error) {
      await save(visit, event)
      prepare(visit, event, undefined)
      throw error
    }
    await save(visit, event)
    prepare(visit, event, answer)
    return answer
  }
}

async function save(visit: Pick<Visit, 'dirty' | 'commit'>, { res }: H3Event): Promise<void> {
  try {
    await saveVisit(visit)
  } catch (error) {
    // The error page must not carry what was said of the answer that is not given.
    clearBodyHeaders({ removeHeader: (name) => res.headers.delete(name) })
    res.status = undefined
    res.statusText = undefined
    throw error
  }
}

/** Prepares the session's headers on the event, for whichever answer h3 makes of what the handler returned or threw. */
function prepare(visit: Pick<Visit, 'outcome' | 'headersSent'>, { res }: H3Event, answer: unknown): void {
  const { outcome } = visit
  visit.headersSent()
  if (!outcome.read && outcome.setCookies.length === 0) return
  // A change of protocol is the runtime's own kind of response, which h3 could not make again.
  if (answer instanceof Response && answer.status === 101) return
  const headers = new Headers(headersOf(answer))
  for (const [name, value] of res.headers) headers.set(name, value)
  const { set, cookies } = sessionHeaders(outcome, { headers })
  for (const prepared of [res.headers, res.errHeaders]) {
    if (!prepared) continue
    for (const [name, value] of set) prepared.set(name, value)
    for (const cookie of cookies) prepared.append('Set-Cookie', cookie)
  }
}

/** The headers of a `Response`, or of h3's own `HTTPResponse`. */
function headersOf(answer: unknown): Headers | undefined {
  if (typeof answer !== 'object' || answer === null || !('headers' in answer)) return undefined
  return answer.headers instanceof Headers ? answer.headers : undefined
}
