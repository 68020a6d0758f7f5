import type { OutgoingHttpHeader, OutgoingHttpHeaders, ServerResponse } from 'node:http'
import { cachingHeaders, type Outcome } from '../outcome.ts'

/** Headers as `writeHead` takes them: an object, a flat list of names and values, or a list of pairs. */
export type GivenHeaders =
  | OutgoingHttpHeaders
  | readonly (OutgoingHttpHeader | readonly OutgoingHttpHeader[])[]

// What describes the body of an answer, or depends on it having been given. `Set-Cookie` is not among them: a handler
// that sets a cookie and then throws keeps it too.
const OF_THE_BODY = [
  'Accept-Ranges',
  'Cache-Control',
  'Content-Disposition',
  'Content-Encoding',
  'Content-Language',
  'Content-Length',
  'Content-Location',
  'Content-Range',
  'Content-Type',
  'ETag',
  'Expires',
  'Last-Modified',
  'Location',
  'Trailer',
  'Transfer-Encoding',
]

/** The arguments of `writeHead`: a reason may stand between the status and the headers. */
export function parseHead(args: readonly unknown[]): {
  status: number
  reason: string | undefined
  headers: GivenHeaders | undefined
} {
  const [status, second, third] = args
  const reason = typeof second === 'string' ? second : undefined
  const headers = typeof second === 'string' ? third : (third ?? second)
  return { status: status as number, reason, headers: (headers ?? undefined) as GivenHeaders | undefined }
}

// Node keeps headers under names in small letters. One that it has to make small first is a new text each time, which no cache
// of the engine knows: where a server sets few headers, setting it took five times as long (6 instead of 1 microsecond).
const SET_COOKIE = 'set-cookie'
const CACHE_CONTROL = 'cache-control'
const VARY = 'vary'

/** Adds what the session needs the client and the caches to know; what the handler set stays. Doing it twice adds nothing. */
export function addSessionHeaders(res: ServerResponse, outcome: Outcome): void {
  const { read, setCookies } = outcome
  if (!read && setCookies.length === 0) return
  if (setCookies.length > 0) {
    const present = res.getHeader(SET_COOKIE)
    res.setHeader(SET_COOKIE, present === undefined ? [...setCookies] : joined(present, setCookies))
  }
  const { cacheControl, vary } = cachingHeaders(outcome, {
    cacheControl: header(res, CACHE_CONTROL),
    vary: header(res, VARY),
  })
  if (cacheControl !== undefined) res.setHeader(CACHE_CONTROL, cacheControl)
  if (vary !== undefined) res.setHeader(VARY, vary)
}

function joined(present: OutgoingHttpHeader, cookies: readonly string[]): string[] {
  const before = [present].flat().map(String)
  return [...before, ...cookies.filter((cookie) => !before.includes(cookie))]
}

// Node's own. It is no import, since this is loaded on runtimes that have no such module, too.
const { process } = globalThis as { process?: Partial<NodeJS.Process> }
const nodes = process?.getBuiltinModule?.('node:http')?.ServerResponse?.prototype.writeHead

/**
 * Sends a head, with what the session needs.
 * @param writeHead - The response's own, or that of middleware.
 * @param args - What `writeHead` was given.
 */
export function sendHead(
  res: ServerResponse,
  writeHead: ServerResponse['writeHead'],
  args: readonly unknown[],
  outcome: Outcome,
): void {
  if (!outcome.read && outcome.setCookies.length === 0) {
    Reflect.apply(writeHead, res, args)
    return
  }
  const { status, reason, headers } = parseHead(args)
  // What middleware has put in the place of Node's own may look at the response.
  const all = writeHead === nodes ? listOfHeaders(res, headers, outcome) : undefined
  if (!all) {
    if (headers) setGivenHeaders(res, headers)
    addSessionHeaders(res, outcome)
  }
  Reflect.apply(writeHead, res, reason === undefined ? [status, all] : [status, reason, all])
}

// And a header without a name, which is left out.
const OURS = /^(?:set-cookie|cache-control|vary|)$/i
const NONE = { cacheControl: undefined, vary: undefined }
const NOTHING: OutgoingHttpHeaders = {}

/**
 * The headers that were given to `writeHead`, and those that the session adds, as a flat list for Node's own `writeHead`: it
 * takes them so for less than half of what it costs to set each. `undefined` where some are on the response already, or speak
 * of the same.
 */
function listOfHeaders(
  res: ServerResponse,
  given: GivenHeaders | undefined,
  outcome: Outcome,
): OutgoingHttpHeader[] | undefined {
  if ((given && isList(given)) || res.getHeaderNames().length > 0) return undefined
  const all: OutgoingHttpHeader[] = []
  for (const [name, value] of Object.entries(given ?? NOTHING)) {
    if (OURS.test(name)) return undefined
    all.push(name, value as OutgoingHttpHeader)
  }
  const { setCookies } = outcome
  const { cacheControl, vary } = cachingHeaders(outcome, NONE)
  if (setCookies.length > 0) all.push(SET_COOKIE, [...setCookies])
  if (cacheControl !== undefined) all.push(CACHE_CONTROL, cacheControl)
  if (vary !== undefined) all.push(VARY, vary)
  return all
}

/** Moves headers that were given to `writeHead` onto the response: as there, they replace those of the same name. */
export function setGivenHeaders(res: ServerResponse, headers: GivenHeaders): void {
  if (!isList(headers)) {
    for (const [name, value] of Object.entries(headers))
      if (name) res.setHeader(name, value as OutgoingHttpHeader)
    return
  }
  const pairs = toPairs(headers)
  // A list may name a header several times, so the old ones go first and the new ones are all appended.
  for (const [name] of pairs) res.removeHeader(name)
  for (const [name, value] of pairs) if (name) res.appendHeader(name, value)
}

/** Takes back the headers that an answer which will not be sent said about itself. */
export function clearBodyHeaders(res: { removeHeader(name: string): unknown }): void {
  for (const name of OF_THE_BODY) res.removeHeader(name)
}

/** Takes back what an answer that will not be sent said about itself. */
export function clearAnswer(res: ServerResponse, status: number): void {
  clearBodyHeaders(res)
  res.statusCode = status
  // HTTP/2 has no reason phrase, and its responses warn when one is set.
  if (res.req.httpVersionMajor < 2) res.statusMessage = ''
}

/** The status that fits an error. */
export function statusOf(error: unknown): number {
  const status = error instanceof Error && 'status' in error ? error.status : undefined
  return typeof status === 'number' && status >= 400 && status < 600 ? status : 500
}

function isList(headers: GivenHeaders): headers is Extract<GivenHeaders, readonly unknown[]> {
  return Array.isArray(headers)
}

function toPairs(list: Extract<GivenHeaders, readonly unknown[]>): [string, string | string[]][] {
  if (Array.isArray(list[0])) return list as unknown as [string, string | string[]][]
  if (list.length % 2 !== 0)
    throw new TypeError('The headers given to writeHead() must be pairs of name and value')
  const pairs: [string, string | string[]][] = []
  for (let i = 0; i < list.length; i += 2) pairs.push([String(list[i]), list[i + 1] as string | string[]])
  return pairs
}

function header(res: ServerResponse, name: string): string | undefined {
  const value = res.getHeader(name)
  return Array.isArray(value) ? value.join(', ') : value?.toString()
}
