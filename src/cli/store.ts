import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { CloseableStore, Store } from '../store.ts'
import { isServerUrl, openStoreUrl, parseStoreUrl, type StoreUrl } from '../stores/from-url.ts'
import type { ServerStore } from '../stores/server-store.ts'
import { findDriver } from '../stores/sqlite-database.ts'
import { Failure, UsageError } from './command.ts'

/** What `--help` says about the argument. */
export const STORE_URLS = `The store's URL:
  sqlite:<path>               a SQLite database, whose table is "sessions"
  sqlite:<path>?table=<name>  with another table
  file:<folder>               a folder of the file store
  <scheme>://...              a server, such as postgres://user:password@host/database:
                              docs/cli.md lists them. Its client has to be installed`

/** So long may a server take to answer the first question. Some clients go on trying to connect for ever. */
const PATIENCE = 10_000
/** So long may a client take to end, when it has not been of use. */
const CLOSES_WITHIN = 1000

/** Opens the store for as long as the work takes. Only one that is there already: a typo must not make a new one. */
export async function withStore<T>(url: string, work: (store: Store) => Promise<T>): Promise<T> {
  if (isServerUrl(url)) return withServer(url, work)
  const { scheme, path, table } = location(url)
  if (scheme === 'memory') {
    throw new UsageError('the memory store lives inside the process of the site, where no command can look')
  }
  await expectThere(scheme, path)
  if (scheme === 'sqlite') expectTable(path, table)
  const store = await openStoreUrl(url)
  try {
    return await work(store)
  } finally {
    if ('close' in store) await (store as CloseableStore).close()
  }
}

async function withServer<T>(url: string, work: (store: Store) => Promise<T>): Promise<T> {
  const store = await inTime(opened(url))
  try {
    const missing = await inTime(store.missing?.() ?? nothing(store))
    if (missing) throw new Failure(`There is no ${missing}`)
    return await work(store)
  } catch (error) {
    // A client that is still trying to connect must not keep the command from ending.
    setTimeout(() => process.exit(), CLOSES_WITHIN).unref()
    throw error
  } finally {
    await inTime(store.close(), CLOSES_WITHIN).catch(() => undefined)
  }
}

async function opened(url: string): Promise<ServerStore> {
  try {
    return (await openStoreUrl(url, { create: false })) as ServerStore
  } catch (error) {
    const { message, cause } = error as Error
    throw error instanceof TypeError ? new UsageError(message) : new Failure(message, { cause })
  }
}

/** Asks the server for what is certainly not there: that it answers is all that there is to know. */
async function nothing(store: Store): Promise<undefined> {
  await store.read('-'.repeat(22))
}

function inTime<T>(answer: Promise<T>, patience = PATIENCE): Promise<T> {
  return new Promise((resolve, reject) => {
    const late = () => reject(new Failure(`The server did not answer within ${patience / 1000} seconds`))
    const timer = setTimeout(late, patience)
    answer.then(resolve, reject).finally(() => clearTimeout(timer))
  })
}

function location(url: string): StoreUrl {
  try {
    return parseStoreUrl(url)
  } catch (error) {
    throw new UsageError((error as TypeError).message)
  }
}

async function expectThere(scheme: StoreUrl['scheme'], path: string): Promise<void> {
  const isFolder = await isFolderAt(path)
  if (isFolder === undefined)
    throw new Failure(`There is no ${scheme === 'file' ? 'folder' : 'database'} at ${path}`)
  if (scheme === 'sqlite' && isFolder) throw new Failure(`${path} is a folder, not a database`)
  if (scheme === 'file' && !isFolder) throw new Failure(`${path} is not a folder`)
  // The file store makes this one first of all.
  if (scheme === 'file' && !(await isFolderAt(join(path, 'new'))))
    throw new Failure(`The folder ${path} holds no sessions`)
}

/** Whether a folder is there, or something else, or nothing. */
async function isFolderAt(path: string): Promise<boolean | undefined> {
  try {
    return (await stat(path)).isDirectory()
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
    throw new Failure(`${path} cannot be reached`, { cause })
  }
}

const COLUMNS = ['id', 'key', 'value', 'version', 'user_id', 'expires_at']

/** The store would set up any database that it is given, somebody else's too. */
function expectTable(path: string, table = 'sessions'): void {
  const Database = findDriver()
  const database = failing(`${path} cannot be opened`, () => new Database(path))
  try {
    const found = failing(`${path} cannot be read`, () =>
      database.prepare('SELECT name FROM pragma_table_info(?)').all(table),
    )
    if (found.length === 0) throw new Failure(`There is no table "${table}" in ${path}`)
    const names = found.map((row) => (row as { name: string }).name)
    const missing = COLUMNS.find((column) => !names.includes(column))
    if (missing)
      throw new Failure(`The table "${table}" in ${path} holds no sessions: it has no column "${missing}"`)
  } finally {
    database.close()
  }
}

function failing<T>(what: string, work: () => T): T {
  try {
    return work()
  } catch (cause) {
    throw new Failure(what, { cause })
  }
}
