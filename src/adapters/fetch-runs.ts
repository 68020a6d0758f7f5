import type { Session } from '../session.ts'
import type { Sessions } from '../sessions.ts'
import type { Visit, VisitRequest } from '../visit.ts'
import { saveVisit, visitRequest, withSessionHeaders } from './fetch-visit.ts'

/**
 * The runs of middleware for one request. Most requests have one; a framework makes another one for an error page of its own
 * (Astro, for what was thrown and for an empty 404), which goes on with the session of the first.
 */
export class FetchRuns<Data extends object> {
  readonly #sessions: Sessions<Data>
  #request: VisitRequest
  #visit: Visit<Data>
  #underWay = false
  #answered = false

  private constructor(sessions: Sessions<Data>, request: Request, trustProxy: boolean) {
    this.#sessions = sessions
    this.#request = visitRequest(request, trustProxy)
    this.#visit = sessions.open(this.#request)
    sessions.attach(request, this)
  }

  static of<Data extends object>(
    sessions: Sessions<Data>,
    request: Request,
    trustProxy: boolean,
  ): FetchRuns<Data> {
    const property = propertyOf(sessions)
    const holder = request as Request & { [property: symbol]: FetchRuns<Data> | undefined }
    const runs = holder[property] ?? new FetchRuns(sessions, request, trustProxy)
    holder[property] = runs
    return runs
  }

  session(): Promise<Session<Data>> {
    return this.#visit.session()
  }

  async answer(answer: () => Response | Promise<Response>): Promise<Response> {
    // Middleware inside middleware of the same sessions: the outer one saves.
    if (this.#underWay) return answer()
    this.#underWay = true
    if (this.#answered) this.#goOn()
    try {
      const response = await answer()
      await saveVisit(this.#visit)
      return this.#withHeaders(response)
    } catch (thrown) {
      await saveVisit(this.#visit)
      throw thrown instanceof Response ? this.#withHeaders(thrown) : thrown
    } finally {
      this.#underWay = false
    }
  }

  #withHeaders(response: Response): Response {
    this.#answered = true
    return withSessionHeaders(this.#visit, response)
  }

  /** Another visit, since the first one's headers are made: by the cookies that the client has with them. */
  #goOn(): void {
    const { cookie, secure } = this.#request
    this.#request = { cookie: cookiesWith(this.#visit.outcome.setCookies, cookie), secure }
    this.#visit = this.#sessions.open(this.#request)
    this.#answered = false
  }
}

/** A `Cookie` header as the client would send it after those values of `Set-Cookie`. */
function cookiesWith(setCookies: readonly string[], cookie = ''): string {
  const pairs = setCookies.map((value) => value.split(';', 1).join())
  const names = pairs.map(nameIn)
  const others = cookie.split(';').filter((pair) => !names.includes(nameIn(pair)))
  // What has no value is what was removed.
  return [...others, ...pairs.filter((pair) => !pair.endsWith('='))].join('; ')
}

function nameIn(pair: string): string {
  return pair.split('=', 1).join().trim()
}

const properties = new WeakMap<object, symbol>()

/** The property under which a request has its runs, for each kind of sessions. A WeakMap of requests would take 3 µs for each. */
function propertyOf(sessions: object): symbol {
  const known = properties.get(sessions)
  if (known) return known
  const property = Symbol('sojourn runs')
  properties.set(sessions, property)
  return property
}
