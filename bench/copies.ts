import { createHash } from 'node:crypto'
import { DatabaseSync } from 'node:sqlite'
import { Redis } from 'ioredis'
import { createConnection } from 'mysql2/promise'
import pg from 'pg'
import { keyColumn } from '../src/stores/sqlite-key.ts'
import type { Kind, Place } from './places.ts'

/** The kinds of places where a million sessions can be made within minutes, as copies of one. */
export type Copied = Extract<Kind, 'sqlite' | 'postgres' | 'mariadb' | 'redis'>

/** Whose table, or keys. */
export type By = 'sojourn' | 'peer'

/** What the names of the copies are made of, alike for all that makes them; where it can be, as keys of sessions are. */
export function nameOf(kind: Kind, i: number): string {
  const digest = createHash(kind === 'redis' ? 'sha1' : 'md5').update(String(i))
  return digest.digest(kind === 'sqlite' ? 'base64url' : 'hex').slice(0, 22)
}

/** Makes sessions as copies of one that was made as usual, and looks at what they take. */
export interface Copier {
  /** Makes the copies number `from` to `to`, this one excluded, of the session of that name. */
  copy(by: By, name: string, from: number, to: number): Promise<void>
  /** Lets every second session of Sojourn's expire, by the name it has: those whose number is odd. */
  expireOdd?(count: number): Promise<void>
  /** Removes what has expired in one statement, as the stores of express-session do. */
  removeExpired?(): Promise<void>
  /** How many sessions of Sojourn's there are. */
  count?(): Promise<number>
  /** The bytes that all of them take, with their indexes. */
  bytes(by: By): Promise<number>
  close(): Promise<void>
}

export function copierOf({ kind, url }: Place): Promise<Copier> {
  if (kind === 'sqlite') return sqliteCopier(url)
  if (kind === 'postgres') return postgresCopier(url)
  if (kind === 'mariadb') return mariadbCopier(url)
  if (kind === 'redis') return redisCopier(url)
  throw new TypeError(`Nobody can copy sessions in ${kind}`)
}

async function sqliteCopier(url: string): Promise<Copier> {
  const open = (by: By) => {
    const database = new DatabaseSync(`${url.slice('sqlite:'.length)}-${by}`, { timeout: 60_000 })
    database.function('name_of', { deterministic: true }, (i) => {
      const name = nameOf('sqlite', Number(i))
      return by === 'sojourn' ? keyColumn(name) : name
    })
    return database
  }
  const databases = { sojourn: open('sojourn'), peer: open('peer') }
  const numbers = (from: number, to: number) =>
    `WITH RECURSIVE n(i) AS (SELECT ${from} UNION ALL SELECT i + 1 FROM n WHERE i + 1 < ${to})`
  const own = databases.sojourn
  return {
    async copy(by, name, from, to) {
      const [table, key, rest] =
        by === 'sojourn'
          ? ['sessions', 'key', 'value, version, user_id, expires_at']
          : ['sessions', 'sid', 'expire, sess']
      const sql = `${numbers(from, to)} INSERT OR REPLACE INTO ${table} (${key}, ${rest})
         SELECT name_of(i), ${rest} FROM n JOIN ${table} ON ${key} = ?`
      databases[by].prepare(sql).run(by === 'sojourn' ? keyColumn(name) : name)
      if (by === 'sojourn')
        own.exec('INSERT OR IGNORE INTO sessions_purge (purge_at, id) SELECT expires_at, id FROM sessions')
      databases[by].exec('PRAGMA wal_checkpoint(TRUNCATE)')
    },
    async expireOdd(count) {
      own.exec(
        `${numbers(0, count)} UPDATE sessions SET expires_at = 1000
         WHERE key IN (SELECT name_of(i) FROM n WHERE i % 2 = 1)`,
      )
      own.exec(
        'UPDATE sessions_purge SET purge_at = 1000 WHERE id IN (SELECT id FROM sessions WHERE expires_at = 1000)',
      )
      own.exec('PRAGMA wal_checkpoint(TRUNCATE)')
    },
    async removeExpired() {
      own.prepare('DELETE FROM sessions WHERE expires_at <= ?').run(Date.now())
    },
    count: async () => (own.prepare('SELECT count(*) AS n FROM sessions').get() as { n: number }).n,
    async bytes(by) {
      const { page_count: pages } = databases[by].prepare('PRAGMA page_count').get() as { page_count: number }
      return pages * 4096
    },
    async close() {
      for (const database of Object.values(databases)) database.close()
    },
  }
}

