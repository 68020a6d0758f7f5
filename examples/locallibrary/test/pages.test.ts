import { existsSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { runUntilExit } from './running-site.ts'
import { siteOfTests } from './site-of-tests.ts'
import { type Visitor, visits } from './visitor.ts'

describe('the site', () => {
  const site = siteOfTests((folder) => ({ SESSION_STORE: `file:${join(folder, 'sessions')}` }))
  let visitor: Visitor
  beforeAll(() => {
    visitor = site.newVisitor()
  })

  it('finds books by words of title and author, whatever their accents', async () => {
    expect(await visitor.open('/books?q=bronte+eyre')).toContain('Jane Eyre')
    expect(await visitor.open('/books?q=capek')).toContain('R.U.R.')
    expect(await visitor.open('/books?q=%25')).toContain('No book matches')
    expect(await visitor.open('/books?genre=nature')).toContain('4 books')
  })

  it('shows every book, author and genre that it lists', async () => {
    const paths = new Set<string>()
    for (const list of [
      '/authors',
      '/genres',
      ...Array.from({ length: 9 }, (_, i) => `/books?page=${i + 1}`),
    ]) {
      for (const [, path] of (await visitor.open(list)).matchAll(
        /href="(\/(?:books|authors|genres)\/[^"]+)"/g,
      )) {
        if (path) paths.add(path)
      }
    }
    expect(paths.size).toBeGreaterThan(350)
    for (const path of paths) expect((await visitor.request(path)).status, path).toBe(200)
  })

  it('escapes what visitors type', async () => {
    const page = await visitor.open(`/books?q=${encodeURIComponent('"><script>alert(1)</script>')}`)
    expect(page).not.toContain('<script')
    expect(page).toContain('&lt;script')
  })

  it('answers what does not exist with a 404 page', async () => {
    for (const path of [
      '/nowhere',
      '/books/none',
      '/authors/none',
      '/genres/none',
      '/books?page=99',
      '/books/%00',
    ]) {
      const response = await visitor.request(path)
      expect(response.status, path).toBe(404)
      expect(await response.text()).toContain('<h1>Not found</h1>')
    }
    expect((await visitor.request('/books/%ff')).status).toBe(400)
  })

  it('refuses forms that other sites send', async () => {
    const form = { book: 'emma' }
    const refused = [
      { 'sec-fetch-site': 'cross-site' },
      { 'sec-fetch-site': 'same-site' },
      { origin: 'null' },
    ]
    for (const headers of [...refused, { origin: 'http://evil.example' }]) {
      const response = await visitor.post('/basket/add', form, headers as Record<string, string>)
      expect(response.status, JSON.stringify(headers)).toBe(403)
    }
    expect((await visitor.post('/basket/add', form, { 'sec-fetch-site': 'same-origin' })).status).toBe(303)
  })

  it('sends readers to its own pages only', async () => {
    const elsewhere = [
      '//evil.example',
      '/\\evil.example',
      'http://evil.example/',
      '/\t/evil.example',
      '/.//evil.example',
    ]
    for (const next of elsewhere) {
      const response = await site.newVisitor().post('/sign-in', {
        name: 'ada',
        password: 'difference-engine',
        next,
      })
      expect(response.headers.get('location'), next).toBe('/')
    }
  })

  it('forbids scripts and frames, and gives no cookie for a style sheet', async () => {
    const response = await site.newVisitor().request('/style.css')
    expect(response.headers.get('content-security-policy')).toContain("default-src 'none'")
    expect(response.headers.get('x-content-type-options')).toBe('nosniff')
    expect(response.headers.getSetCookie()).toEqual([])
  })

  it('gives no cookie to a visitor for whom nothing is stored', async () => {
    expect((await site.newVisitor().request('/books')).headers.getSetCookie()).toEqual([])
  })

  it('answers 503 while the store is down, with the same look, and goes on when it is back', async () => {
    const reader = site.newVisitor()
    await reader.open('/')
    const sessions = join(site.folder, 'sessions')
    expect(existsSync(sessions)).toBe(true)
    rmSync(sessions, { recursive: true })
    writeFileSync(sessions, 'in the way')
    const response = await site.newVisitor().request('/')
    expect(response.status).toBe(503)
    expect(response.headers.getSetCookie()).toEqual([])
    expect(await response.text()).toContain('cannot reach its records')
    rmSync(sessions)
    expect(visits(await site.newVisitor().open('/'))).toBe(1)
  })

  it('says in one line what is wrong with a setting', async () => {
    const wrong = [
      [{ SESSION_STORE: 'redis' }, 'SESSION_STORE cannot be opened.'],
      [{ SESSION_STORE: 'sqlite:' }, 'SESSION_STORE cannot be opened.'],
      [{ PORT: 'http' }, 'PORT must be'],
      [{ PORT: site.port }, `Port ${site.port} is taken`],
      [{ SESSION_STORE: `sqlite:${site.folder}` }, 'SESSION_STORE cannot be opened.'],
      [{ SESSION_STORE: `sqlite:${import.meta.filename}` }, 'SESSION_STORE cannot be opened.'],
      [{ SESSION_STORE: `file:${import.meta.filename}` }, 'SESSION_STORE cannot be opened.'],
      [{ DATA_DIR: import.meta.filename, SESSION_STORE: 'memory' }, 'The catalogue cannot be opened.'],
    ] as const
    for (const [setting, message] of wrong) {
      const { code, output } = await runUntilExit({ ...site.settings, ...setting })
      expect(code, message).toBe(1)
      expect(output.trim().split('\n'), message).toHaveLength(1)
      expect(output).toContain(message)
    }
  })
})
