import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { createSessions } from 'sojourn'
import { cookieStore } from 'sojourn/cookie'
import { nodeSession } from 'sojourn/node'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { hasChromium, launchChromium } from './chromium.ts'
import { runUntilExit } from './running-site.ts'
import { siteOfTests } from './site-of-tests.ts'
import { visits } from './visitor.ts'

/** A key, as `npx sojourn secret` prints it. */
function newKey(): string {
  return Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString('base64url')
}

describe.each(['no store at all', 'a revocation store'])(
  'the site, with sessions in cookies and %s',
  (kind) => {
    const revokes = kind === 'a revocation store'
    const key = newKey()
    const site = siteOfTests((folder) => ({
      SESSION_STORE: revokes ? `cookie:?revocation=sqlite:${join(folder, 'revoked.db')}` : 'cookie:',
      SESSION_KEYS: key,
    }))

    it('counts the visits of each visitor, and goes on after a restart and a change of keys', async () => {
      const visitor = site.newVisitor()
      const other = site.newVisitor()
      for (const count of [1, 2, 3]) expect(visits(await visitor.open('/'))).toBe(count)
      expect(visits(await other.open('/'))).toBe(1)
      expect(await site.restart('SIGTERM', { SESSION_KEYS: `${newKey()},${key}` })).toBe(0)
      expect(visits(await visitor.open('/'))).toBe(4)
      expect(visits(await other.open('/'))).toBe(2)
    })

    it('gives a new cookie and keeps the basket at sign-in, and forgets all at sign-out', async () => {
      const visitor = site.newVisitor()
      expect(await visitor.send('/basket/add', { book: 'middlemarch' })).toContain(
        'Middlemarch is in your basket.',
      )
      const before = site.newVisitor()
      before.cookie = visitor.cookie
      expect(await visitor.signIn('ada')).toContain('Welcome, Ada.')
      expect(await visitor.open('/basket')).toContain('Middlemarch')
      const signedIn = site.newVisitor()
      signedIn.cookie = visitor.cookie
      expect(await visitor.send('/sign-out')).toContain('You are signed out.')
      expect(await visitor.open('/basket')).toContain('Your basket is empty')
      // What a copy of a cookie still opens is the difference that the revocation store makes.
      const basket = revokes ? 'Your basket is empty' : 'Middlemarch'
      expect(await before.open('/basket')).toContain(basket)
      expect(await signedIn.open('/loans')).toContain(revokes ? '<h1>Sign in</h1>' : '<h1>My loans</h1>')
    })

    it('shows the one session that it knows of, and ends the others where it can', async () => {
      const [ada, elsewhere] = [site.newVisitor(), site.newVisitor()]
      await ada.signIn('ada')
      await elsewhere.signIn('ada')
      const page = await ada.open('/sessions')
      expect([...page.matchAll(/name="handle" value=/g)]).toHaveLength(1)
      expect(page).toContain('keeps no list')
      expect(page.includes('Sign out everywhere else')).toBe(revokes)
      const ended = await ada.send('/sessions/revoke-others')
      expect(ended).toContain(revokes ? 'All other sessions ended.' : 'end by themselves only')
      expect(await elsewhere.open('/loans')).toContain(revokes ? '<h1>Sign in</h1>' : '<h1>My loans</h1>')
      const handle = /name="handle" value="([^"]+)"/.exec(await ada.open('/sessions'))?.[1] ?? ''
      expect(await ada.send('/sessions/revoke', { handle })).toContain('You are signed out.')
      expect(await ada.open('/loans')).toContain('<h1>Sign in</h1>')
    })

    it('says in one line what is wrong with the keys, and shows none', async () => {
      for (const keys of ['', 'keyboard cat', `${newKey()},${'A'.repeat(43)}`]) {
        const { code, output } = await runUntilExit({ ...site.settings, SESSION_KEYS: keys })
        expect(code).toBe(1)
        expect(output.trim().split('\n')).toHaveLength(1)
        expect(output).toContain('SESSION_STORE cannot be opened.')
        if (keys) for (const key of keys.split(',')) expect(output).not.toContain(key)
      }
    })
  },
)

describe.skipIf(!hasChromium)('cookies in a real browser', () => {
  let browser: Browser
  let server: Server
  let origin: string

  beforeAll(async () => {
    browser = await launchChromium()
    const sessions = createSessions<{ text: string }>({ store: cookieStore({ keys: [newKey()] }) })
    server = createServer(
      nodeSession(sessions, async (req, res) => {
        const session = await sessions.of(req)
        const { pathname, searchParams } = new URL(req.url ?? '/', 'http://localhost')
        const length = searchParams.get('length')
        if (length) session.set('text', 'ab'.repeat(Number(length) / 2))
        if (pathname === '/end') session.destroy()
        const text = session.get('text')
        res.setHeader('Content-Type', 'text/plain')
        res.end(text === undefined ? 'nothing' : `${text.length} ${text === 'ab'.repeat(text.length / 2)}`)
      }),
    ).listen(0, '127.0.0.1')
    await once(server, 'listening')
    origin = `http://localhost:${(server.address() as AddressInfo).port}`
  })
  afterAll(async () => {
    await browser?.close()
    server.closeAllConnections()
    server.close()
  })

  async function read(page: Page, path: string): Promise<{ body: string; cookies: string[] }> {
    await page.goto(origin + path)
    const cookies = await page.context().cookies()
    return { body: (await page.textContent('body')) ?? '', cookies: cookies.map(({ name }) => name).sort() }
  }

  it('keeps a session of one cookie, of two, and of as much as two can hold; removes what is left over', async () => {
    const page = await (await browser.newContext()).newPage()
    expect(await read(page, '/')).toEqual({ body: 'nothing', cookies: [] })
    for (const [length, count] of [
      [100, 1],
      [2800, 1],
      [3200, 2],
      [5800, 2],
      [300, 1],
      [5800, 2],
    ] as const) {
      const cookies = ['sid', 'sid.1'].slice(0, count)
      expect(await read(page, `/?length=${length}`)).toEqual({ body: `${length} true`, cookies })
      expect(await read(page, '/'), String(length)).toEqual({ body: `${length} true`, cookies })
    }
    expect((await page.goto(`${origin}/?length=7000`))?.status()).toBe(500)
    expect(await read(page, '/')).toEqual({ body: '5800 true', cookies: ['sid', 'sid.1'] })
    expect((await read(page, '/end')).cookies).toEqual([])
    expect(await read(page, '/')).toEqual({ body: 'nothing', cookies: [] })
  })

  it('holds the largest cookies that are ever set', async () => {
    const page = await (await browser.newContext()).newPage()
    let largest = 0
    for (let length = 5900; length < 6100; length += 2) {
      const answer = await page.goto(`${origin}/?length=${length}`)
      if (answer?.status() === 500) break
      largest = length
    }
    expect(largest).toBeGreaterThan(5900)
    expect(await read(page, '/')).toEqual({ body: `${largest} true`, cookies: ['sid', 'sid.1'] })
    const sizes = (await page.context().cookies()).map(({ name, value }) => name.length + value.length)
    for (const size of sizes) expect(size).toBeGreaterThan(3900)
  })
})
