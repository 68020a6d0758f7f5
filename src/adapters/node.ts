import { type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http'
import { known, oneOf } from '../check-options.ts'
import type { Sessions } from '../sessions.ts'
import { checkSessions, isEncrypted, NodeVisit } from './node-visit.ts'
import { statusOf } from './response-head.ts'

export interface NodeSessionOptions {
  /**
   * Whether to believe `X-Forwarded-Proto`, which the proxy in front must then set or remove: anybody can send it.
   * @defaultValue `false`
   */
  trustProxy?: boolean
  /**
   * Answers when the handler threw or the session could not be saved. Headers may have left by then, or a whole answer.
   * @defaultValue answers with the error's `status`, or 500, and the name of that status; reports it on the console.
   */
  onError?: ErrorHandler
}

export type RequestHandler = (req: IncomingMessage, res: ServerResponse) => unknown
export type ErrorHandler = (error: unknown, req: IncomingMessage, res: ServerResponse) => unknown

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
export function nodeSession<Data extends object>(
  sessions: Sessions<Data>,
  handler: RequestHandler,
  options: NodeSessionOptions = {},
): (req: IncomingMessage, res: ServerResponse) => void {
  checkSessions(sessions, 'nodeSession')
  if (typeof handler !== 'function')
    throw new TypeError('The second argument of nodeSession() must be a function')
  known(options, ['trustProxy', 'onError'], 'nodeSession')
  const { trustProxy = false, onError = answerError } = options
  oneOf(trustProxy, [true, false], 'trustProxy')
  if (typeof onError !== 'function') throw new TypeError('"onError" must be a function')
  const isSecure = trustProxy ? isForwardedSecure : isEncrypted

  return (req, res) => {
    const fail = (error: unknown): void => void handle(onError, error, req, res)
    sessions.attach(req, new NodeVisit(sessions, { req, res, isSecure, fail }))
    void run(handler, req, res, fail)
  }
}

async function run(
  handler: RequestHandler,
  req: IncomingMessage,
  res: ServerResponse,
  fail: (error: unknown) => void,
): Promise<void> {
  try {
    await handler(req, res)
  } catch (error) {
    fail(error)
  }
}

async function handle(
  onError: ErrorHandler,
  error: unknown,
  req: IncomingMessage,
  res: ServerResponse,
): Promise<void> {
  try {
    await onError(error, req, res)
  } catch (another) {
    answerError(another, req, res)
  }
}

function answerError(error: unknown, _req: IncomingMessage, res: ServerResponse): void {
  const status = statusOf(error)
  if (status >= 500) console.error(error)
  if (res.headersSent) {
    // The client must not take half an answer for a whole one.
    if (!res.writableEnded) res.destroy()
    return
  }
  res.statusCode = status
  res.setHeader('Content-Type', 'text/plain; charset=utf-8')
  res.end(STATUS_CODES[status])
}

function isForwardedSecure(req: IncomingMessage): boolean {
  const [proto] = String(req.headers['x-forwarded-proto'] ?? '').split(',')
  return proto ? proto.trim().toLowerCase() === 'https' : isEncrypted(req)
}