async function postgresCopier(url: string): Promise<Copier> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  const number = async (sql: string) =>
    Number((await client.query({ text: sql, rowMode: 'array' })).rows[0]?.[0])
  return {
    async copy(by, name, from, to) {
      const [table, key, rest] =
        by === 'sojourn'
          ? ['sessions', 'key', 'version, expires_at, purge_minute, value, user_id']
          : ['session', 'sid', 'sess, expire']
      await client.query(
        `INSERT INTO ${table} (${key}, ${rest}) SELECT left(md5(i::text), 22), ${rest}
         FROM generate_series(${from}, ${to - 1}) AS n(i), ${table} WHERE ${key} = '${name}' ON CONFLICT DO NOTHING`,
      )
      await client.query(`VACUUM ANALYZE ${table}`)
    },
    async expireOdd(count) {
      await client.query(
        `UPDATE sessions SET expires_at = 1000, purge_minute = 0
         WHERE key IN (SELECT left(md5(i::text), 22) FROM generate_series(1, ${count - 1}, 2) AS n(i))`,
      )
      await client.query('VACUUM ANALYZE sessions')
    },
    async removeExpired() {
      await client.query('DELETE FROM sessions WHERE expires_at <= $1', [Date.now()])
    },
    count: () => number('SELECT count(*) FROM sessions'),
    bytes: (by) => number(`SELECT pg_total_relation_size('${by === 'sojourn' ? 'sessions' : 'session'}')`),
    close: () => client.end(),
  }
}

async function mariadbCopier(url: string): Promise<Copier> {
  const connection = await createConnection(url.replace('mariadb:', 'mysql:'))
  const ask = async (sql: string) => (await connection.query(sql))[0] as Record<string, unknown>[]
  const TABLES = { sojourn: 'visits', peer: 'sessions' }
  return {
    async copy(by, name, from, to) {
      const [table, key, rest] =
        by === 'sojourn'
          ? ['visits', '`key`', 'value, version, user_id, expires_at, purge_minute']
          : ['sessions', 'session_id', 'expires, data']
      await ask(
        `INSERT IGNORE INTO ${table} (${key}, ${rest}) SELECT LEFT(MD5(seq), 22), ${rest}
         FROM seq_${from}_to_${to - 1} JOIN ${table} ON ${key} = '${name}'`,
      )
      await ask(`ANALYZE TABLE ${table}`)
    },
    async expireOdd(count) {
      await ask(
        `UPDATE visits JOIN seq_1_to_${count - 1}_step_2 ON \`key\` = LEFT(MD5(seq), 22)
         SET expires_at = 1000, purge_minute = 0`,
      )
    },
    async removeExpired() {
      await ask(`DELETE FROM visits WHERE expires_at <= ${Date.now()}`)
    },
    count: async () => Number((await ask('SELECT count(*) AS n FROM visits'))[0]?.['n']),
    async bytes(by) {
      const name = `${connection.config.database}/${TABLES[by]}`
      const [row] = await ask(
        `SELECT FILE_SIZE AS size FROM information_schema.INNODB_SYS_TABLESPACES WHERE NAME = '${name}'`,
      )
      return Number(row?.['size'])
    },
    close: () => connection.end(),
  }
}

async function redisCopier(url: string): Promise<Copier> {
  const client = new Redis(url)
  const prefix = (by: By) => (by === 'sojourn' ? 'sojourn:' : 'sess:')
  const used = async () => Number(/used_memory:(\d+)/.exec(await client.info('memory'))?.[1])
  const taken = { sojourn: 0, peer: 0 }
  const COPY = `for i = tonumber(ARGV[1]), tonumber(ARGV[2]) - 1 do
    redis.call('COPY', KEYS[1], ARGV[3] .. string.sub(redis.sha1hex(tostring(i)), 1, 22)) end`
  const STEP = 10_000
  return {
    async copy(by, name, from, to) {
      const before = await used()
      for (let i = from; i < to; i += STEP) {
        await client.eval(COPY, 1, prefix(by) + name, i, Math.min(i + STEP, to), prefix(by))
      }
      taken[by] += (await used()) - before
    },
    bytes: async (by) => taken[by],
    close: async () => client.disconnect(),
  }
}
