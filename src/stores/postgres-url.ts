import {
  type PostgresClient,
  type PostgresStore,
  type PostgresStoreOptions,
  postgresStore,
} from './postgres.ts'
import { codeOf, driverOf, MISSING_TABLE } from './postgres-driver.ts'
import { qualified } from './postgres-table.ts'
import type { ServerStore } from './server-store.ts'

/** A client that was opened for a URL. */
interface Opened {
  client: PostgresClient
  end(): Promise<unknown>
}

/** Opens a client, of a package that may be missing. */
export type OpenClient = (url: string) => Promise<Opened>

/** What only tests change. */
interface Surroundings {
  /** In order of preference. */
  clients?: readonly OpenClient[]
  clock?: () => number
}

/**
 * Opens a store in the PostgreSQL database that the URL names, with the client that is installed: pg, else postgres.
 * `?table=`, `?schema=` and `?prepare=false` are options of the store; all others are the client's, such as `sslmode`.
 * Nothing is connected to before the first call.
 * @throws TypeError when the URL is none.
 */
export function openPostgresUrl(url: string): Promise<PostgresStore & ServerStore> {
  return openPostgresWith({}, url)
}

export async function openPostgresWith(
  { clients = [openPg, openPostgres], clock = Date.now }: Surroundings,
  url: string,
): Promise<PostgresStore & ServerStore> {
  const { options, rest } = parse(url)
  for (const open of clients) {
    const opened = await open(rest).catch(ifMissing)
    if (opened) return closeable(postgresStore(opened.client, { ...options, clock }), opened, options)
  }
  throw new Error('No client for PostgreSQL is installed; install one by "npm install pg"')
}

function parse(text: string): { options: PostgresStoreOptions; rest: string } {
  if (!URL.canParse(text)) throw notAUrl()
  const url = new URL(text)
  const { searchParams } = url
  const options: PostgresStoreOptions = {}
  for (const name of ['table', 'schema'] as const) {
    const value = searchParams.get(name)
    if (value !== null) options[name] = value
    searchParams.delete(name)
  }
  const prepare = searchParams.get('prepare')
  if (prepare !== null && prepare !== 'true' && prepare !== 'false') throw notAUrl()
  if (prepare !== null) options.prepare = prepare === 'true'
  searchParams.delete('prepare')
  return { options, rest: url.href }
}

function notAUrl(): TypeError {
  const form = 'postgres://user:password@host:5432/database?table=sessions&schema=public&prepare=false'
  return new TypeError(`The URL of a PostgreSQL store must look like ${form}`)
}

export async function openPg(url: string): Promise<Opened> {
  const { default: pg } = await import('pg')
  const pool = new pg.Pool({ connectionString: url, allowExitOnIdle: true, connectionTimeoutMillis: 10_000 })
  // A connection that breaks while nobody uses it is told here, and nowhere else; the next call gets another one.
  pool.on('error', () => undefined)
  return { client: pool, end: () => pool.end() }
}

export async function openPostgres(url: string): Promise<Opened> {
  const { default: postgres } = await import('postgres')
  // It has no other way to let an idle process end.
  const sql = postgres(url, { idle_timeout: 3, connect_timeout: 10, onnotice: () => undefined })
  return { client: sql, end: () => sql.end() }
}

function ifMissing(error: unknown): undefined {
  if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw error
}

async function missing({ client }: Opened, { table = 'sessions', schema }: PostgresStoreOptions) {
  try {
    await driverOf(client).run(`SELECT 1 FROM ${qualified(table, schema)} WHERE false`)
    return undefined
  } catch (error) {
    if (codeOf(error) === MISSING_TABLE) return `table "${table}"`
    throw error
  }
}

/** The store, with a `close()` that lets the calls under way finish before it ends the client. */
function closeable(
  store: PostgresStore,
  opened: Opened,
  options: PostgresStoreOptions,
): PostgresStore & Required<ServerStore> {
  const underWay = new Set<Promise<unknown>>()
  let closed: Promise<void> | undefined
  function open<A extends unknown[], T>(verb: (...args: A) => Promise<T>): (...args: A) => Promise<T> {
    return (...args) => {
      if (closed !== undefined) return Promise.reject(new Error('The PostgreSQL store is closed'))
      const call = verb.apply(store, args)
      underWay.add(call)
      const done = (): void => void underWay.delete(call)
      call.then(done, done)
      return call
    }
  }
  async function close(): Promise<void> {
    await Promise.allSettled(underWay)
    await opened.end()
  }
  const { read, create, update, delete: remove, purge, ofUser } = store
  return {
    read: open(read),
    create: open(create),
    update: open(update),
    delete: open(remove),
    purge: open(purge),
    ofUser: open(ofUser),
    missing: open(() => missing(opened, options)),
    close: () => {
      closed ??= close()
      return closed
    },
  }
}
