import { Miniflare } from 'miniflare'
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import type { Entry, Version } from '../../src/store.ts'
import { type D1Client, type D1Store, d1Store } from '../../src/stores/d1.ts'
import { expectExactPurges } from '../stores/purge-property.ts'
import { describeOn } from './describe-on.ts'
import { WORKERD } from './workerd.ts'

// What D1 would bill, as its answers say: https://developers.cloudflare.com/d1/platform/pricing

const [MINUTE, HOUR] = [60_000, 3_600_000]
/** In the middle of a minute. */
const START = 30_000_000 * MINUTE + MINUTE / 2

describeOn(WORKERD, () => {
  let miniflare: Miniflare
  let database: D1Client
  beforeAll(async () => {
    const script = 'export default {}'
    miniflare = new Miniflare({ modules: true, script, d1Databases: { DB: 'sessions' } })
    database = (await miniflare.getD1Database('DB')) as unknown as D1Client
  })
  // It would keep the process alive.
  afterAll(() => miniflare?.dispose())

  let now: number
  let store: D1Store
  let written = 0
  beforeEach(async () => {
    await ask('DROP TABLE IF EXISTS sessions')
    now = START
    const client = counted(database, (rows) => (written += rows))
    store = d1Store(client, { clock: () => now })
    await store.create('another', entry({ expiresAt: now + 1000 * HOUR }))
  })

  type Rows = Record<string, unknown>[]
  async function ask(sql: string, ...values: (string | number)[]): Promise<Rows> {
    const statement = database.prepare(sql).bind(...values)
    return (await statement.all()).results as Rows
  }

  async function minuteOf(key: string): Promise<unknown> {
    const [row] = await ask('SELECT purge_minute FROM sessions WHERE key = ?', key)
    return row?.['purge_minute']
  }

  function entry(changes: Partial<Entry> = {}): Entry {
    return { value: '{}', expiresAt: now + HOUR, userId: undefined, ...changes }
  }

  async function create(key: string, changes?: Partial<Entry>): Promise<Version> {
    const version = await store.create(key, entry(changes))
    if (version === undefined) throw new Error('The key is taken')
    return version
  }

  async function update(key: string, changes: Partial<Entry>, version: Version): Promise<Version> {
    const result = await store.update(key, entry(changes), version)
    if (!result || !('version' in result)) throw new Error('Another update came first')
    return result.version
  }

  /** So many rows are written by that. */
  async function rows(work: () => Promise<unknown>): Promise<number> {
    written = 0
    await work()
    return written
  }

  it.each([
    { userId: undefined, created: 2 },
    { userId: 'ann', created: 3 },
  ])('an extension writes one row, as do other updates and a deletion, of user $userId', async (visitor) => {
    const { userId, created } = visitor
    let version: Version = 0
    const extend = (expiresAt: number) => async () => {
      version = await update('key', { value: '{"n":1}', userId, expiresAt }, version)
    }
    expect(await rows(async () => (version = await create('key', { userId })))).toBe(created)
    expect(await rows(extend(now + HOUR))).toBe(1)
    expect(await rows(extend(now + 2 * HOUR))).toBe(1)
    expect(await rows(() => store.read('key'))).toBe(0)
    expect(await rows(() => store.update('key', entry({ userId }), 'no version'))).toBe(0)
    expect(await rows(() => store.delete('key'))).toBe(1)
  })

  it('to sign in writes four rows, to sign out three', async () => {
    let version = await create('key')
    const bind = (userId?: string) => async () => (version = await update('key', { userId }, version))
    expect(await rows(bind('ann'))).toBe(4)
    expect(await rows(bind('bob'))).toBe(4)
    expect(await rows(bind(undefined))).toBe(3)
  })

  it('a purge writes one row for each that it removes, two for each that lives on, and none in vain', async () => {
    await create('gone', { expiresAt: now + MINUTE })
    const version = await create('lives', { userId: 'ann', expiresAt: now + MINUTE })
    await update('lives', { userId: 'ann', expiresAt: now + HOUR }, version)
    expect(await rows(() => store.purge(10))).toBe(0)
    now += MINUTE
    expect(await rows(() => store.purge(10))).toBe(1 + 2)
    expect(await rows(() => store.purge(10))).toBe(0)
    expect(await store.read('lives')).toMatchObject({ expiresAt: START + HOUR })
  })

  it('an extension leaves the minute of the purge alone, and a purge puts it to that of the expiry', async () => {
    const version = await create('key')
    const minute = Math.floor((now + HOUR) / MINUTE)
    await update('key', { expiresAt: now + HOUR + MINUTE }, version)
    expect(await minuteOf('key')).toBe(minute)
    now += HOUR + MINUTE - 1
    expect(await store.purge(10)).toBe(0)
    expect(await minuteOf('key')).toBe(minute + 1)
    now += 1
    expect(await store.purge(10)).toBe(1)
  })

  it('a life that was shortened is purged in time', async () => {
    const version = await create('key')
    expect(await rows(() => update('key', { expiresAt: now + 1 }, version))).toBe(3)
    expect(await store.purge(10)).toBe(0)
    now += 1
    expect(await store.purge(10)).toBe(1)
    expect(await minuteOf('key')).toBeUndefined()
  })

  it('a purge removes exactly what has expired among thousands that have not, some of them in this minute', async () => {
    const minute = Math.floor(now / MINUTE)
    const fill = (key: string, count: number, expiresAt: number, purgeMinute: number) =>
      ask(
        `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
         INSERT INTO sessions SELECT ? || i, '{}', i, NULL, ?, ? FROM n`,
        ...[count, key, expiresAt, purgeMinute],
      )
    await fill('b extended ', 1500, now + HOUR, minute - 2)
    await fill('a expired ', 1500, now - MINUTE, minute - 1)
    await fill('a in this minute ', 1500, now + 1, minute)
    await fill('b in this minute ', 300, now, minute)
    expect(await store.purge(1700)).toBe(1700)
    expect(await store.purge(1700)).toBe(100)
    expect(await store.purge(1700)).toBe(0)
    const left = 'SELECT substr(key, 1, 3) AS name, count(*) AS count FROM sessions GROUP BY 1 ORDER BY 1'
    expect(await ask(left)).toEqual([
      { name: 'a i', count: 1500 },
      { name: 'ano', count: 1 },
      { name: 'b e', count: 1500 },
    ])
    expect(await ask('SELECT min(purge_minute) AS first FROM sessions')).toEqual([{ first: minute }])
  })

  it('a purge removes exactly what has expired, whatever was done before', () =>
    expectExactPurges((clock) => d1Store(database, { table: 'by chance', clock })))

  it('a table that lacks a column is an error that names it', async () => {
    await ask('DROP INDEX sessions_purge_minute')
    await ask('ALTER TABLE sessions DROP COLUMN purge_minute')
    await expect(store.create('key', entry())).rejects.toThrow(
      'D1 failed: D1_ERROR: table sessions has no column named purge_minute',
    )
    for (const verb of [() => store.update('another', entry(), 1), () => store.purge(1)]) {
      await expect(verb()).rejects.toThrow('D1 failed: D1_ERROR: no such column: purge_minute')
    }
  })
})

type Statement = ReturnType<D1Client['prepare']>
type Answer = Awaited<ReturnType<Statement['all']>>

/** The same database, which tells how many rows each query has written. */
function counted(database: D1Client, tell: (rows: number) => void): D1Client {
  const inner = new WeakMap<Statement, Statement>()
  function note(answer: Answer): Answer {
    tell((answer.meta as unknown as { rows_written: number }).rows_written)
    return answer
  }
  function wrap(statement: Statement): Statement {
    const outer: Statement = {
      bind: (...values) => wrap(statement.bind(...values)),
      all: async () => note(await statement.all()),
    }
    inner.set(outer, statement)
    return outer
  }
  return {
    prepare: (sql) => wrap(database.prepare(sql)),
    batch: async (statements) =>
      (await database.batch(statements.map((outer) => inner.get(outer) ?? outer))).map(note),
  }
}
