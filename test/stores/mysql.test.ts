import { afterAll, beforeAll } from 'vitest'
import { mysqlStore } from '../../src/stores/mysql.ts'
import type { StoreHarness } from '../../src/testing/store-harness.ts'
import { type Database, MARIADB, MYSQL, NO_SYNC, SCHEMA, startDatabase } from '../servers/mysql.ts'
import { describeWith } from '../servers/program.ts'
import { describeStore } from './contract.ts'
import { type OpenClient, openClient } from './mysql-clients.ts'
import { tested } from './tested.ts'

const file = new URL('./workers/mysql.ts', import.meta.url).pathname

for (const program of [MARIADB, MYSQL]) {
  describeWith([program], `on ${program.name}`, () => {
    let database: Database
    let tables = 0

    beforeAll(async () => {
      database = await startDatabase(program, { args: NO_SYNC })
      for (const client of ['mysql2', 'mariadb']) tested('mysql', client, database.version)
    })
    afterAll(() => database?.remove())

    const administer = (sql: string) => database.administer(`USE ${SCHEMA}`, sql)
    const harness = {
      prepare: () => `sessions ${++tables}`,
      dispose: (table: string) => administer(`DROP TABLE IF EXISTS \`${table}\``),
      expiry: 'given',
      shared: true,
      breakEntry: (table: string, key: string) =>
        administer(`UPDATE \`${table}\` SET value = x'ff00' WHERE \`key\` = '${key}'`),
      removeSchema: (table: string) => administer(`DROP TABLE IF EXISTS \`${table}\``),
    } satisfies Partial<StoreHarness<string>>

    // The promise pool of mysql2 is the same client: the store asks the other one for it.
    for (const name of ['mysql2', 'mariadb']) {
      let opened: OpenClient
      beforeAll(() => {
        opened = openClient(name, { port: database.port })
      })
      afterAll(() => opened?.end())

      describeStore(`mysql, a pool of ${name}`, {
        ...harness,
        abilities: { purge: true, ofUser: true, close: false },
        open: (table, clock) => mysqlStore(opened.client, { table, clock }),
        worker: (table) => ({
          file,
          args: [name, String(database.port), table],
          execArgv: ['--no-warnings'],
        }),
      })
    }
  })
}
