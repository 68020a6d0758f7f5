/** The attributes of the session's cookie, spelled as RFC 6265bis does. It is always `HttpOnly`. */
export type CookieOptions = {
  /** Its name, without a prefix: that is put in front when it can hold. @defaultValue `'sid'` */
  name?: string
  /** @defaultValue `'/'` */
  path?: string
  /** The domain whose sub-domains receive it too. @defaultValue none: this host alone, which is safer */
  domain?: string
  /** Whether it outlives the browser. @defaultValue `true` */
  persistent?: boolean
} & (
  | {
      /** @defaultValue always on in production (`NODE_ENV`) and when the request came by https */
      secure?: true
      /** @defaultValue `'lax'` */
      sameSite?: 'strict' | 'lax' | 'none'
      /** One cookie for each site that embeds this one (CHIPS). @defaultValue `false` */
      partitioned?: boolean
    }
  | {
      /** Lets the cookie travel over plain http, in production too. Only for networks where nobody listens. */
      secure: false
      sameSite?: 'strict' | 'lax'
      partitioned?: false
    }
)

/** The cookie's attributes, checked and complete. */
export interface CookiePolicy {
  readonly name: string
  readonly persistent: boolean
  /** `undefined`: as the request came. */
  readonly secure: boolean | undefined
  /** With the prefix that it has where the cookie is `Secure`. */
  readonly secureName: string
  /** The attributes that every cookie has, as they stand in the header. */
  readonly attributes: string
}

/** The name on the wire. */
export function cookieName({ name, secureName }: CookiePolicy, secure: boolean): string {
  return secure ? secureName : name
}

/**
 * The header value that sets the cookie.
 * @param maxAge - Seconds; `undefined` ends it with the browser.
 * @param suffix - The end of the name, where several cookies hold one session.
 */
export function setCookie(
  policy: CookiePolicy,
  value: string,
  secure: boolean,
  maxAge: number | undefined,
  suffix = '',
): string {
  const age = maxAge === undefined ? '' : `; Max-Age=${maxAge}`
  return `${cookieName(policy, secure)}${suffix}=${value}${age}${policy.attributes}${secure ? '; Secure' : ''}`
}

/** The header value that removes the cookie: with the same attributes, or browsers would keep it. */
export function clearCookie(policy: CookiePolicy, secure: boolean, suffix = ''): string {
  return `${setCookie(policy, '', secure, 0, suffix)}; Expires=Thu, 01 Jan 1970 00:00:00 GMT`
}

/**
 * All values of one name in a `Cookie` header, in order. There may be several: after a change of domain or path the
 * browser sends the old cookie beside the new one, and which comes first is not up to the server.
 */
export function cookieValues(header: string | undefined, name: string): readonly string[] {
  if (header === undefined) return NO_VALUES
  let values: string[] | undefined
  for (let at = header.indexOf(name); at !== -1; ) {
    const equals = skipBlanks(header, at + name.length, 1)
    const before = skipBlanks(header, at - 1, -1)
    if (header.charCodeAt(equals) !== EQUALS || (before >= 0 && header.charCodeAt(before) !== SEMICOLON)) {
      at = header.indexOf(name, at + 1)
      continue
    }
    const semicolon = header.indexOf(';', equals)
    const end = semicolon === -1 ? header.length : semicolon
    const value = header.slice(equals + 1, end).trim()
    const bare = value.startsWith('"') && value.endsWith('"') ? value.slice(1, -1) : value
    if (values) values.push(bare)
    else values = [bare]
    at = header.indexOf(name, end)
  }
  return values ?? NO_VALUES
}

const NO_VALUES: readonly string[] = []

/** The first place that holds no blank, from there on in that direction. */
function skipBlanks(header: string, from: number, step: 1 | -1): number {
  let at = from
  for (;;) {
    const char = header.charCodeAt(at)
    if (char !== SPACE && char !== TAB) return at
    at += step
  }
}

const TAB = 9
const SPACE = 32
const SEMICOLON = 59
const EQUALS = 61
