import { describe, expect, it } from 'vitest'
import type { StoredEntry } from '../../src/store.ts'
import { sqliteSchema, sqliteStore } from '../../src/stores/sqlite.ts'
import { DRIVERS, openDatabase, type TestDatabase } from './databases.ts'

function entry(value = '{}') {
  return { value, expiresAt: Date.now() + 60_000, userId: undefined }
}

describe.each(DRIVERS)('the table, with %s', (driver) => {
  it('keeps the key of a session as the 16 bytes that it spells, and any other text as it is', async () => {
    const database = await openDatabase(driver, ':memory:')
    const store = sqliteStore(database)
    const spelled = 'Zz09-_Zz09-_Zz09-_Zz0w'
    // No 16 bytes are spelled like these: bits that are left over, one character too many, padding.
    const texts = ['Zz09-_Zz09-_Zz09-_Zz0x', 'Zz09-_Zz09-_Zz09-_Zz0ww', 'Zz09-_Zz09-_Zz09-_Z0w=', 'key']
    const user = 'al\0ice'
    for (const key of [spelled, ...texts]) {
      expect(await store.create(key, { ...entry(key), userId: user })).toBeDefined()
      expect(await store.create(key, entry('again'))).toBeUndefined()
    }
    for (const key of [spelled, ...texts]) {
      const { version, ...found } = (await store.read(key)) as StoredEntry
      expect(found).toMatchObject({ value: key, userId: user })
      expect(await store.update(key, { ...found, value: `${key}!` }, version)).toEqual({
        version: Number(version) + 1,
      })
    }
    const listed = await store.ofUser(user)
    expect(listed.map(({ key, value }) => [key, value])).toEqual(
      [spelled, ...texts].map((key) => [key, `${key}!`]),
    )
    const kept = database
      .prepare('SELECT length(key) AS bytes, typeof(key) AS type FROM sessions ORDER BY rowid')
      .all()
    expect(kept.slice(0, 2)).toMatchObject([
      { bytes: 16, type: 'blob' },
      { bytes: 22, type: 'text' },
    ])
    for (const key of [spelled, ...texts]) await store.delete(key)
    expect(await store.ofUser(user)).toEqual([])
  })

  async function statementsOf(database: TestDatabase): Promise<string[]> {
    const asked: string[] = []
    const prepare = (sql: string) => {
      asked.push(sql)
      return database.prepare(sql)
    }
    database.exec(sqliteSchema())
    const store = sqliteStore({ prepare, exec: (sql) => database.exec(sql) })
    await store.create('key', entry())
    return asked.filter((sql) => sql.includes('"sessions'))
  }

  it('changes no index where a visit is written', async () => {
    const database = await openDatabase(driver, ':memory:')
    const changes = (await statementsOf(database)).filter((sql) => sql.startsWith('UPDATE'))
    const steps = changes.map((sql) => {
      const values = Array.from(sql.matchAll(/\?/g), () => 1)
      const all = database.prepare(`EXPLAIN ${sql}`).all(...values) as { opcode: string }[]
      return all.filter(({ opcode }) => /^Idx(Insert|Delete)$/.test(opcode)).length
    })
    // The second one makes the session somebody else's.
    expect(steps).toEqual([0, 2])
  })

  it('finds each row by an index', async () => {
    const database = await openDatabase(driver, ':memory:')
    const statements = await statementsOf(database)
    expect(statements).toHaveLength(12)
    for (const sql of statements) {
      const values = Array.from(sql.matchAll(/\?/g), () => 1)
      const plan = database.prepare(`EXPLAIN QUERY PLAN ${sql}`).all(...values) as { detail: string }[]
      expect(plan.filter(({ detail }) => /^SCAN/.test(detail))).toEqual([])
      if (sql.includes('key = ?')) expect(plan.map(({ detail }) => detail).join()).toContain('(key=?)')
    }
  })
})
