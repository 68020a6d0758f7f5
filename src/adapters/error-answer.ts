import { type ServerResponse, STATUS_CODES } from 'node:http'
import type { Http2ServerResponse } from 'node:http2'
import { statusOf } from './response-head.ts'

/** Answers where nobody else does: with the error's status and its name. What is the server's fault is reported. */
export function answerError(error: unknown, _req: unknown, res: ServerResponse | Http2ServerResponse): void {
  const status = statusOf(error)
  if (status >= 500) console.error(error)
  if (res.headersSent) {
    // The client must not take half an answer for a whole one.
    if (!res.writableEnded) res.destroy()
    return
  }
  res.statusCode = status
  res.setHeader('Content-Type', 'text/plain; charset=utf-8')
  res.end(STATUS_CODES[status] ?? 'Error')
}
