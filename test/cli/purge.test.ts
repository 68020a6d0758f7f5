import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, it } from 'vitest'
import type { Store } from '../../src/store.ts'
import { sqliteStore } from '../../src/stores/sqlite.ts'
import { EMBEDDED, sojourn, temporaryFolder } from './sojourn.ts'

const folder = temporaryFolder()

async function fill(store: Store, expired: number, live: number): Promise<void> {
  const now = Date.now()
  const entry = { value: 'x', userId: undefined }
  const writes = Array.from({ length: expired + live }, (_, i) =>
    store.create(`key-${i}`, { ...entry, expiresAt: i < expired ? now + 1 : now + 3_600_000 }),
  )
  await Promise.all(writes)
  await new Promise((resolve) => setTimeout(resolve, 5))
}

describe.each(EMBEDDED)('sojourn purge of a store of %s', (scheme, open) => {
  it('removes what has expired and leaves the rest', async () => {
    const path = join(folder, `purge-${scheme}`)
    const url = `${scheme}:${path}`
    const store = open(path)
    await fill(store, 1203, 7)
    expect(await sojourn(['purge', url])).toEqual({
      code: 0,
      stdout: '1,203 expired sessions removed\n',
      // On a busy machine it may take so long that it tells how far it is.
      stderr: expect.stringMatching(/^([\d,]+ expired sessions removed so far\n)*$/),
    })
    expect(await store.read('key-1209')).toBeDefined()
    expect(await sojourn(['purge', url, '--json'])).toEqual({
      code: 0,
      stdout: '{"removed":0,"complete":true}\n',
      stderr: '',
    })
    await store.close?.()
  })

  it('makes nothing where there is nothing', async () => {
    const missing = join(folder, `missing-${scheme}`)
    for (const command of [
      ['purge', `${scheme}:${missing}`],
      ['inspect', `${scheme}:${missing}`, 'A'.repeat(22)],
    ]) {
      const { code, stderr } = await sojourn(command)
      expect(stderr).toMatch(/^sojourn: There is no (database|folder) at .*\n$/)
      expect(code).toBe(1)
    }
    const again = await sojourn(['purge', `${scheme}:${missing}`])
    expect(again.code).toBe(1)
  })
})

describe('a long purge', () => {
  it('tells how far it is, and stops between two batches at Ctrl-C', async () => {
    const path = join(folder, 'long.db')
    const store = sqliteStore(path)
    await fill(store, 0, 1)
    // Rows that take a while to remove: many, each with a trigger that computes.
    const database = new DatabaseSync(path)
    const rows = 12_000
    database.exec(`
      WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${rows})
      INSERT INTO sessions (key, value, version, user_id, expires_at) SELECT 'old-' || i, 'x', 1, NULL, i FROM n;
      INSERT OR IGNORE INTO sessions_purge SELECT expires_at, id FROM sessions;
      CREATE TRIGGER slow AFTER DELETE ON sessions BEGIN
        SELECT count(*) FROM (WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000) SELECT i FROM n);
      END`)

    const { code, stdout, stderr } = await sojourn(['purge', `sqlite:${path}`], (child) => {
      child.stderr?.once('data', () => child.kill('SIGINT'))
    })
    expect(stderr).toMatch(/^[\d,]+ expired sessions removed so far\n/)
    const [, told = ''] =
      /^Stopped: ([\d,]+) expired sessions removed, more may be left\n$/.exec(stdout) ?? []
    expect(code).toBe(130)

    const { left } = database.prepare('SELECT count(*) AS left FROM sessions').get() as { left: number }
    expect(rows + 1 - left).toBe(Number(told.replaceAll(',', '')))
    expect(left).toBeGreaterThan(1)
    database.exec('DROP TRIGGER slow')
    // Another one goes on from there, and with --json says nothing before its result.
    expect(await sojourn(['purge', `sqlite:${path}`, '--json'])).toEqual({
      code: 0,
      stdout: `${JSON.stringify({ removed: left - 1, complete: true })}\n`,
      stderr: '',
    })
    expect(database.prepare('PRAGMA integrity_check').get()).toEqual({ integrity_check: 'ok' })
    database.close()
    await store.close()
  })
})

describe('a database that is none of ours', () => {
  it('that is no database at all', async () => {
    const path = join(folder, 'text.db')
    writeFileSync(path, 'Dear diary, this is a text of more than a hundred bytes. '.repeat(20))
    const { code, stderr } = await sojourn(['purge', `sqlite:${path}`])
    expect(stderr).toBe(`sojourn: ${path} cannot be read: file is not a database\n`)
    expect(code).toBe(1)
  })

  it('with another table, or none, is left as it is', async () => {
    const path = join(folder, 'other.db')
    const database = new DatabaseSync(path)
    database.exec(
      "CREATE TABLE sessions (id INTEGER PRIMARY KEY, film TEXT); INSERT INTO sessions (film) VALUES ('Solaris')",
    )
    const other = await sojourn(['purge', `sqlite:${path}`])
    expect(other.stderr).toBe(
      `sojourn: The table "sessions" in ${path} holds no sessions: it has no column "key"\n`,
    )
    const none = await sojourn(['purge', `sqlite:${path}?table=visits`])
    expect(none.stderr).toBe(`sojourn: There is no table "visits" in ${path}\n`)
    expect([other.code, none.code]).toEqual([1, 1])

    expect(database.prepare('SELECT name FROM sqlite_schema').all()).toEqual([{ name: 'sessions' }])
    expect(database.prepare('PRAGMA journal_mode').get()).toEqual({ journal_mode: 'delete' })
    database.close()
  })

  it('that is a folder', async () => {
    const { code, stderr } = await sojourn(['purge', `sqlite:${folder}`])
    expect(stderr).toBe(`sojourn: ${folder} is a folder, not a database\n`)
    expect(code).toBe(1)
  })
})

describe('a folder that is none of ours', () => {
  it('is left as it is', async () => {
    const path = join(folder, 'letters')
    mkdirSync(path)
    writeFileSync(join(path, 'letter.txt'), 'Dear Ada')
    const { code, stderr } = await sojourn(['purge', `file:${path}`])
    expect(stderr).toBe(`sojourn: The folder ${path} holds no sessions\n`)
    expect(code).toBe(1)
    expect(readdirSync(path)).toEqual(['letter.txt'])

    const file = await sojourn(['purge', `file:${join(path, 'letter.txt')}`])
    expect(file.stderr).toBe(`sojourn: ${join(path, 'letter.txt')} is not a folder\n`)
  })
})
