import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { createConnection } from 'mysql2/promise'
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest'
import { mysqlSchema } from '../../src/stores/mysql.ts'
import { postgresSchema } from '../../src/stores/postgres.ts'
import { type Database, MARIADB, SCHEMA, startDatabase } from '../servers/mysql.ts'
import { POSTGRES_PROGRAMS, Postgres } from '../servers/postgres.ts'
import { describeWith } from '../servers/program.ts'
import { ofTest, REDIS_7, type RedisServers, standaloneRedis } from '../servers/redis.ts'
import { fill, mayMount, smallDisk } from '../stores/small-disk.ts'
import { mixed } from './redis-sources.ts'
import { expectClearErrors, expectEndedByThemselves, expectNothingLost } from './report.ts'
import type { StoreSource } from './source.ts'
import { Updaters } from './updaters.ts'

/** What a server may refuse those who are at work with it. */
interface Refusal {
  begin(): Promise<unknown>
  /** Ends the connections there are. Called again and again: one that is being made may slip through. */
  cut?(): Promise<unknown>
  end(): Promise<unknown>
  /** What is told of it, as the server has it; where the client keeps that to itself, that it took too long. */
  says: RegExp
}

async function expectSound(sources: readonly StoreSource[], refusal: Refusal): Promise<void> {
  const updaters = await Updaters.start({ sources })
  await updaters.each(5)
  await refusal.begin()
  let isFelt = false
  const felt = updaters.eachFails().finally(() => {
    isFelt = true
  })
  while (!isFelt) {
    await refusal.cut?.()
    await sleep(100)
  }
  await felt
  await refusal.end()
  await updaters.each(5)
  const report = await updaters.stop()
  expectNothingLost(report)
  expectClearErrors(report)
  expectEndedByThemselves(report)
  expect(report.errors).toContainEqual(expect.stringMatching(refusal.says))
}

describeWith(POSTGRES_PROGRAMS, 'what four processes are refused, by PostgreSQL', () => {
  let server: Postgres
  let sources: StoreSource[]
  beforeAll(async () => {
    server = await Postgres.start()
    await server.query("CREATE ROLE app LOGIN PASSWORD 'right'")
    await server.query(`${postgresSchema()}; GRANT SELECT, INSERT, UPDATE, DELETE ON sessions TO app`)
    const file = join(server.folder, 'pg_hba.conf')
    writeFileSync(file, `host all app 127.0.0.1/32 scram-sha-256\n${readFileSync(file, 'utf8')}`)
    await server.query('SELECT pg_reload_conf()')
    sources = [{ url: server.urlBy({ user: 'app:right' }) }]
  })
  afterAll(() => server?.remove())

  const cut = () =>
    server.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'app'")

  it('has no connection left', () =>
    expectSound(sources, {
      begin: () => server.query('ALTER ROLE app CONNECTION LIMIT 0'),
      cut,
      end: () => server.query('ALTER ROLE app CONNECTION LIMIT -1'),
      says: /too many connections for role "app"/,
    }))

  it('takes another password', () =>
    expectSound(sources, {
      begin: () => server.query("ALTER ROLE app PASSWORD 'other'"),
      cut,
      end: () => server.query("ALTER ROLE app PASSWORD 'right'"),
      says: /password authentication failed for user "app"/,
    }))

  it('takes no more writes', () =>
    expectSound(sources, {
      begin: () => server.query('REVOKE UPDATE ON sessions FROM app'),
      end: () => server.query('GRANT UPDATE ON sessions TO app'),
      says: /permission denied for table sessions/,
    }))

  it('has lost its table, in which nobody finds a session, until it is back', async () => {
    const updaters = await Updaters.start({ sources })
    await updaters.each(5)
    await server.query('ALTER TABLE sessions RENAME TO away')
    const missed = () =>
      new Set(updaters.heard.filter(({ outcome }) => outcome === 'gone').map((at) => at.process))
    while (missed().size < 4) await sleep(20)
    await server.query('ALTER TABLE away RENAME TO sessions')
    await updaters.each(5)
    const { gone, ...report } = await updaters.stop()
    expectNothingLost({ ...report, gone: 0 })
    expectClearErrors({ ...report, gone })
    expectEndedByThemselves({ ...report, gone })
  })
})

