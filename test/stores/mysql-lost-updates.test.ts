import { afterAll, beforeAll } from 'vitest'
import { type Database, MARIADB, MYSQL, NO_SYNC, SCHEMA, startDatabase } from '../servers/mysql.ts'
import { describeWith } from '../servers/program.ts'
import { describeLostUpdates } from './lost-updates.ts'

for (const { program, scheme } of [
  { program: MARIADB, scheme: 'mariadb' },
  { program: MARIADB, scheme: 'mysql' },
  { program: MYSQL, scheme: 'mysql' },
]) {
  describeWith([program], `on ${program.name}`, () => {
    let database: Database
    beforeAll(async () => {
      database = await startDatabase(program, { args: NO_SYNC })
    })
    afterAll(() => database?.remove())

    describeLostUpdates(`MySQL, by ${scheme}:`, () => ({
      url: `${scheme}://root:@127.0.0.1:${database.port}/${SCHEMA}`,
    }))
  })
}
