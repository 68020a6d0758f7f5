import { SessionError } from '../errors.ts'

/** How the store reaches etcd: as much of `fetch` as it uses. */
export type EtcdFetch = (
  url: string,
  init: { method: 'POST'; body: string; headers: Record<string, string>; signal: AbortSignal },
) => Promise<{ readonly ok: boolean; text(): Promise<string> }>

export interface GatewaySetup {
  /** Such as `http://10.0.0.1:2379`. */
  readonly endpoints: readonly string[]
  readonly user: { readonly name: string; readonly password: string } | undefined
  readonly timeout: number
  readonly fetch: EtcdFetch
}

/** What etcd answered; and why an earlier sending of the same request, which may have arrived, was not answered. */
export interface Answered<T> {
  readonly answer: T
  readonly unanswered: Error | undefined
}

/** What etcd said instead of an answer: it has understood the request, and done nothing. */
export class EtcdRefusal extends Error {
  override readonly name = 'EtcdRefusal'
}

/** No node could answer in time. */
class NoAnswer extends Error {
  /** Whether the node may have done what it was asked for. */
  readonly hasArrived: boolean

  constructor(reason: string, hasArrived: boolean, options?: ErrorOptions) {
    super(reason, options)
    this.hasArrived = hasArrived
  }
}

/** Between two attempts, once each node was tried. An election takes about a second. */
const PAUSE = 100

/** What the first attempt may take of the time: a slow disk is no dead node, but some time must be left for another one. */
const SHARE = 0.75

const NOT_SENT = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
])

// Codes of gRPC, https://grpc.io/docs/guides/status-codes/
const UNAVAILABLE = 14
const DEADLINE = 4
const UNAUTHENTICATED = 16

/**
 * The JSON gateway that every node of etcd has. A request that a node does not answer is sent to the next one, until the
 * time is up.
 */
export class EtcdGateway {
  readonly #setup: GatewaySetup
  /** The node that answered last. */
  #current = 0
  #token: Promise<string> | undefined

  constructor(setup: GatewaySetup) {
    this.#setup = setup
  }

  /** @param what for the message of an error */
  async post<T>(what: string, path: string, body: object): Promise<Answered<T>> {
    try {
      return await this.#patiently<T>(path, JSON.stringify(body))
    } catch (error) {
      throw explained(what, error)
    }
  }

  async #patiently<T>(path: string, body: string): Promise<Answered<T>> {
    const { endpoints, timeout } = this.#setup
    const until = performance.now() + timeout
    let unanswered: Error | undefined
    for (let attempt = 1; ; attempt++) {
      const node = this.#current
      try {
        const left = Math.max(1, Math.min(until - performance.now(), timeout * SHARE))
        return { answer: (await this.#send(node, path, body, left)) as T, unanswered }
      } catch (error) {
        // The last attempt needs time, too: one without any would only hide the reason of the one before.
        if (!(error instanceof NoAnswer) || performance.now() + 2 * PAUSE >= until) throw error
        if (error.hasArrived) unanswered = error
      }
      if (this.#current === node) this.#current = (node + 1) % endpoints.length
      if (attempt % endpoints.length === 0) await new Promise((resolve) => setTimeout(resolve, PAUSE))
    }
  }

  async #send(node: number, path: string, body: string, timeout: number): Promise<unknown> {
    const { user } = this.#setup
    if (!user) return this.#fetch(node, path, body, timeout, {})
    const token = await this.#authenticate(node, timeout)
    try {
      return await this.#fetch(node, path, body, timeout, { authorization: token })
    } catch (error) {
      if (!(error instanceof InvalidToken)) throw error
    }
    // Tokens end after some minutes, and with the node that gave them.
    this.#token = undefined
    return this.#fetch(node, path, body, timeout, { authorization: await this.#authenticate(node, timeout) })
  }

  #authenticate(node: number, timeout: number): Promise<string> {
    const { user } = this.#setup
    this.#token ??= this.#fetch(node, '/v3/auth/authenticate', JSON.stringify(user), timeout, {})
      .then((answer) => String((answer as { token?: unknown }).token))
      .catch((error) => {
        this.#token = undefined
        throw error
      })
    return this.#token
  }

  async #fetch(
    node: number,
    path: string,
    body: string,
    timeout: number,
    headers: Record<string, string>,
  ): Promise<unknown> {
    const signal = AbortSignal.timeout(Math.ceil(timeout))
    const url = `${this.#setup.endpoints[node]}${path}`
    let ok: boolean
    let text: string
    try {
      const response = await this.#setup.fetch(url, { method: 'POST', body, headers, signal })
      ok = response.ok
      text = await response.text()
    } catch (cause) {
      throw noAnswer(cause)
    }
    const answer = parsed(text)
    if (ok && answer) return answer
    throw answer ? refusal(answer) : notEtcd(ok)
  }
}

class InvalidToken extends EtcdRefusal {}

function noAnswer(error: unknown): NoAnswer {
  const { name, message, cause } = error as Error
  const { code } = (cause ?? {}) as { code?: unknown }
  const reason = name === 'TimeoutError' ? 'no answer in time' : String(code ?? message)
  return new NoAnswer(reason, !NOT_SENT.has(String(code)), { cause: error })
}

/** A proxy in front of nodes that are down says so in words of its own; what is content with the request is the wrong server. */
function notEtcd(isContent: boolean): Error {
  const reason = 'what answered is not etcd'
  return isContent ? new Error(reason) : new NoAnswer(reason, true)
}

function refusal(answer: { code?: unknown; message?: unknown; error?: unknown }): Error {
  const message = String(answer.message ?? answer.error)
  if (/invalid auth token|auth store is old/.test(message) || answer.code === UNAUTHENTICATED) {
    return new InvalidToken(message)
  }
  const isPassing = answer.code === UNAVAILABLE || answer.code === DEADLINE
  return isPassing || /timed out|no leader|proposal dropped|stopped/.test(message)
    ? new NoAnswer(message, true)
    : new EtcdRefusal(message)
}

function parsed(text: string): Record<string, unknown> | undefined {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function explained(what: string, error: unknown): Error {
  const { message } = error as Error
  if (/request is too large|larger than max/.test(message)) {
    return new SessionError('ERR_SESSION_TOO_LARGE', 'The session is larger than etcd takes', {
      cause: error,
    })
  }
  return new Error(`etcd failed to ${what}: ${message}`, { cause: error })
}