describeWith([MARIADB], 'what four processes are refused, by MariaDB', () => {
  let database: Database
  let sources: StoreSource[]
  beforeAll(async () => {
    database = await startDatabase(MARIADB)
    await database.administer(
      `USE ${SCHEMA}`,
      mysqlSchema(),
      "CREATE USER clerk@'%' IDENTIFIED BY 'hunter2'",
      `GRANT SELECT, INSERT, UPDATE, DELETE ON ${SCHEMA}.* TO clerk@'%'`,
    )
    const url = (scheme: string) => `${scheme}://clerk:hunter2@127.0.0.1:${database.port}/${SCHEMA}`
    sources = [{ url: url('mysql') }, { url: url('mariadb') }]
  })
  afterAll(() => database?.remove())

  async function administrator() {
    const connection = await createConnection({ host: '127.0.0.1', port: database.port, user: 'root' })
    onTestFinished(() => connection.destroy())
    return connection
  }

  it('has no connection left', async () => {
    // So many are there, whom nobody sends away, that the others find no room.
    const [admin] = await Promise.all(Array.from({ length: 12 }, administrator))
    await expectSound(sources, {
      begin: async () => admin?.query('SET GLOBAL max_connections = 10'),
      cut: async () => admin?.query('KILL USER clerk'),
      end: async () => admin?.query('SET GLOBAL max_connections = 151'),
      says: /Too many connections/,
    })
  })

  it('takes another password', async () => {
    const admin = await administrator()
    await expectSound(sources, {
      begin: () => admin.query("ALTER USER clerk@'%' IDENTIFIED BY 'other'"),
      cut: () => admin.query('KILL USER clerk'),
      end: () => admin.query("ALTER USER clerk@'%' IDENTIFIED BY 'hunter2'"),
      says: /Access denied for user 'clerk'/,
    })
  })

  it('takes no more writes', async () => {
    const admin = await administrator()
    await expectSound(sources, {
      begin: () => admin.query('SET GLOBAL read_only = 1'),
      end: () => admin.query('SET GLOBAL read_only = 0'),
      says: /read-only option/,
    })
  })

  it('stands still', () =>
    expectSound(sources, {
      begin: async () => database.server.pause(),
      end: async () => database.server.resume(),
      says: /did not answer/,
    }))
})

describeWith([REDIS_7], 'what four processes are refused, by Redis', () => {
  let redis: RedisServers
  let admin: Redis
  let sources: StoreSource[]
  beforeAll(async () => {
    redis = await standaloneRedis(REDIS_7, '--requirepass', 'right')
    const [port = 0] = redis.servers.keys()
    admin = new Redis(port, { password: 'right' })
    sources = mixed({ kind: 'standalone', port, password: 'right' })
  })
  afterAll(async () => {
    admin?.disconnect()
    await redis?.stop()
  })

  const cut = () => admin.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'YES')

  it('has no connection left', () =>
    expectSound(sources, {
      begin: () => admin.config('SET', 'maxclients', '1'),
      cut,
      end: () => admin.config('SET', 'maxclients', '1000'),
      says: /max number of clients|did not answer/,
    }))

  it('takes another password', () =>
    expectSound(sources, {
      begin: () => admin.config('SET', 'requirepass', 'other'),
      cut,
      end: () => admin.config('SET', 'requirepass', 'right'),
      says: /WRONGPASS|did not answer/,
    }))

  it('has no memory left', () =>
    expectSound(sources, {
      begin: () => admin.config('SET', 'maxmemory', '1'),
      end: () => admin.config('SET', 'maxmemory', '0'),
      says: /OOM command not allowed/,
    }))

  it.runIf(mayMount())('has no disk left', async () => {
    const disk = smallDisk(8_000_000)
    const full = join(disk, 'ballast')
    const { target } = await ofTest(standaloneRedis(REDIS_7, '--appendonly', 'yes', '--dir', disk))
    await expectSound(mixed(target), {
      begin: async () => fill(full),
      end: async () => rmSync(full),
      says: /MISCONF Errors writing to the AOF file: No space left on device/,
    })
  })
})
