import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { siteOfTests } from './site-of-tests.ts'
import { visits, visitsAtOnce } from './visitor.ts'

const stores = [
  ['memory', () => 'memory'],
  ['sqlite', (dir: string) => `sqlite:${join(dir, 'elsewhere/sessions.db')}`],
  ['file', (dir: string) => `file:${join(dir, 'sessions')}`],
] as const

describe.each(stores)('the pages, with sessions in %s', (kind, storeIn) => {
  const site = siteOfTests((folder) => ({ SESSION_STORE: storeIn(folder) }))

  it('counts the visits of each visitor', async () => {
    const first = site.newVisitor()
    const second = site.newVisitor()
    expect(visits(await first.open('/'))).toBe(1)
    expect(visits(await first.open('/'))).toBe(2)
    expect(visits(await second.open('/'))).toBe(1)
    expect(visits(await first.open('/'))).toBe(3)
  })

  it('counts 100 parallel visits of one visitor exactly', async () => {
    const visitor = site.newVisitor()
    await visitor.open('/')
    expect(await visitsAtOnce(visitor, 100)).toEqual(Array.from({ length: 100 }, (_, index) => index + 2))
    expect(visits(await visitor.open('/'))).toBe(102)
  })

  if (kind !== 'memory') {
    it('goes on counting after a restart', async () => {
      const visitor = site.newVisitor()
      await visitor.open('/')
      expect(await site.restart('SIGINT')).toBe(0)
      expect(visits(await visitor.open('/'))).toBe(2)
    })
  }

  it('gives a new id and keeps the basket at sign-in, and forgets all at sign-out', async () => {
    const visitor = site.newVisitor()
    await visitor.send('/basket/add', { book: 'middlemarch' })
    const before = visitor.cookie
    expect(await visitor.signIn('ada')).toContain('Welcome, Ada.')
    expect(visitor.cookie).not.toBe(before)
    expect(await visitor.open('/basket')).toContain('Middlemarch')

    const thief = site.newVisitor()
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
      const response = await site.newVisitor().post('/sign-in', { name, password: 'guess' })
      expect(response.status).toBe(422)
      expect(response.headers.getSetCookie()).toEqual([])
      return (await response.text()).replace(/value="(ada|nobody)"/, '')
    }
    expect(await attempt('ada')).toBe(await attempt('nobody'))
  })

  it('shows a message once', async () => {
    const visitor = site.newVisitor()
    expect(await visitor.send('/basket/add', { book: 'emma' })).toContain('Emma is in your basket.')
    expect(await visitor.open('/books/emma')).not.toContain('Emma is in your basket.')
  })

  it('keeps every book that is put into the basket at the same time', async () => {
    const visitor = site.newVisitor()
    await visitor.open('/')
    const books = ['dracula', 'walden', 'candide', 'utopia', 'hamlet']
    await Promise.all(books.map((book) => visitor.send('/basket/add', { book })))
    expect((await visitor.open('/basket')).match(/class="title-cell"/g)).toHaveLength(books.length)
  })

  it('lends a copy to one reader, and takes it back from that reader alone', async () => {
    const ada = site.newVisitor()
    const grace = site.newVisitor()
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
    const ada = site.newVisitor()
    const elsewhere = site.newVisitor()
    const grace = site.newVisitor()
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
