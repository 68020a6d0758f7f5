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
  /** Whether the `__Host-` rules hold: this host alone, every path. */
  readonly hostOnly: boolean
  /** The attributes that every cookie has, as they stand in the header. */
  readonly attributes: string
}

/**
 * The name on the wire. A cookie named `__Host-Http-` was set by this very host over https with `HttpOnly` (RFC 6265bis
 * section 4.1.3): neither a script nor a sibling domain can have forged it. Browsers that do not know `-Http-` enforce
 * `__Host-`. With a domain or a path only `__Secure-` can hold.
 */
export function cookieName({ name, hostOnly }: CookiePolicy, secure: boolean): string {
  if (!secure) return name
  return hostOnly ? `__Host-Http-${name}` : `__Secure-${name}`
}

/** The header value that sets the cookie. @param maxAge - Seconds; `undefined` ends it with the browser. */
export function setCookie(
  policy: CookiePolicy,
  value: string,
  secure: boolean,
  maxAge: number | undefined,
): string {
  const age = maxAge === undefined ? '' : `; Max-Age=${maxAge}`
  return `${cookieName(policy, secure)}=${value}${age}${policy.attributes}${secure ? '; Secure' : ''}`
}

/** The header value that removes the cookie: with the same attributes, or browsers would keep it. */
export function clearCookie(policy: CookiePolicy, secure: boolean): string {
  return `${setCookie(policy, '', secure, 0)}; Expires=Thu, 01 Jan 1970 00:00:00 GMT`
}

/**
 * All values of one name in a `Cookie` header, in order. There may be several: after a change of domain or path the
 * browser sends the old cookie beside the new one, and which comes first is not up to the server.
 */
export function cookieValues(header: string | undefined, name: string): string[] {
  // Most requests of most visitors need no more than this look.
  if (!header?.includes(name)) return []
  const values: string[] = []
  for (const pair of header.split(';')) {
    const equals = pair.indexOf('=')
    if (equals === -1 || pair.slice(0, equals).trim() !== name) continue
    const value = pair.slice(equals + 1).trim()
    values.push(value.startsWith('"') && value.endsWith('"') ? value.slice(1, -1) : value)
  }
  return values
}
