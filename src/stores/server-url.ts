/** What the URL of a store on several servers says. */
export interface ServersUrl<Option extends string> {
  /** Host and port of each server, as they were written. */
  readonly hosts: readonly string[]
  readonly username: string | undefined
  readonly password: string | undefined
  /** What follows the question mark. */
  readonly options: Readonly<Partial<Record<Option, string>>>
}

/**
 * Takes a URL apart that names several hosts, which `URL` does not: `scheme://user:password@a:1,b:2?option=value`.
 * @throws TypeError whose message holds no more of the URL than its scheme.
 */
export function parseServersUrl<Option extends string>(
  url: string,
  form: string,
  names: readonly Option[],
): ServersUrl<Option> {
  const [, user, hosts = '', query = ''] =
    /^[a-z][a-z\d+.-]*:\/\/(?:([^/?#]*)@)?([^/?#@]*)\/?(?:\?([^#]*))?$/i.exec(url) ?? []
  const list = hosts.split(',')
  const isHost = (host: string) => /^(\[[\da-f:.]+\]|[\w.-]+)(:\d{1,5})?$/i.test(host)
  if (!list.every(isHost)) throw new TypeError(`The URL must have the form "${form}"`)
  const options: Partial<Record<Option, string>> = {}
  for (const [name, value] of new URLSearchParams(query)) {
    if (!names.includes(name as Option)) {
      throw new TypeError(`The URL may say ${names.join(', ')} after the "?", of the form "${form}"`)
    }
    options[name as Option] = value
  }
  const [username, password] = user === undefined ? [] : credentials(user, form)
  return { hosts: list, username, password, options }
}

function credentials(user: string, form: string): [username: string, password: string | undefined] {
  const colon = user.indexOf(':')
  const [name, password] = colon < 0 ? [user] : [user.slice(0, colon), user.slice(colon + 1)]
  try {
    return [decodeURIComponent(name ?? ''), password === undefined ? undefined : decodeURIComponent(password)]
  } catch {
    throw new TypeError(`User and password must be percent-encoded in a URL of the form "${form}"`)
  }
}
