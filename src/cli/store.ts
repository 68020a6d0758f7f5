import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { CloseableStore, Store } from '../store.ts'
import { parseStoreUrl, type StoreUrl, storeFromUrl } from '../stores/from-url.ts'
import { findDriver } from '../stores/sqlite-database.ts'
import { Failure, UsageError } from './command.ts'

/** What `--help` says about the argument. */
export const STORE_URLS = `The store's URL:
  sqlite:<path>               a SQLite database, whose table is "sessions"
  sqlite:<path>?table=<name>  with another table
  file:<folder>               a folder of the file store`

/** Opens the store for as long as the work takes. Only one that is there already: a typo must not make a new one. */
export async function withStore<T>(url: string, work: (store: Store) => Promise<T>): Promise<T> {
  const { scheme, path, table } = location(url)
  if (scheme === 'memory') {
    throw new UsageError('the memory store lives inside the process of the site, where no command can look')
  }
  await expectThere(scheme, path)
  if (scheme === 'sqlite') expectTable(path, table)
  const store = await storeFromUrl(url)
  try {
    return await work(store)
  } finally {
    if ('close' in store) await (store as CloseableStore).close()
  }
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

const COLUMNS = ['key', 'value', 'version', 'user_id', 'expires_at']

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
