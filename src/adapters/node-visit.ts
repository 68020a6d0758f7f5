import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Outcome } from '../outcome.ts'
import type { Session } from '../session.ts'
import type { Sessions } from '../sessions.ts'
import type { Visit } from '../visit.ts'
import { beforeHead } from './before-head.ts'

/** A request and its response, as an adapter on Node's servers has them. */
export interface Exchange {
  readonly req: IncomingMessage
  readonly res: ServerResponse
  /** Whether the request came by https. */
  isSecure(req: IncomingMessage): boolean
  /** Told when the session could not be saved. */
  readonly fail: (error: unknown) => void
}

const NOTHING: Outcome = { read: false, setCookies: [] }

/**
 * The visit of a Node request. It takes hold of the response when the session is first asked for, so that a request
 * which ignores its session costs one small object, and nothing between Node and the handler changes.
 */
export class NodeVisit<Data extends object> implements Visit<Data> {
  readonly #sessions: Sessions<Data>
  readonly #exchange: Exchange
  #visit: Visit<Data> | undefined

  constructor(sessions: Sessions<Data>, exchange: Exchange) {
    this.#sessions = sessions
    this.#exchange = exchange
  }

  session(): Promise<Session<Data>> {
    this.#visit ??= this.#open()
    return this.#visit.session()
  }

  get dirty(): boolean {
    return this.#visit?.dirty ?? false
  }

  get outcome(): Outcome {
    return this.#visit?.outcome ?? NOTHING
  }

  commit(): Promise<void> | undefined {
    return this.#visit?.commit()
  }

  headersSent(): void {
    this.#visit?.headersSent()
  }

  #open(): Visit<Data> {
    const { req, res, isSecure, fail } = this.#exchange
    const visit = this.#sessions.open({ cookie: req.headers.cookie, secure: isSecure(req) })
    beforeHead(res, visit, fail)
    return visit
  }
}

/** Whether the connection itself is encrypted. */
export function isEncrypted(req: IncomingMessage): boolean {
  return 'encrypted' in req.socket && req.socket.encrypted === true
}
