import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { blocksOf } from '../../../scripts/page-blocks.ts'
import { Browser } from '../../../src/testing/browser.ts'
import { serve } from '../../package/follow.ts'
import { type MetaSite, SITES } from './sites.ts'

// Sites as their pages of the documentation have them: built, and served on real HTTP as in production.

const DOCS = join(import.meta.dirname, '../../../docs/frameworks')

/** What a part of the page has in it, by the names of its files. */
function filesOf({ page, from, to }: MetaSite): Record<string, string> {
  const text = readFileSync(join(DOCS, page), 'utf8')
  const [, rest = ''] = text.split(from)
  const [part = ''] = rest.split(to)
  return Object.fromEntries(blocksOf(part).flatMap(({ name, code }) => (name ? [[name, code]] : [])))
}

/** The sessions of the first page, which are kept where this process can look. */
function sessionsFile(): string {
  const [first] = blocksOf(readFileSync(join(DOCS, 'full-stack.md'), 'utf8'))
  return first?.code ?? ''
}

/** The numeral on a page, in whatever markup. */
function visitsOn({ body }: { body: string }): number {
  return Number(/You have visited this page (\d+) times/.exec(body.replaceAll(/<!--.*?-->/g, ''))?.[1])
}

describe.each(Object.entries(SITES))('%s', (_, given) => {
  let folder: string
  let site: Awaited<ReturnType<typeof serve>>

  beforeAll(async () => {
    const dist = join(import.meta.dirname, '..', given.packages ?? 'meta', 'dist')
    mkdirSync(dist, { recursive: true })
    folder = mkdtempSync(join(dist, 'site-'))
    const files = { 'package.json': '{ "type": "module" }', 'sessions.ts': sessionsFile() }
    for (const [name, code] of Object.entries({ ...files, ...given.files, ...filesOf(given) })) {
      mkdirSync(dirname(join(folder, name)), { recursive: true })
      writeFileSync(join(folder, name), code)
    }
    site = await serve(given.commands, folder, process.execPath)
  })
  afterAll(async () => {
    await site?.stop()
    rmSync(folder, { recursive: true })
  })

  const sql = (statement: string): unknown => {
    const database = new DatabaseSync(join(folder, 'sessions.db'), { timeout: 60_000 })
    try {
      return database.prepare(statement).get()
    } finally {
      database.close()
    }
  }
  const rows = () => sql('SELECT count(*) AS rows FROM sessions')
  const visits = async (visitor: Browser): Promise<number> => visitsOn(await visitor.get('/'))

  it('counts visits', async () => {
    const ann = new Browser(site.origin)
    const first = await ann.get('/')
    expect([first.status, first.setCookies.length, visitsOn(first)]).toEqual([200, 1, 1])
    for (const n of [2, 3]) expect(await visits(ann)).toBe(n)
    expect(await visits(new Browser(site.origin))).toBe(1)
  })

  it('loses none of 100 visits at once', async () => {
    const ann = new Browser(site.origin)
    await visits(ann)
    await Promise.all(Array.from({ length: 100 }, () => visits(ann)))
    expect(await visits(ann)).toBe(102)
  })

  it('has no cookie and no row for who stores nothing', async () => {
    const before = rows()
    const { status, setCookies } = await new Browser(site.origin).get('/read')
    expect([status, setCookies, rows()]).toEqual([200, [], before])
  })

  it('shows what is stored to who only reads it', async () => {
    const ann = new Browser(site.origin)
    for (const n of [1, 2]) expect(await visits(ann)).toBe(n)
    const { status, setCookies, body } = await ann.get('/read')
    expect([status, setCookies]).toEqual([200, []])
    expect(body).toContain('2 visits so far')
  })

  it.each([
    ['a redirect', '/redirect', 303],
    ['an error page', '/fails', given.fails],
  ])('saves before %s what a handler began, and what it changed', async (_answer, path, status) => {
    const ann = new Browser(site.origin)
    for (const cookies of [1, 0]) {
      const answer = await ann.get(path, { headers: { Accept: 'text/html' } })
      expect([answer.status, answer.setCookies.length]).toEqual([status, cookies])
    }
    expect(await visits(ann)).toBe(3)
  })

  it.each(given.data ?? [])('saves before its client gets what a page shows, by %s', async (path) => {
    const ann = new Browser(site.origin)
    for (const cookies of [1, 0]) expect((await ann.get(path)).setCookies.length).toBe(cookies)
    expect(await visits(ann)).toBe(3)
  })

  it('is an error without a cookie when the session cannot be saved', async () => {
    sql("CREATE TRIGGER refuses BEFORE INSERT ON sessions BEGIN SELECT RAISE(ABORT, 'refused'); END")
    const ann = new Browser(site.origin)
    const { status, setCookies } = await ann.get('/')
    expect(status).toBeGreaterThanOrEqual(500)
    expect(setCookies).toEqual([])
    sql('DROP TRIGGER refuses')
    expect(await visits(ann)).toBe(1)
  })
})
