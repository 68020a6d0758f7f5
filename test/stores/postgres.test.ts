import { PGlite } from '@electric-sql/pglite'
import { afterAll, beforeAll } from 'vitest'
import { type PostgresClient, postgresStore } from '../../src/stores/postgres.ts'
import { openPostgresWith } from '../../src/stores/postgres-url.ts'
import { PGBOUNCER_PROGRAMS, PgBouncer, POSTGRES_PROGRAMS, Postgres } from '../servers/postgres.ts'
import { describeWith } from '../servers/program.ts'
import { describeStore } from './contract.ts'
import { CLIENTS, openClient, type TestClient } from './postgres-clients.ts'
import { tested } from './tested.ts'

const file = new URL('./workers/postgres.ts', import.meta.url).pathname
const shape = { expiry: 'given', shared: true } as const
const abilities = { purge: true, ofUser: true, close: false }

let tables = 0
/** A name that only quoting holds together. */
function newTable(): string {
  return `it's "my" sessions ${++tables}; --`
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

/** What may befall a table. */
function hooks(query: (sql: string) => Promise<unknown>) {
  return {
    breakEntry: (table: string, key: string) =>
      query(`UPDATE ${quoted(table)} SET value = '"not JSON' WHERE key = '${key}'`),
    removeSchema: (table: string) => query(`DROP TABLE IF EXISTS ${quoted(table)}`),
    dispose: (table: string) => query(`DROP TABLE IF EXISTS ${quoted(table)}`),
  }
}

describeWith(POSTGRES_PROGRAMS, 'PostgreSQL', () => {
  let server: Postgres
  beforeAll(async () => {
    server = await Postgres.start()
  })
  afterAll(() => server?.remove())
  const query = (sql: string) => server.query(sql)
  const urlOf = (table: string) => `${server.url}?${new URLSearchParams({ table })}`

  for (const name of CLIENTS) {
    let opened: TestClient
    beforeAll(async () => {
      opened = openClient(name, server.url)
      tested('postgresStore', name, await server.version())
    })
    afterAll(() => opened?.end())
    describeStore(`postgres, ${name}`, {
      ...shape,
      ...hooks(query),
      abilities,
      prepare: newTable,
      open: (table, clock) => postgresStore(opened.client, { table, clock }),
      worker: (table) => ({ file, args: [name, server.url, table] }),
    })
  }

  describeStore('postgres, a URL', {
    ...shape,
    ...hooks(query),
    abilities: { ...abilities, close: true },
    prepare: newTable,
    open: (table, clock) => openPostgresWith({ clock }, urlOf(table)),
  })
})

describeWith(PGBOUNCER_PROGRAMS, 'PostgreSQL behind PgBouncer', () => {
  let server: Postgres
  let bouncer: PgBouncer
  const opened: TestClient[] = []
  beforeAll(async () => {
    server = await Postgres.start()
    bouncer = await PgBouncer.start(server)
  })
  afterAll(async () => {
    for (const { end } of opened) await end()
    await bouncer?.remove()
    await server?.remove()
  })

  // Of postgres it is known that it must be told.
  for (const [name, prepare] of [
    ['pg', true],
    ['pg', false],
    ['postgres', false],
  ] as const) {
    const client: { current?: PostgresClient } = {}
    describeStore(`postgres, ${name} behind PgBouncer, ${prepare ? 'unaware' : 'told'}`, {
      ...shape,
      ...hooks((sql) => server.query(sql)),
      abilities,
      prepare: newTable,
      open(table, clock) {
        if (!client.current) {
          const one = openClient(name, bouncer.url)
          opened.push(one)
          client.current = one.client
        }
        return postgresStore(client.current, { table, prepare, clock })
      },
    })
  }
})

{
  let database: PGlite
  beforeAll(async () => {
    database = await PGlite.create()
    const [row] = (await database.query<{ server_version: string }>('SHOW server_version')).rows
    tested(
      'postgresStore',
      '@electric-sql/pglite',
      `PostgreSQL ${row?.server_version.split(' ')[0]}, in process`,
    )
  })
  afterAll(() => database?.close())
  describeStore('postgres, PGlite', {
    ...shape,
    ...hooks((sql) => database.exec(sql)),
    abilities,
    prepare: newTable,
    open: (table, clock) => postgresStore(database, { table, clock }),
  })
}
