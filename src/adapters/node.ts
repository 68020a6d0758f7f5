import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2'
import { known, oneOf } from '../check-options.ts'
import { isForwardedHttps } from '../forwarded.ts'
import type { Sessions } from '../sessions.ts'
import { checkSessions, type ProxyOption } from './adapter-options.ts'
import { answerError } from './error-answer.ts'
import { isEncrypted, NodeVisit } from './node-visit.ts'

/** A request of `node:http`, `node:https` or the compatibility API of `node:http2`. */
export type NodeRequest = IncomingMessage | Http2ServerRequest
/** The response that goes with it. */
export type NodeResponse = ServerResponse | Http2ServerResponse

export interface NodeSessionOptions<Req extends NodeRequest, Res extends NodeResponse> extends ProxyOption {
  /**
   * Answers when the handler threw or the session could not be saved. Headers may have left by then, or a whole answer.
   * @defaultValue answers with the error's `status`, or 500, and the name of that status; reports it on the console.
   */
  onError?: ErrorHandler<Req, Res>
}

type ErrorHandler<Req, Res> = (error: unknown, req: Req, res: Res) => unknown

/**
 * Sessions for a server of `node:http`, `node:https` or `node:http2` (its compatibility API): wraps the handler, which
 * may be asynchronous. What it changes is saved before the first byte of the answer leaves.
 * @example
 * createServer(nodeSession(sessions, async (req, res) => {
 *   const session = await sessions.of(req)
 *   res.end(`You have visited this page ${session.update('num_visits', (n = 0) => n + 1)} times.`)
 * }))
 * @throws TypeError when an argument is wrong.
 */
export function nodeSession<
  Data extends object,
  Req extends NodeRequest = IncomingMessage,
  Res extends NodeResponse = ServerResponse,
>(
  sessions: Sessions<Data>,
  handler: (req: Req, res: Res) => unknown,
  options: NodeSessionOptions<Req, Res> = {},
): (req: Req, res: Res) => void {
  checkSessions(sessions, 'nodeSession')
  if (typeof handler !== 'function') {
    throw new TypeError('The second argument of nodeSession() must be a function (req, res)')
  }
  known(options, ['trustProxy', 'onError'], 'nodeSession')
  const { trustProxy = false, onError = answerError } = options
  oneOf(trustProxy, [true, false], 'trustProxy')
  if (typeof onError !== 'function') throw new TypeError('"onError" must be a function (error, req, res)')
  const isSecure = trustProxy ? isForwardedSecure : isEncrypted

  return (req, res) => {
    const fail = (error: unknown): void =>
      run(
        () => onError(error, req, res),
        (another) => answerError(another, req, res),
      )
    // The compatibility API of HTTP/2 has all that is used here.
    const exchange = { req: req as IncomingMessage, res: res as ServerResponse, isSecure, fail }
    sessions.attach(req, new NodeVisit(sessions, exchange))
    run(() => handler(req, res), fail)
  }
}

/** Runs an action that may be asynchronous. */
function run(action: () => unknown, fail: (error: unknown) => void): void {
  try {
    const running = action()
    if (isThenable(running)) running.then(undefined, fail)
  } catch (error) {
    fail(error)
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function'
}

function isForwardedSecure(req: IncomingMessage): boolean {
  return isForwardedHttps(String(req.headers['x-forwarded-proto'] ?? '')) ?? isEncrypted(req)
}
