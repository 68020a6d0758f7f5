import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { ScanCommand } from '@aws-sdk/client-dynamodb'
import { jetstreamManager } from '@nats-io/jetstream'
import { Redis } from 'ioredis'
import { createConnection } from 'mysql2/promise'
import pg from 'pg'
import { clientOf } from '../test/servers/dynalite.ts'
import { askEtcd } from '../test/servers/etcd.ts'
import { ask } from '../test/servers/memcached.ts'
import { connectNats } from '../test/servers/nats.ts'
import type { By } from './copies.ts'
import type { Kind, Place } from './places.ts'

/** All that one package keeps in a place takes so many bytes, with its indexes, as the place itself says. */
type Taken = (url: string, by: By) => Promise<number>

/** Asks the place what one package takes there; the other one's is not counted, or was there before. */
export function taken({ kind, url }: Pick<Place, 'kind' | 'url'>, by: By): Promise<number> {
  const asked = TAKEN[kind]
  if (!asked) throw new TypeError(`${kind} does not say what it holds`)
  return asked(url, by)
}

/** How each is asked, for readers of the figures. */
export const ASKED: Partial<Record<Kind, string>> = {
  sqlite: 'pages of the database',
  file: 'blocks on the disk',
  postgres: '`pg_total_relation_size`',
  mariadb: 'tablespace',
  redis: '`used_memory`',
  memcached: 'chunks of its slabs',
  nats: 'bytes of the stream',
  etcd: '`dbSizeInUse`',
  dynamodb: "DynamoDB's own rule",
}

const TAKEN: Partial<Record<Kind, Taken>> = {
  async sqlite(url) {
    const database = new DatabaseSync(url.slice('sqlite:'.length), { timeout: 60_000 })
    database.exec('PRAGMA wal_checkpoint(TRUNCATE)')
    const { page_count: pages } = database.prepare('PRAGMA page_count').get() as { page_count: number }
    database.close()
    return pages * 4096
  },
  file: (url) => blocks(url.slice('file:'.length)),
  async postgres(url, by) {
    const client = new pg.Client({ connectionString: url })
    await client.connect()
    const table = by === 'sojourn' ? 'sessions' : 'session'
    await client.query(`VACUUM ${table}`)
    const { rows } = await client.query(`SELECT pg_total_relation_size('${table}') AS bytes`)
    await client.end()
    return Number(rows[0].bytes)
  },
  async mariadb(url, by) {
    const connection = await createConnection(url.replace('mariadb:', 'mysql:').replace(/\?.*/, ''))
    const name = `${connection.config.database}/${by === 'sojourn' ? 'visits' : 'sessions'}`
    const sql = `SELECT FILE_SIZE AS bytes FROM information_schema.INNODB_SYS_TABLESPACES WHERE NAME = '${name}'`
    const [rows] = await connection.query(sql)
    await connection.end()
    return Number((rows as { bytes: number }[])[0]?.bytes)
  },
  async redis(url) {
    const client = new Redis(url)
    const info = await client.info('memory')
    client.disconnect()
    return Number(/used_memory:(\d+)/.exec(info)?.[1])
  },
  /** An item takes the chunk of its slab class, not only its own bytes. */
  async memcached(url) {
    const slabs = await ask(Number(new URL(url).port), 'stats slabs')
    const of = (name: string) => [...slabs.matchAll(new RegExp(`STAT (\\d+):${name} (\\d+)`, 'g'))]
    const used = new Map(of('used_chunks').map(([, slab, chunks]) => [slab, Number(chunks)]))
    return of('chunk_size').reduce(
      (sum, [, slab, size]) => sum + Number(size) * (used.get(slab ?? '') ?? 0),
      0,
    )
  },
  async nats(url) {
    const connection = await connectNats([Number(new URL(url).port)])
    const { state } = await (await jetstreamManager(connection)).streams.info('KV_sessions')
    await connection.close()
    return state.bytes
  },
  async etcd(url) {
    const status = await askEtcd<{ dbSizeInUse: string }>(
      url.replace('etcd:', 'http:'),
      '/v3/maintenance/status',
      {},
    )
    return Number(status.dbSizeInUse)
  },
  async dynamodb(url) {
    const { port, pathname } = new URL(url)
    const client = clientOf(Number(port))
    let [bytes, start] = [0, undefined as Record<string, never> | undefined]
    do {
      const found = await client.send(
        new ScanCommand({ TableName: pathname.slice(1), ...(start && { ExclusiveStartKey: start }) }),
      )
      for (const item of found.Items ?? []) bytes += itemBytes(item)
      start = found.LastEvaluatedKey as typeof start
    } while (start)
    client.destroy()
    return bytes
  },
}

/** Names and values, two digits a byte, and 100 for the index: what AWS counts of an item in a table. */
function itemBytes(item: Record<string, { S?: string; N?: string }>): number {
  return Object.entries(item).reduce((sum, [name, { S, N }]) => {
    if (S === undefined && N === undefined) throw new Error(`Nobody knows what "${name}" takes`)
    const value = S === undefined ? Math.ceil((N?.length ?? 0) / 2) + 1 : Buffer.byteLength(S)
    return sum + name.length + value
  }, 100)
}

async function blocks(path: string): Promise<number> {
  const found = await stat(path)
  let bytes = found.blocks * 512
  if (found.isDirectory()) for (const name of await readdir(path)) bytes += await blocks(join(path, name))
  return bytes
}
