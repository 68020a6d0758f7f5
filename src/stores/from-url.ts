import type { Store } from '../store.ts'
import type { CookieStore } from './cookie.ts'
import type { ServerStore } from './server-store.ts'

/** What the URL of an embedded store says. */
export interface StoreUrl {
  readonly scheme: 'memory' | 'sqlite' | 'file'
  /** The path of the database or folder; empty for memory. */
  readonly path: string
  /** The table, when another one than the store's default. */
  readonly table: string | undefined
}

/** What is to happen when the table, or what a store has instead, is missing as early as it is opened. */
interface Opening {
  /** Whether it is made. @defaultValue `true` */
  create?: boolean
}

/** Opens a store on a server. */
type Opener = (url: string, opening: Opening) => Promise<ServerStore>

const openMysql = async () => (await import('./mysql-url.ts')).openMysqlUrl
const openPostgres = async () => (await import('./postgres-url.ts')).openPostgresUrl
const openRedis = async () => (await import('./redis-url.ts')).openRedisUrl

/**
 * The stores on servers, by scheme; what a scheme has behind a plus sign is the store's own business. Loaded on demand:
 * nobody needs the clients of the stores he does not use.
 */
const SERVERS: Readonly<Record<string, () => Promise<Opener>>> = {
  dynamodb: async () => (await import('./dynamo-url.ts')).openDynamoUrl,
  etcd: async () => (await import('./etcd-url.ts')).openEtcdUrl,
  etcds: async () => (await import('./etcd-url.ts')).openEtcdUrl,
  mariadb: openMysql,
  memcached: async () => (await import('./memcached-url.ts')).openMemcachedUrl,
  mysql: openMysql,
  nats: async () => (await import('./nats-url.ts')).openNatsUrl,
  postgres: openPostgres,
  postgresql: openPostgres,
  redis: openRedis,
  rediss: openRedis,
  valkey: openRedis,
  valkeys: openRedis,
}

const FORMS = '"sqlite:<path>", "sqlite:<path>?table=<name>", "file:<folder>", "memory:", "cookie:"'

/**
 * Opens the store that a URL names, for configuration by an environment variable: `sqlite:<path>`, optionally with
 * `?table=<name>`, `file:<folder>`, `memory:`, or the URL of a server such as `postgres://user@host/database`, for which
 * the client has to be installed. Paths are taken as they are, relative ones from the working directory.
 *
 * `cookie:` is `cookieStore` with the keys that the environment variable `SESSION_KEYS` holds, separated by commas;
 * `cookie:?revocation=<url>` with the store of that URL as its `revocation`.
 *
 * `close()` of the store ends the client that was opened for it.
 * @throws TypeError when the URL names no store.
 */
export async function storeFromUrl(url: string): Promise<Store | CookieStore> {
  const [, revocation] = /^cookie(?::(?:\?revocation=(.+))?)?$/is.exec(url) ?? []
  if (revocation !== undefined) return cookies(await openStoreUrl(revocation))
  return /^cookie:?$/i.test(url) ? cookies(undefined) : openStoreUrl(url)
}

/** As `storeFromUrl`, for what has to be kept under a key. */
export async function openStoreUrl(url: string, opening: Opening = {}): Promise<Store> {
  const open = await serverOf(url)?.()
  if (open) return open(url, opening)
  const { scheme, path, table } = parseStoreUrl(url)
  if (scheme === 'memory') return (await import('./memory.ts')).memoryStore()
  if (scheme === 'file') return (await import('./file.ts')).fileStore(path)
  return (await import('./sqlite.ts')).sqliteStore(path, table === undefined ? {} : { table })
}

// Not in the URL, which tends to be shown where keys must not be.
async function cookies(revocation: Store | undefined): Promise<CookieStore> {
  const keys = process.env['SESSION_KEYS']?.split(',').map((key) => key.trim())
  if (!keys)
    throw new TypeError(
      '"cookie:" needs the environment variable SESSION_KEYS; "npx sojourn secret" prints a key',
    )
  const { cookieStore } = await import('./cookie.ts')
  return cookieStore({ keys, ...(revocation && { revocation }) })
}

function serverOf(url: string): (() => Promise<Opener>) | undefined {
  const [, scheme = ''] = /^([a-z][a-z\d.-]*)(?:\+[a-z]+)?:\/\//i.exec(url) ?? []
  return Object.hasOwn(SERVERS, scheme) ? SERVERS[scheme] : undefined
}

/** Whether the URL is that of a server. */
export function isServerUrl(url: string): boolean {
  return serverOf(url) !== undefined
}

/** @throws TypeError when the URL names no store; the message holds no more of it than its scheme. */
export function parseStoreUrl(url: string): StoreUrl {
  const [, scheme, rest = ''] = /^([a-z][a-z\d+.-]*)(?::(.*))?$/is.exec(url) ?? []
  if (scheme === 'memory' && rest === '') return { scheme, path: '', table: undefined }
  if (scheme === 'cookie')
    throw new TypeError('"cookie:" keeps nothing but cookies, which only their visitors bring')
  if (scheme !== 'sqlite' && scheme !== 'file') throw new TypeError(noStore(scheme))
  const [, path = '', table] = (scheme === 'sqlite' && /^(.*)\?table=([^?&]+)$/s.exec(rest)) || ['', rest]
  if (path === '' || path.includes('\0')) throw new TypeError(`"${scheme}:" must be followed by a path`)
  // In other programs the slashes mean a host, a relative or an absolute path.
  if (/^\/\/(?!\/)/.test(path)) {
    throw new TypeError(`Write "${scheme}:" and the path without "//", such as "${scheme}:data/sessions"`)
  }
  return { scheme, path, table }
}

function noStore(scheme: string | undefined): string {
  const [name = ''] = scheme?.split('+') ?? []
  if (Object.hasOwn(SERVERS, name)) return `"${scheme}:" must be followed by "//"`
  const servers = Object.keys(SERVERS).map((name) => `"${name}://..."`)
  const what = scheme === undefined ? 'The store URL has no scheme' : `No store is named "${scheme}:"`
  return `${what}; there are: ${[FORMS, ...servers].join(', ')}`
}
