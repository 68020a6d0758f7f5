import type { Session } from '../session.ts'
import type { Sessions } from '../sessions.ts'
import type { Visit } from '../visit.ts'
import { saveVisit, visitRequest, withSessionHeaders } from './fetch-visit.ts'

/**
 * What the runs of middleware for one request share. Most have one; a framework makes another one for an error page of its
 * own (Astro, for what was thrown and for an empty 404), which goes on with the session of the first.
 */
export class FetchRun<Data extends object> {
  readonly #sessions: Sessions<Data>
  readonly #request: Request
  readonly #trustProxy: boolean
  #visit: Visit<Data>
  #underWay = false
  #answered = false

  private constructor(sessions: Sessions<Data>, request: Request, trustProxy: boolean) {
    this.#sessions = sessions
    this.#request = request
    this.#trustProxy = trustProxy
    this.#visit = sessions.open(visitRequest(request, trustProxy))
    sessions.attach(request, this)
  }

  static of<Data extends object>(
    sessions: Sessions<Data>,
    request: Request,
    trustProxy: boolean,
  ): FetchRun<Data> {
    const name = nameOf(sessions)
    const holder = request as Request & { [name: symbol]: FetchRun<Data> | undefined }
    const run = holder[name] ?? new FetchRun(sessions, request, trustProxy)
    holder[name] = run
    return run
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

  /** Another visit, since the first one's headers are made: it knows the session by the cookies that they set. */
  #goOn(): void {
    const { setCookies } = this.#visit.outcome
    this.#visit = this.#sessions.open(visitRequest(this.#request, this.#trustProxy, setCookies))
    this.#answered = false
  }
}

const names = new WeakMap<object, symbol>()

/** Under which name a request has its run: of each kind of sessions another. A WeakMap of requests takes 3 µs for each. */
function nameOf(sessions: object): symbol {
  const known = names.get(sessions)
  if (known) return known
  const name = Symbol('sojourn run')
  names.set(sessions, name)
  return name
}
