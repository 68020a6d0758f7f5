import type { ServerResponse } from 'node:http'
import { Answer } from './answer.ts'
import type { Held, Source } from './held.ts'
import type { HeldVisit } from './held-visit.ts'

/**
 * Sees to it that the session is saved before the first byte of the response leaves. As long as nothing waits to be
 * saved all calls go straight through; else `writeHead`, `write`, `end` and `flushHeaders` are held until it is.
 * @param fail - Told when the session could not be saved. What was held is gone by then, and the response is as if the
 * handler had thrown instead of answering: an error page can be given.
 */
export function beforeHead(res: ServerResponse, visit: HeldVisit, fail: (error: unknown) => void): void {
  const response = res as HeldResponse
  const answer = response[ANSWER]
  if (answer) {
    answer.join(visit)
    return
  }
  response[ANSWER] = new Answer(holding(res, visit, fail))
  response.writeHead = writeHead
  // Node's old name of it, which would lead past us.
  response.writeHeader = writeHead
  response.write = write
  response.end = end
  response.flushHeaders = flushHeaders
  response.on('pipe', piped)
  response.on('close', closed)
}

/** Where a response that is held back keeps what holds it. */
const ANSWER = Symbol('sojourn answer')

type HeldResponse = ServerResponse & { [ANSWER]?: Answer; writeHeader?: unknown }
type Holding = ServerResponse & { [ANSWER]: Answer }

// Functions that all responses share, not closures of each: what all responses have in common keeps them fast objects.

function writeHead(this: unknown, ...args: unknown[]): ServerResponse {
  return (this as Holding)[ANSWER].writeHead(args)
}

function write(this: unknown, ...args: unknown[]): boolean {
  return (this as Holding)[ANSWER].write(args)
}

function end(this: unknown, ...args: unknown[]): ServerResponse {
  return (this as Holding)[ANSWER].end(args)
}

function flushHeaders(this: unknown): void {
  ;(this as Holding)[ANSWER].flushHeaders()
}

function piped(this: unknown, source: Source): void {
  ;(this as Holding)[ANSWER].piped(source)
}

function closed(this: unknown): void {
  ;(this as Holding)[ANSWER].closed()
}

function holding(res: ServerResponse, visit: HeldVisit, fail: (error: unknown) => void): Held {
  const { writeHead, write, end, flushHeaders, on } = res
  return { res, visit, fail, sources: undefined, inner: { writeHead, write, end, flushHeaders, on } }
}
