import { isForwardedHttps } from '../forwarded.ts'
import type { VisitRequest } from '../visit.ts'

/** What is used of the attributes of Next's cookies. */
export interface NextCookieAttributes {
  path?: string
  domain?: string
  /** Seconds. */
  maxAge?: number
  expires?: Date
  httpOnly?: boolean
  secure?: boolean
  sameSite?: 'strict' | 'lax' | 'none'
  partitioned?: boolean
}

/** What is used of `await cookies()`. */
export interface NextCookies {
  getAll(): { name: string; value: string }[]
  set(name: string, value: string, attributes: NextCookieAttributes): unknown
}

/** What is used of `await headers()`. */
export interface NextHeaders {
  get(name: string): string | null
  keys(): Iterator<string>
}

/** Functions of `next/headers`, and `connection` of `next/server`. */
export interface NextRequestFunctions {
  cookies(): Promise<NextCookies>
  headers(): Promise<NextHeaders>
  /** Settles when there is a visitor who waits: not for what Next renders ahead, where no session may be read. */
  connection(): Promise<void>
}

/** The request that Next is at work on. @throws TypeError when it shows none of it. */
export async function currentRequest({
  cookies,
  headers,
}: Pick<NextRequestFunctions, 'cookies' | 'headers'>): Promise<{
  cookies: NextCookies
  headers: NextHeaders
}> {
  const [theCookies, theHeaders] = await Promise.all([cookies(), headers()])
  // A request of HTTP has a header at least, its host. What runs here would be kept and given to everybody.
  if (theHeaders.keys().next().done) {
    throw new TypeError(
      'Next shows no request here, so there can be no session: "force-static" makes one answer for all visitors. ' +
        'Remove it from this page or route',
    )
  }
  return { cookies: theCookies, headers: theHeaders }
}

/** The request as it concerns the session. */
export function visitRequest(cookies: NextCookies, headers: NextHeaders): VisitRequest {
  return {
    cookie: cookieHeader(headers.get('Cookie') ?? '', cookies.getAll()),
    // Next's own server writes it down where the client did not. In production the cookie is Secure in any case.
    secure: isForwardedHttps(headers.get('X-Forwarded-Proto')) ?? false,
  }
}

/**
 * The cookies as the visitor's browser will have them. The header is what it sent, several values of one name included;
 * Next's list has one of each, and what the proxy or an action has set or removed since: what is new there counts.
 */
function cookieHeader(sent: string, cookies: readonly { name: string; value: string }[]): string | undefined {
  const pairs = sent.split(';').map((pair) => pair.trim())
  const current = cookies.flatMap(({ name, value }) => {
    const own = pairs.filter((pair) => pair.startsWith(`${name}=`))
    const set = `${name}=${value}`
    return own.includes(set) ? own : [set]
  })
  return current.length > 0 ? current.join('; ') : undefined
}

/** Has Next send a `Set-Cookie` header, given its value. */
export function setNextCookie(cookies: NextCookies, setCookie: string): void {
  const [pair = '', ...attributes] = setCookie.split('; ')
  const [name, value] = split(pair)
  cookies.set(name, value, Object.assign({}, ...attributes.map((attribute) => attributeOf(split(attribute)))))
}

function attributeOf([name, value]: [name: string, value: string]): NextCookieAttributes {
  switch (name) {
    case 'Path':
      return { path: value }
    case 'Domain':
      return { domain: value }
    case 'Max-Age':
      return { maxAge: Number(value) }
    case 'Expires':
      return { expires: new Date(value) }
    case 'HttpOnly':
      return { httpOnly: true }
    case 'Secure':
      return { secure: true }
    case 'Partitioned':
      return { partitioned: true }
    case 'SameSite':
      return { sameSite: value.toLowerCase() as 'strict' | 'lax' | 'none' }
    default:
      throw new TypeError(`Next cannot send the attribute "${name}" of a cookie`)
  }
}

function split(pair: string): [name: string, value: string] {
  const equals = pair.indexOf('=')
  return equals === -1 ? [pair, ''] : [pair.slice(0, equals), pair.slice(equals + 1)]
}

/** Whether a browser or Next's router only fetches ahead what its user may never look at. */
export function isPrefetch(headers: NextHeaders): boolean {
  const purpose = headers.get('Sec-Purpose') ?? headers.get('Purpose') ?? headers.get('X-Purpose') ?? ''
  return purpose.includes('prefetch') || headers.get('Next-Router-Prefetch') !== null
}
