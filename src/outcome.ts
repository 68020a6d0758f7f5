/** What a response has to carry for the session: the answer of a visit to the adapter. */
export interface Outcome {
  /** Whether the handler read the session, so that the response depends on the cookie. */
  readonly read: boolean
  /** The values of the `Set-Cookie` headers to append; none for most requests. */
  readonly setCookies: readonly string[]
}

/** The caching headers that a response already has. */
export interface CachingHeaders {
  cacheControl: string | undefined
  vary: string | undefined
}

/**
 * The caching headers a response needs, given those it has; `undefined` means leave that header alone.
 *
 * A response that depends on the cookie says so (`Vary`, RFC 9110 section 12.5.5), and one that sets the cookie must
 * not be stored by a shared cache (`Cache-Control: private`, RFC 9111 section 5.2.2.7): a stored `Set-Cookie` would
 * hand one visitor's session to the next.
 */
export function cachingHeaders(outcome: Outcome, current: CachingHeaders): CachingHeaders {
  const sets = outcome.setCookies.length > 0
  return {
    cacheControl: sets ? privateOnly(current.cacheControl) : undefined,
    vary: outcome.read || sets ? varyOnCookie(current.vary) : undefined,
  }
}

function privateOnly(current: string | undefined): string | undefined {
  if (!current) return 'private'
  const directives = list(current)
  const names = directives.map((directive) => directive.toLowerCase())
  if (names.includes('private') || names.includes('no-store')) {
    return names.includes('public')
      ? directives.filter((d) => d.toLowerCase() !== 'public').join(', ')
      : undefined
  }
  const kept = directives.filter((directive) => !/^(public$|s-maxage=|proxy-revalidate$)/i.test(directive))
  return ['private', ...kept].join(', ')
}

function varyOnCookie(current: string | undefined): string | undefined {
  if (!current) return 'Cookie'
  const fields = list(current)
  if (fields.some((field) => field === '*' || field.toLowerCase() === 'cookie')) return undefined
  return [...fields, 'Cookie'].join(', ')
}

function list(header: string): string[] {
  return header
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
}
