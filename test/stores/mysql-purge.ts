import { createConnection } from 'mysql2/promise'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { Version } from '../../src/store.ts'
import { type MysqlStatement, type MysqlValue, mysqlSchema, mysqlStore } from '../../src/stores/mysql.ts'
import { openMysqlUrl } from '../../src/stores/mysql-url.ts'
import { type Database, SCHEMA } from '../servers/mysql.ts'
import { CLIENTS, openClient } from './mysql-clients.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
/** The beginning of a minute. */
const START = 30_000_000 * MINUTE

/** What purges look at, remove, and put off. */
export function describePurge(name: string, database: () => Database): void {
  describe(`purges of ${name}`, () => {
    let tables = 0

    /** A store with a clock of its own, and what its table holds. */
    function open(name = 'mysql2', odd = false) {
      const { client, end } = openClient(name, { port: database().port, limit: 4, odd })
      onTestFinished(end)
      const table = `purge ${++tables}`
      const time = { now: START, looks: Number.POSITIVE_INFINITY }
      const clock = () => {
        if (time.looks-- === 0) throw new Error('The clock was looked at too often')
        return time.now
      }
      const store = mysqlStore(client, { table, clock })
      const minutes = async (): Promise<Record<string, number>> => {
        const sql = `SELECT CONVERT(\`key\` USING utf8mb4) AS k, purge_minute AS m FROM \`${table}\``
        const [, rows] = await database().administer(`USE ${SCHEMA}`, sql)
        return Object.fromEntries((rows as { k: string; m: number }[]).map(({ k, m }) => [k, m]))
      }
      return { store, table, time, minutes }
    }

    type Opened = ReturnType<typeof open>

    async function extend({ store }: Opened, key: string, version: Version, expiresAt: number) {
      const result = await store.update(key, entry(expiresAt), version)
      if (!result || !('version' in result)) throw new Error('The update has written nothing')
      return result.version
    }

    async function create({ store }: Opened, key: string, expiresAt: number): Promise<Version> {
      const version = await store.create(key, entry(expiresAt))
      if (version === undefined) throw new Error('The key is taken')
      return version
    }

    it.each(CLIENTS)('leave an extension its old minute, until that has come, with %s', async (name) => {
      for (const odd of [false, true]) {
        const opened = open(name, odd)
        const { store, time, minutes } = opened
        let version = await create(opened, 'key', START + HOUR)
        for (let i = 1; i <= 5; i++) {
          time.now += 10 * MINUTE
          version = await extend(opened, 'key', version, time.now + HOUR)
          expect(await minutes()).toEqual({ key: (START + HOUR) / MINUTE })
        }
        expect(await store.purge(10)).toBe(0)
        expect(await minutes()).toEqual({ key: (START + HOUR) / MINUTE })
        time.now = START + HOUR
        expect(await store.purge(10)).toBe(0)
        expect(await minutes()).toEqual({ key: (START + 50 * MINUTE + HOUR) / MINUTE })
        expect(await store.read('key')).toEqual({ ...entry(START + 50 * MINUTE + HOUR), version })
        time.now = START + 50 * MINUTE + HOUR
        expect(await store.purge(10)).toBe(1)
        expect(await minutes()).toEqual({})
      }
    })

    it('come in time for a life that was shortened, and for a successor', async () => {
      const opened = open()
      const { store, time, minutes } = opened
      const version = await create(opened, 'short', START + HOUR)
      await extend(opened, 'short', version, START + 2 * MINUTE + 1)
      await create(opened, 'successor', START + 1)
      time.now++
      await create(opened, 'successor', START + HOUR)
      const minute = START / MINUTE
      expect(await minutes()).toEqual({ short: minute + 2, successor: minute + 60 })
      time.now = START + 2 * MINUTE
      expect(await store.purge(10)).toBe(0)
      time.now++
      expect(await store.purge(10)).toBe(1)
      expect(await minutes()).toEqual({ successor: minute + 60 })
    })

    it('come to an end, whatever lives on in the same minute', async () => {
      const opened = open()
      const { store, time } = opened
      for (let i = 0; i < 250; i++) await create(opened, `key ${i}`, START + MINUTE + 10 + (i % 5))
      // A purge looks at the clock whenever it looks for more.
      time.looks = 20
      time.now = START + MINUTE + 9
      expect(await store.purge(1000)).toBe(0)
      time.now = START + MINUTE + 10
      expect(await store.purge(1000)).toBe(50)
      time.now = START + MINUTE + 13
      expect(await store.purge(1000)).toBe(150)
      expect(await store.purge(1000)).toBe(0)
      expect((await store.read('key 4'))?.expiresAt).toBe(START + MINUTE + 14)
    })

    it('remove as many as they are told, however many live on in between', async () => {
      const opened = open()
      const { store, time, minutes } = opened
      for (let i = 0; i < 300; i++) {
        const version = await create(opened, `key ${i}`, START + MINUTE)
        if (i % 3 > 0) await extend(opened, `key ${i}`, version, START + HOUR + i * MINUTE)
      }
      time.now = START + MINUTE
      expect(await store.purge(60)).toBe(60)
      expect(await store.purge(60)).toBe(40)
      expect(await store.purge(60)).toBe(0)
      const left = Object.entries(await minutes())
      expect(left).toHaveLength(200)
      for (const [key, minute] of left) expect(minute).toBe(START / MINUTE + 60 + Number(key.slice(4)))
    })

    it.each(CLIENTS)('know instants of every size, with %s', async (name) => {
      const opened = open(name)
      const { store, minutes } = opened
      for (const [key, instant] of Object.entries({ long: Number.MAX_SAFE_INTEGER, old: 1, older: -1 })) {
        await create(opened, key, instant)
      }
      const version = await create(opened, 'extended', START + 1)
      await extend(opened, 'extended', version, Number.MAX_SAFE_INTEGER)
      opened.time.now++
      expect(await store.purge(10)).toBe(2)
      const last = 2 ** 31 - 1
      expect(await minutes()).toEqual({ long: last, extended: last })
      expect(await store.purge(10)).toBe(0)
    })

    it('spare what is extended while they are at work', async () => {
      const opened = open()
      const { time, table, minutes } = opened
      const version = await create(opened, 'extended', START + MINUTE)
      await create(opened, 'old', START + MINUTE)
      const connection = await createConnection({
        host: '127.0.0.1',
        port: database().port,
        user: 'root',
        database: SCHEMA,
      })
      onTestFinished(() => connection.destroy())
      const client = {
        async execute(statement: MysqlStatement, values: MysqlValue[]) {
          if (statement.sql.includes('DELETE')) {
            const now = time.now--
            await extend(opened, 'extended', version, START + HOUR)
            time.now = now
          }
          return connection.execute(statement, values)
        },
      }
      time.now = START + MINUTE
      const other = mysqlStore(client, { table, clock: () => time.now })
      expect(await other.purge(10)).toBe(1)
      expect((await other.read('extended'))?.expiresAt).toBe(START + HOUR)
      expect(await other.purge(10)).toBe(0)
      expect(await minutes()).toEqual({ extended: (START + HOUR) / MINUTE })
    })

    it.each(['mysql', 'mariadb'])(
      'say what to do with a table that has no such column, by %s://',
      async (scheme) => {
        const schema = mysqlSchema(`without ${scheme}`).replace(/^.*purge_minute.*\n/gm, '')
        await database().administer(`USE ${SCHEMA}`, schema)
        const url = `${scheme}://root:@127.0.0.1:${database().port}/${SCHEMA}?table=without%20${scheme}&connectionLimit=2`
        const store = await openMysqlUrl(url)
        onTestFinished(() => store.close())
        const failure =
          /Unknown column 'purge_minute'.*; the table needs the columns that "sojourn schema mysql" prints$/
        await expect(store.missing?.()).rejects.toThrow(failure)
        await expect(store.create('key', entry(Date.now() + HOUR))).rejects.toThrow(failure)
        await expect(store.purge(10)).rejects.toThrow(failure)
      },
    )
  })
}

function entry(expiresAt: number) {
  return { value: '{}', expiresAt, userId: undefined }
}
