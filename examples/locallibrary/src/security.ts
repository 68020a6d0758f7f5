/** Sent with every response. The site has no script at all, so the policy can forbid nearly everything. */
export const securityHeaders: Record<string, string> = {
  'Content-Security-Policy': [
    "default-src 'none'",
    "style-src 'self'",
    "img-src 'self'",
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ].join('; '),
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Referrer-Policy': 'same-origin',
  'X-Content-Type-Options': 'nosniff',
}

/**
 * Whether a request that changes something may have been sent by a page of another site (CSRF).
 *
 * Browsers tell by themselves where a request comes from, in headers that no page can forge; so there are no tokens to put
 * in each form, and no session has to be made for a visitor just to keep one. `Sec-Fetch-Site` is exact, and sent on https
 * and localhost; `Origin` is sent with every POST. A request with neither does not come from a browser, so nobody's cookie
 * rides on it. `SameSite=Lax` on the session cookie stands behind this as a second wall.
 */
export function isCrossSite(method: string, header: (name: string) => string | undefined): boolean {
  if (method === 'GET' || method === 'HEAD' || method === 'OPTIONS') return false
  const site = header('sec-fetch-site')
  if (site) return site !== 'same-origin' && site !== 'none'
  const origin = header('origin')
  if (!origin) return false
  return !URL.canParse(origin) || new URL(origin).host !== header('host')
}

/** The path when it leads to a page of this site, else the home page: `?next=` must not send readers elsewhere. */
export function safePath(path: string | null): string {
  const base = 'http://here.invalid'
  // The URL parser decides, as it will in the browser: "//evil.example" and "/\evil.example" are other hosts.
  if (!path?.startsWith('/') || !URL.canParse(path, base)) return '/'
  const { origin, pathname, search } = new URL(path, base)
  // "/.//evil.example" stays on the host here, and loses its dot on the way.
  return origin === base && !pathname.startsWith('//') ? pathname + search : '/'
}
