import { createPool as createMariadbPool, type PoolConfig } from 'mariadb'
import { createPool as createCallbackPool } from 'mysql2'
import { createPool, type PoolOptions } from 'mysql2/promise'
import type { MysqlCallbackClient, MysqlClient } from '../../src/stores/mysql.ts'
import { SCHEMA } from '../servers/mysql.ts'

/** The clients under test: each is passed to the store as it is, so that it compiles without a cast. */
export const CLIENTS = ['mysql2', 'mysql2/promise', 'mariadb'] as const

export interface OpenClient {
  readonly client: MysqlClient | MysqlCallbackClient
  end(): Promise<void>
}

/** What tests ask of a pool. */
export interface ClientOptions {
  port: number
  user?: string
  password?: string
  database?: string
  /** How many connections at most. */
  limit?: number
  /** Statements for each new connection, before it is used. */
  initially?: string[]
  /** Whether an update counts the rows that it found, or those that it changed. */
  foundRows?: boolean
  /** How many milliseconds a call waits for a connection where the client has a limit for that. */
  patience?: number
  /** Options of the client that change what an answer looks like. */
  odd?: boolean
}

const odd = {
  rowsAsArray: true,
  nestTables: true,
  namedPlaceholders: true,
  supportBigNumbers: true,
  bigNumberStrings: true,
  timezone: '+09:00',
  typeCast: (): never => {
    throw new Error('the typeCast of the application was called')
  },
}

export function openClient(name: string, options: ClientOptions): OpenClient {
  const { port, user = 'root', password = '', database = SCHEMA, limit = 10 } = options
  const address = { host: '127.0.0.1', port, user, password, database, connectionLimit: limit }
  if (name === 'mariadb') return openMariadb(address, options)
  const flags = { foundRows: ['FOUND_ROWS'], changedRows: ['-FOUND_ROWS'] }
  const pool: PoolOptions = { ...address, ...(options.odd ? odd : {}) }
  if (options.foundRows !== undefined) pool.flags = options.foundRows ? flags.foundRows : flags.changedRows
  if (name === 'mysql2/promise') {
    const client = createPool(pool)
    client.on('connection', (connection) => {
      // It is the callback connection that a pool tells of, whatever its types say. Statements keep their order.
      for (const sql of options.initially ?? []) void connection.query(sql)
    })
    return { client, end: () => client.end() }
  }
  const client = createCallbackPool(pool)
  client.on('connection', (connection) => {
    for (const sql of options.initially ?? []) connection.query(sql)
  })
  return { client, end: () => client.promise().end() }
}

function openMariadb(address: PoolConfig, options: ClientOptions): OpenClient {
  const config: PoolConfig = {
    ...address,
    ...(options.odd ? { ...odd, metaAsArray: true, bigIntAsNumber: true } : {}),
    allowPublicKeyRetrieval: true,
    acquireTimeout: options.patience ?? 100_000,
    initSql: options.initially ?? [],
  }
  if (options.foundRows !== undefined) config.foundRows = options.foundRows
  const client = createMariadbPool(config)
  return { client, end: () => client.end() }
}
