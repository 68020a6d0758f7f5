import { known, oneOf } from './check-options.ts'
import { type Duration, timer } from './duration.ts'
import { isForwardedHttps } from './forwarded.ts'
import type { VisitRequest } from './visit.ts'

/**
 * The request that opens a socket: Node's, as the event `upgrade`, `ws` and Socket.IO (`socket.request`) hand it over, or
 * one of the Fetch standard.
 */
export interface UpgradeRequest {
  readonly headers:
    | { get(name: string): string | null }
    | { readonly [name: string]: string | readonly string[] | undefined }
  readonly url?: string | undefined
  readonly socket?: object | undefined
}

/** What `ofUpgrade` may be told. */
export interface UpgradeOptions {
  /**
   * Origins whose pages may open the socket with their visitor's session, beside the site's own: as browsers send them,
   * such as `'https://app.example.com'`.
   * @defaultValue none: the site's own pages only
   */
  origins?: readonly string[]
  /**
   * Whether to believe `X-Forwarded-Proto`, which the proxy in front must then set or remove: anybody can send it.
   * @defaultValue `false`
   */
  trustProxy?: boolean
  /**
   * How often the store is asked whether the session is still there, while nothing else tells: one read each time. It is how
   * long it takes at most to hear what another process has done to it.
   * @defaultValue `'30s'`
   */
  checkInterval?: Duration
}

/** The options, checked and complete. */
export interface UpgradeSettings {
  readonly origins: readonly string[]
  readonly trustProxy: boolean
  /** In milliseconds. */
  readonly checkInterval: number
}

/** @throws TypeError that names the option and what was expected. */
export function upgradeSettings(options: UpgradeOptions): UpgradeSettings {
  known(options, ['origins', 'trustProxy', 'checkInterval'], 'ofUpgrade')
  const { origins = [], trustProxy = false, checkInterval = '30s' } = options
  if (!Array.isArray(origins) || !origins.every(isOrigin)) {
    throw new TypeError(
      '"origins" must be a list of origins, such as "https://app.example.com", without a path or a "/" at the end',
    )
  }
  return {
    origins: origins.map((origin) => origin.toLowerCase()),
    trustProxy: oneOf(trustProxy, [true, false], 'trustProxy'),
    checkInterval: timer(checkInterval, 'checkInterval'),
  }
}

/** Not `null`, which is the origin of every sandboxed page. */
function isOrigin(origin: unknown): boolean {
  return typeof origin === 'string' && /^[a-z][a-z\d+.-]*:\/\/[^\s/?#@]+$/i.test(origin)
}

/**
 * What the request says of its visitor's session; `undefined` when the page that opens the socket is another site's.
 *
 * A browser sends the cookies of a site with each handshake to it, whoever's page asks, and no rule of the Fetch standard
 * (CORS) stands between that page and what the socket then says. `SameSite` keeps other sites out, but not sibling hosts,
 * other ports and, in some browsers, pages of the same host by plain http. So the page's origin is looked at.
 * @param alwaysSecure - Whether the cookie is always Secure, so that the site is one of https.
 */
export function visitOf(
  request: UpgradeRequest,
  { origins, trustProxy }: UpgradeSettings,
  alwaysSecure: boolean,
): VisitRequest | undefined {
  const header = headersOf(request)
  const forwarded = trustProxy ? isForwardedHttps(header('x-forwarded-proto')) : undefined
  const secure = forwarded ?? isEncrypted(request)
  const host = hostOf(request, header)
  if (!isWelcome(header, (origin) => origins.includes(origin) || isOwn(origin, host, secure || alwaysSecure)))
    return undefined
  return { cookie: header('cookie'), secure }
}

type Header = (name: string) => string | undefined

function headersOf({ headers }: UpgradeRequest): Header {
  if (typeof headers !== 'object' || headers === null) {
    throw new TypeError('ofUpgrade() takes the request that opens the socket: one of Node or a fetch Request')
  }
  const { get } = headers
  // A client may send a header called "get", too.
  if (typeof get === 'function') return (name) => get.call(headers, name) ?? undefined
  const fields = headers as Readonly<Record<string, unknown>>
  return (name) => (fields[name] === undefined ? undefined : String(fields[name]))
}

function isEncrypted({ url, socket }: UpgradeRequest): boolean {
  return (
    /^(https|wss):/i.test(url ?? '') ||
    (socket !== undefined && 'encrypted' in socket && socket.encrypted === true)
  )
}

/** Where the browser thinks it is connected to. Node has it in a header, which HTTP/2 calls otherwise. */
function hostOf({ url = '' }: UpgradeRequest, header: Header): string | undefined {
  return /^\w+:\/\/([^/?#]*)/.exec(url)?.[1] ?? (header('host') || header(':authority'))
}

/**
 * Who is no browser sends no origin, and has no visitor's cookies but its own. Browsers send none with some requests that are
 * no handshakes (Socket.IO begins with one), and then say otherwise where they come from. No script can set either header.
 */
function isWelcome(header: Header, accepts: (origin: string) => boolean): boolean {
  const site = header('sec-fetch-site')
  if (site === 'same-origin') return true
  const origin = header('origin')?.toLowerCase()
  return origin === undefined ? site === undefined || site === 'none' : accepts(origin)
}

/** Whether the origin is that of the host. A page that came by plain http may be anybody's, except on this machine. */
function isOwn(origin: string, host: string | undefined, secure: boolean): boolean {
  const [, scheme] = /^(https?):\/\//.exec(origin) ?? []
  if (scheme === undefined || host === undefined) return false
  try {
    const own = new URL(`${scheme}://${host}`)
    if (new URL(origin).host !== own.host) return false
    return !secure || scheme === 'https' || /^(.*\.)?localhost$|^127\.|^\[::1\]$/.test(own.hostname)
  } catch {
    return false
  }
}

/**
 * Calls back when the connection closes, where it is one of Node's that became the socket. Others may carry on without theirs:
 * Socket.IO does, while it polls.
 */
export function whenClosed(request: UpgradeRequest, action: () => void): void {
  const { socket, upgrade } = request as { socket?: Partial<NodeSocket>; upgrade?: unknown }
  // Node's own word for it. The header of that name may come with any request.
  if (upgrade !== true || typeof socket?.once !== 'function') return
  if (socket.destroyed) action()
  else socket.once('close', action)
}

interface NodeSocket {
  readonly destroyed: boolean
  once(event: 'close', action: () => void): unknown
}
