import { type MysqlClient, type MysqlStore, mysqlStore } from './mysql.ts'
import { isMissingTable, MysqlConnection, reasonOf } from './mysql-client.ts'
import { probe } from './mysql-table.ts'
import type { ServerStore } from './server-store.ts'

/** A pool of either package. */
interface Pool extends MysqlClient {
  end(): Promise<void>
}

/**
 * Opens the store in the table that a URL names: `mysql://user:password@host:port/database`, or `mariadb://...`, with
 * `?table=` for another table than `sessions`. Other parameters are options of the client.
 *
 * Each scheme prefers the package of its name, and takes the other one when that is not installed.
 * @throws TypeError when the URL is none.
 */
export async function openMysqlUrl(url: string): Promise<MysqlStore & ServerStore> {
  const parsed = parse(url)
  const table = parsed.searchParams.get('table') ?? 'sessions'
  parsed.searchParams.delete('table')
  const pool = await openPool(parsed)
  try {
    return own(mysqlStore(pool, { table }), pool, table)
  } catch (error) {
    await pool.end()
    throw error
  }
}

/** What is wrong with a URL is not repeated: it may hold a password. */
function parse(url: string): URL {
  const parsed = URL.canParse(url) ? new URL(url) : undefined
  if (parsed && /^\/[^/]+$/.test(parsed.pathname) && parsed.hostname !== '') return parsed
  throw new TypeError('The URL must be "mysql://user:password@host:port/database" or "mariadb://..."')
}

async function openPool(url: URL): Promise<Pool> {
  const openers = url.protocol === 'mariadb:' ? [openMariadb, openMysql2] : [openMysql2, openMariadb]
  for (const open of openers) {
    try {
      return await open(url)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw error
    }
  }
  throw new Error(`"${url.protocol}" needs a client: npm install mysql2, or npm install mariadb`)
}

async function openMysql2(url: URL): Promise<Pool> {
  const { createPool } = await import('mysql2/promise')
  return createPool(withProtocol('mysql:', url))
}

async function openMariadb(url: URL): Promise<Pool> {
  const { createPool } = await import('mariadb')
  const options = new URL(url)
  // By default it waits for ten seconds before it says why it cannot connect, when nobody listens any more.
  if (!options.searchParams.has('acquireTimeout')) options.searchParams.set('acquireTimeout', '4000')
  return createPool(withProtocol('mariadb:', options))
}

function withProtocol(protocol: string, url: URL): string {
  return url.href.replace(/^[a-z]+:/, protocol)
}

/** The store, which ends the pool when it is closed and nothing is under way any more. */
function own(store: MysqlStore, pool: Pool, table: string): MysqlStore & ServerStore {
  const underWay = new Set<Promise<unknown>>()
  let closed: Promise<void> | undefined
  const within = <T>(call: () => Promise<T>): Promise<T> => {
    if (closed !== undefined) return Promise.reject(new Error('The MySQL store is closed'))
    const promise = call()
    underWay.add(promise)
    const done = (): void => void underWay.delete(promise)
    promise.then(done, done)
    return promise
  }
  return {
    read: (key) => within(() => store.read(key)),
    create: (key, entry) => within(() => store.create(key, entry)),
    update: (key, entry, version) => within(() => store.update(key, entry, version)),
    delete: (key) => within(() => store.delete(key)),
    ofUser: (userId) => within(() => store.ofUser(userId)),
    purge: (limit) => within(() => store.purge(limit)),
    missing: () => within(() => missing(pool, table)),
    close() {
      closed ??= Promise.allSettled(underWay).then(() => pool.end())
      return closed
    },
  }
}

async function missing(pool: Pool, table: string): Promise<string | undefined> {
  try {
    await new MysqlConnection(pool).rows(probe(table), [])
    return undefined
  } catch (cause) {
    if (isMissingTable(cause)) return `table "${table}"`
    throw new Error(`MySQL failed to look for the table "${table}": ${reasonOf(cause)}`, { cause })
  }
}
