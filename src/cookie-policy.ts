import { environment, known, oneOf } from './check-options.ts'
import type { CookieOptions, CookiePolicy } from './cookie.ts'

const COOKIE_OPTIONS = ['name', 'path', 'domain', 'persistent', 'secure', 'sameSite', 'partitioned']

/** Checks the cookie's attributes and completes them. @throws TypeError that names the option. */
export function cookiePolicy(options: CookieOptions): CookiePolicy {
  known(options, COOKIE_OPTIONS, 'cookie')
  const {
    name = 'sid',
    path = '/',
    domain,
    persistent = true,
    sameSite = 'lax',
    partitioned = false,
  } = options
  const { secure } = options
  oneOf(persistent, [true, false], 'cookie.persistent')
  oneOf(partitioned, [true, false], 'cookie.partitioned')
  oneOf(sameSite, ['strict', 'lax', 'none'], 'cookie.sameSite')
  oneOf(secure, [true, false, undefined], 'cookie.secure')
  checkName(name)
  checkScope(path, domain)
  if (secure === false && partitioned) throw needsSecure('"cookie.partitioned"')
  if (secure === false && sameSite === 'none') throw needsSecure('"cookie.sameSite" of "none"')
  const always = environment() === 'production' || sameSite === 'none' || partitioned
  return {
    name,
    persistent,
    secure: secure ?? (always || undefined),
    secureName: prefix(domain === undefined && path === '/') + name,
    attributes: [
      domain === undefined ? '' : `; Domain=${domain}`,
      `; Path=${path}; HttpOnly`,
      `; SameSite=${sameSite.charAt(0).toUpperCase()}${sameSite.slice(1)}`,
      partitioned ? '; Partitioned' : '',
    ].join(''),
  }
}

/**
 * A cookie named `__Host-Http-` was set by this very host over https with `HttpOnly` (RFC 6265bis section 4.1.3): neither a
 * script nor a sibling domain can have forged it. Browsers that do not know `-Http-` enforce `__Host-`. With a domain or a
 * path only `__Secure-` can hold.
 */
function prefix(hostOnly: boolean): string {
  return hostOnly ? '__Host-Http-' : '__Secure-'
}

function checkName(name: string): void {
  // RFC 9110 section 5.6.2: the characters of a token.
  if (typeof name !== 'string' || !/^[\w!#$%&'*+.^`|~-]+$/.test(name)) {
    throw new TypeError('"cookie.name" must be a name without spaces, quotes, ";", "=" or ","')
  }
  if (/^__(host|secure|http)-/i.test(name)) {
    throw new TypeError(
      '"cookie.name" must come without a prefix: Sojourn adds the strongest one that can hold',
    )
  }
}

function checkScope(path: string, domain: string | undefined): void {
  // RFC 6265bis section 4.1.1: any character but controls and ";".
  if (typeof path !== 'string' || !/^\/[\x20-\x3a\x3c-\x7e]*$/.test(path)) {
    throw new TypeError('"cookie.path" must begin with "/" and hold no ";"')
  }
  if (domain !== undefined && (typeof domain !== 'string' || !/^[a-z\d-]+(\.[a-z\d-]+)*$/i.test(domain))) {
    throw new TypeError(
      '"cookie.domain" must be a host name such as "example.com", without a leading dot or a port',
    )
  }
}

function needsSecure(what: string): TypeError {
  return new TypeError(`${what} needs a Secure cookie, and "cookie.secure" is false: browsers would drop it`)
}
