/** What the URL of a Redis or Valkey says. */
export interface RedisAddress {
  readonly kind: 'standalone' | 'sentinel' | 'cluster'
  readonly tls: boolean
  readonly hosts: readonly { readonly host: string; readonly port: number }[]
  readonly username: string | undefined
  readonly password: string | undefined
  /** The number of the database; of a standalone server, or of a master under Sentinel. */
  readonly database: number
  /** What the Sentinels call the master. */
  readonly name: string
  /** What the keys begin with, when something else than the store's default. */
  readonly prefix: string | undefined
}

const FORMS = '"redis://host:6379", "redis+sentinel://host1,host2/name" or "redis+cluster://host1,host2"'

// Not the class URL, which knows no list of hosts.
const PATTERN =
  /^(redis|valkey)(s?)(?:\+(sentinel|cluster))?:\/\/(?:([^@/]*)@)?([^@/?]+)(?:\/([^?]*))?(?:\?(.*))?$/

/**
 * Takes a URL apart: `redis`, `valkey` and, with TLS, `rediss` and `valkeys`; `+sentinel` or `+cluster` behind it; user and
 * password; hosts with their ports; the number of a database or the name of the master; and `?prefix=`.
 * @throws TypeError when it is none; the message repeats nothing of it, since it may hold a password.
 */
export function parseRedisUrl(url: string): RedisAddress {
  const parts = PATTERN.exec(url)
  if (!parts) throw new TypeError(`The URL of the Redis store must be like ${FORMS}`)
  const [, , tls, kind = 'standalone', user = '', hosts = '', path = '', query = ''] = parts
  const [, username, password] = /^([^:]*)(?::(.*))?$/.exec(user) ?? []
  const [name, database] = kind === 'sentinel' ? path.split('/') : ['', path]
  if (database && (!/^\d+$/.test(database) || kind === 'cluster')) {
    throw new TypeError(
      'The path in the URL of the Redis store must be the number of a database; a cluster has none',
    )
  }
  return {
    kind: kind as RedisAddress['kind'],
    tls: tls === 's',
    hosts: hosts.split(',').map((host) => hostOf(host, kind === 'sentinel' ? 26_379 : 6379)),
    username: decoded(username),
    password: decoded(password),
    database: Number(database ?? 0),
    name: decoded(name) ?? 'mymaster',
    prefix: prefixOf(query),
  }
}

function hostOf(text: string, defaultPort: number): { host: string; port: number } {
  const [, bracketed, plain, port = defaultPort] =
    /^(?:\[([\da-f:.]+)\]|([^:[\]]+))(?::(\d+))?$/i.exec(text) ?? []
  const host = bracketed ?? plain
  if (host === undefined)
    throw new TypeError('A host in the URL of the Redis store must be "host" or "host:port"')
  return { host, port: Number(port) }
}

function prefixOf(query: string): string | undefined {
  const options = new URLSearchParams(query)
  for (const option of options.keys()) {
    if (option !== 'prefix') {
      throw new TypeError(
        'The URL of the Redis store takes one option, "prefix"; the others belong to a client',
      )
    }
  }
  return options.get('prefix') ?? undefined
}

function decoded(text: string | undefined): string | undefined {
  if (!text) return undefined
  try {
    return decodeURIComponent(text)
  } catch {
    throw new TypeError('User, password and name in the URL of the Redis store must be percent-encoded')
  }
}
