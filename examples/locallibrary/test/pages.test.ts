import { existsSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { RunningSite, runUntilExit, tempFolder } from './running-site.ts'
import { Visitor, visits } from './visitor.ts'

const stores = [
  ['memory', () => 'memory'],
  ['sqlite', (dir: string) => `sqlite:${join(dir, 'elsewhere/sessions.db')}`],
  ['file', (dir: string) => `file:${join(dir, 'sessions')}`],
] as const

describe.each(stores)('the pages, with sessions in %s', (kind, storeIn) => {
  const folder = tempFolder()
  const env = { DATA_DIR: folder.path, SESSION_STORE: storeIn(folder.path) }
  let site: RunningSite
  const newVisitor = () => new Visitor(site.url)

  beforeAll(async () => {
    site = await RunningSite.start(env)
  })
  afterAll(async () => {
    await site.stop()
    folder.remove()
  })

  it('counts the visits of each visitor', async () => {
    const first = newVisitor()
    const second = newVisitor()
    expect(visits(await first.open('/'))).toBe(1)
    expect(visits(await first.open('/'))).toBe(2)
    expect(visits(await second.open('/'))).toBe(1)
    expect(visits(await first.open('/'))).toBe(3)
  })

  it('counts 100 parallel visits of one visitor exactly', async () => {
    const visitor = newVisitor()
    await visitor.open('/')
    const pages = await Promise.all(Array.from({ length: 100 }, () => visitor.open('/')))
    const printed = pages.map(visits).sort((a, b) => a - b)
    expect(printed).toEqual(Array.from({ length: 100 }, (_, index) => index + 2))
    expect(visits(await visitor.open('/'))).toBe(102)
  })

  if (kind !== 'memory') {
    it('goes on counting after a restart', async () => {
      const visitor = newVisitor()
      await visitor.open('/')
      const { port } = site
      expect(await site.stop('SIGINT')).toBe(0)
      site = await RunningSite.start({ ...env, PORT: port })
      expect(visits(await visitor.open('/'))).toBe(2)
    })
  }

  it('gives a new id and keeps the basket at sign-in, and forgets all at sign-out', async () => {
    const visitor = newVisitor()
    await visitor.send('/basket/add', { book: 'middlemarch' })
    const before = visitor.cookie
    expect(await visitor.signIn('ada')).toContain('Welcome, Ada.')
    expect(visitor.cookie).not.toBe(before)
    expect(await visitor.open('/basket')).toContain('Middlemarch')

    const thief = newVisitor()
    thief.cookie = before
    expect(await thief.open('/basket')).toContain('Your basket is empty')

    const signedIn = visitor.cookie
    expect(await visitor.send('/sign-out')).toContain('You are signed out.')
    thief.cookie = signedIn
    expect(await thief.open('/loans')).toContain('<h1>Sign in</h1>')
    expect(await visitor.open('/basket')).toContain('Your basket is empty')
  })

  it('tells a wrong name and a wrong password apart to nobody', async () => {
    const attempt = async (name: string) => {
      const response = await newVisitor().post('/sign-in', { name, password: 'guess' })
      expect(response.status).toBe(422)
      expect(response.headers.getSetCookie()).toEqual([])
      return (await response.text()).replace(/value="(ada|nobody)"/, '')
    }
    expect(await attempt('ada')).toBe(await attempt('nobody'))
  })

  it('shows a message once', async () => {
    const visitor = newVisitor()
    expect(await visitor.send('/basket/add', { book: 'emma' })).toContain('Emma is in your basket.')
    expect(await visitor.open('/books/emma')).not.toContain('Emma is in your basket.')
  })

  it('keeps every book that is put into the basket at the same time', async () => {
    const visitor = newVisitor()
    await visitor.open('/')
    const books = ['dracula', 'walden', 'candide', 'utopia', 'hamlet']
    await Promise.all(books.map((book) => visitor.send('/basket/add', { book })))
    expect((await visitor.open('/basket')).match(/class="title-cell"/g)).toHaveLength(books.length)
  })

  it('lends a copy to one reader, and takes it back from that reader alone', async () => {
    const ada = newVisitor()
    const grace = newVisitor()
    await ada.signIn('ada')
    await grace.signIn('grace')
    const copy = /Add copy (\S+) to/.exec(await ada.open('/books/jane-eyre'))?.[1] ?? ''
    await ada.send('/basket/add', { copy })
    await grace.send('/basket/add', { copy })

    expect(await ada.send('/basket/borrow')).toContain('1 copy borrowed')
    expect(await grace.send('/basket/borrow')).toContain('1 copy could not be borrowed')
    expect(await grace.send('/loans/return', { copy })).toContain('You do not have that copy.')
    expect(await ada.open('/loans')).toContain('Jane Eyre')
    expect(await ada.send('/loans/return', { copy })).toContain('Jane Eyre was returned.')
  })

  it("ends only the reader's own sessions", async () => {
    const ada = newVisitor()
    const elsewhere = newVisitor()
    const grace = newVisitor()
    await ada.signIn('ada')
    await elsewhere.signIn('ada')
    await grace.signIn('grace')

    const handles = (page: string) =>
      [...page.matchAll(/name="handle" value="([^"]+)"/g)].map((match) => match[1] ?? '')
    const gracesHandle = handles(await grace.open('/sessions'))[0] ?? ''
    expect(await ada.send('/sessions/revoke', { handle: gracesHandle })).toContain('already ended')
    expect(await grace.open('/loans')).toContain('<h1>My loans</h1>')

    await ada.send('/sessions/revoke-others')
    expect(await elsewhere.open('/loans')).toContain('<h1>Sign in</h1>')
    const list = handles(await ada.open('/sessions'))
    expect(list).toHaveLength(1)
    expect(await ada.send('/sessions/revoke', { handle: list[0] ?? '' })).toContain('You are signed out.')
    expect(await ada.open('/loans')).toContain('<h1>Sign in</h1>')
  })
})

describe('the site', () => {
  const folder = tempFolder()
  const env = { DATA_DIR: folder.path, SESSION_STORE: `file:${join(folder.path, 'sessions')}` }
  let site: RunningSite
  let visitor: Visitor

  beforeAll(async () => {
    site = await RunningSite.start(env)
    visitor = new Visitor(site.url)
  })
  afterAll(async () => {
    await site.stop()
    folder.remove()
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
      const response = await new Visitor(site.url).post('/sign-in', {
        name: 'ada',
        password: 'difference-engine',
        next,
      })
      expect(response.headers.get('location'), next).toBe('/')
    }
  })

  it('forbids scripts and frames, and gives no cookie for a style sheet', async () => {
    const response = await new Visitor(site.url).request('/style.css')
    expect(response.headers.get('content-security-policy')).toContain("default-src 'none'")
    expect(response.headers.get('x-content-type-options')).toBe('nosniff')
    expect(response.headers.getSetCookie()).toEqual([])
  })

  it('gives no cookie to a visitor for whom nothing is stored', async () => {
    expect((await new Visitor(site.url).request('/books')).headers.getSetCookie()).toEqual([])
  })

  it('answers 503 while the store is down, with the same look, and goes on when it is back', async () => {
    const reader = new Visitor(site.url)
    await reader.open('/')
    const sessions = join(folder.path, 'sessions')
    expect(existsSync(sessions)).toBe(true)
    rmSync(sessions, { recursive: true })
    writeFileSync(sessions, 'in the way')
    const response = await new Visitor(site.url).request('/')
    expect(response.status).toBe(503)
    expect(response.headers.getSetCookie()).toEqual([])
    expect(await response.text()).toContain('cannot reach its records')
    rmSync(sessions)
    expect(visits(await new Visitor(site.url).open('/'))).toBe(1)
  })

  it('says in one line what is wrong with a setting', async () => {
    const wrong = [
      [{ SESSION_STORE: 'redis' }, 'SESSION_STORE cannot be opened.'],
      [{ SESSION_STORE: 'sqlite:' }, 'SESSION_STORE cannot be opened.'],
      [{ PORT: 'http' }, 'PORT must be'],
      [{ PORT: site.port }, `Port ${site.port} is taken`],
      [{ SESSION_STORE: `sqlite:${folder.path}` }, 'SESSION_STORE cannot be opened.'],
      [{ SESSION_STORE: `sqlite:${import.meta.filename}` }, 'SESSION_STORE cannot be opened.'],
      [{ SESSION_STORE: `file:${import.meta.filename}` }, 'SESSION_STORE cannot be opened.'],
      [{ DATA_DIR: import.meta.filename, SESSION_STORE: 'memory' }, 'The catalogue cannot be opened.'],
    ] as const
    for (const [setting, message] of wrong) {
      const { code, output } = await runUntilExit({ ...env, ...setting })
      expect(code, message).toBe(1)
      expect(output.trim().split('\n'), message).toHaveLength(1)
      expect(output).toContain(message)
    }
  })
})
