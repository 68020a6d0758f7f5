import pg from 'pg'
import postgres from 'postgres'
import type { PostgresClient } from '../../src/stores/postgres.ts'

/** The clients under test that speak to a server. */
export const CLIENTS = ['pg', 'postgres'] as const

/** A client as an application opens it. */
export interface TestClient {
  client: PostgresClient
  end(): Promise<unknown>
}

/** @param max how many connections it may open */
export function openClient(name: string, url: string, max = 10): TestClient {
  if (name === 'postgres') {
    const sql = postgres(url, { max, onnotice: () => undefined })
    return { client: sql, end: () => sql.end() }
  }
  const pool = new pg.Pool({ connectionString: url, max })
  pool.on('error', () => undefined)
  return { client: pool, end: () => pool.end() }
}
