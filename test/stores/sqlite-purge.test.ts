import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { StoredEntry } from '../../src/store.ts'
import { type SqliteValue, sqliteSchema, sqliteStore } from '../../src/stores/sqlite.ts'
import { DRIVERS, openDatabase } from './databases.ts'
import { folderOfTest } from './temporary.ts'

const DAY = 86_400_000

describe.each(DRIVERS)('purges, with %s', (driver) => {
  async function site() {
    const time = { now: Date.UTC(2027, 0, 1) }
    const database = await openDatabase(driver, join(folderOfTest(), 'sessions.db'))
    const store = sqliteStore(database, { clock: () => time.now })
    const entry = (days: number) => ({ value: '{}', userId: undefined, expiresAt: time.now + days * DAY })
    return {
      time,
      database,
      store,
      create: (key: string, days: number) => store.create(key, entry(days)),
      async live(key: string, days: number) {
        const { version } = (await store.read(key)) as StoredEntry
        await store.update(key, entry(days), version)
      },
      entries: () => database.prepare('SELECT purge_at AS at, id FROM sessions_purge').all(),
    }
  }

  it('leave alone who came back in time, whose visits have changed nothing but their own row', async () => {
    const { time, store, create, live, entries } = await site()
    await Promise.all([create('gone', 14), create('back', 14)])
    const before = entries()
    expect(before).toHaveLength(2)
    for (let day = 1; day <= 10; day++) {
      time.now += DAY
      await live('back', 14)
    }
    expect(entries()).toEqual(before)
    time.now += 4 * DAY
    expect(await store.purge(500)).toBe(1)
    expect(await store.read('back')).toBeDefined()
    expect(entries()).toMatchObject([{ at: time.now + 10 * DAY }])
    expect(await store.purge(500)).toBe(0)
    time.now += 10 * DAY
    expect(await store.purge(500)).toBe(1)
    expect(entries()).toEqual([])
  })

  it('find those whose life was shortened, and whom the application has removed', async () => {
    const { time, store, create, live, database, entries } = await site()
    await Promise.all([create('shortened', 14), create('signed out', 14), create('by hand', 14)])
    await live('shortened', 1)
    await store.delete('signed out')
    database.exec("DELETE FROM sessions WHERE key = 'by hand'")
    time.now += DAY - 1
    expect(await store.purge(500)).toBe(0)
    time.now += 1
    expect(await store.purge(500)).toBe(1)
    time.now += 13 * DAY
    expect(await store.purge(500)).toBe(0)
    expect(entries()).toEqual([])
  })

  it('come to an end among many who came back, and remove no more than they are told', async () => {
    const { time, store, create, live } = await site()
    const keys = Array.from({ length: 150 }, (_, i) => `key ${i}`)
    await Promise.all(keys.map((key) => create(key, 14)))
    time.now += DAY
    await Promise.all(keys.filter((_, i) => i % 3 > 0).map((key) => live(key, 14)))
    time.now += 13 * DAY
    expect(await store.purge(30)).toBe(30)
    expect(await store.purge(500)).toBe(20)
    time.now += DAY
    expect(await store.purge(500)).toBe(100)
  })

  it('find each row after a dump was read in again, which leaves out what numbers rows had beside their columns', async () => {
    const { time, store, create, database } = await site()
    await Promise.all(['signed out', 'one', 'two'].map((key, i) => create(key, [30, 1, 2][i] as number)))
    await store.delete('signed out')
    const copy = await openDatabase(driver, ':memory:')
    copy.exec(sqliteSchema())
    for (const table of ['sessions', 'sessions_purge']) {
      for (const row of database.prepare(`SELECT * FROM ${table}`).all() as Record<string, SqliteValue>[]) {
        const values = Object.values(row)
        copy.prepare(`INSERT INTO ${table} VALUES (${values.map(() => '?').join()})`).run(...values)
      }
    }
    const copied = sqliteStore(copy, { clock: () => time.now })
    time.now += DAY
    expect(await copied.purge(500)).toBe(1)
    expect(await copied.read('two')).toBeDefined()
    time.now += DAY
    expect(await copied.purge(500)).toBe(1)
  })
})
