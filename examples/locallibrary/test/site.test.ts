import type { Browser, BrowserContext, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { hasChromium, launchChromium, PATIENCE } from './chromium.ts'
import { siteOfTests } from './site-of-tests.ts'

const FRAMEWORKS = ['express', 'fastify', 'koa', 'hono', 'fetch']

let browser: Browser
beforeAll(async () => {
  if (hasChromium) browser = await launchChromium()
})
afterAll(() => browser?.close())

// The default store: SQLite in a file.
describe.skipIf(!hasChromium).each(FRAMEWORKS)('LocalLibrary on %s in a real browser', (framework) => {
  const site = siteOfTests(() => ({ FRAMEWORK: framework }))
  const complaints: string[] = []
  const contexts: BrowserContext[] = []
  afterEach(async () => {
    await Promise.all(contexts.splice(0).map((context) => context.close()))
    expect(complaints.splice(0)).toEqual([])
  })

  async function newBrowser(options: Parameters<Browser['newContext']>[0] = {}): Promise<Page> {
    const context = await browser.newContext({ baseURL: site.url, ...options })
    contexts.push(context)
    context.setDefaultTimeout(PATIENCE)
    const page = await context.newPage()
    page.on('console', (message) => complaints.push(`console: ${message.text()}`))
    page.on('pageerror', (error) => complaints.push(`script: ${error.message}`))
    page.on('requestfailed', (request) => {
      // Aborted: the test went to the next page while the icon of this one was still loading.
      const reason = request.failure()?.errorText
      if (reason !== 'net::ERR_ABORTED') complaints.push(`${reason}: ${request.url()}`)
    })
    page.on('response', (response) => {
      if (response.status() >= 400) complaints.push(`${response.status()}: ${response.url()}`)
    })
    return page
  }

  const expectVisits = async (page: Page, count: number) => {
    await page.goto('/')
    expect(await page.getByText('You have visited this page').textContent()).toBe(
      `You have visited this page ${count} times.`,
    )
  }

  /** Ends the site, and starts it again at the same address. */
  async function restart(signal: 'SIGTERM' | 'SIGKILL'): Promise<number | null> {
    // What a page still loads, such as its icon, would fail.
    for (const context of contexts)
      for (const page of context.pages()) await page.waitForLoadState('networkidle')
    return site.restart(signal)
  }

  const cookieOf = async (page: Page) => {
    const [cookie] = await page.context().cookies()
    return cookie
  }

  const signIn = async (page: Page, name: string, password: string) => {
    await page.goto('/sign-in')
    await page.getByLabel('Name').fill(name)
    await page.getByLabel('Password').fill(password)
    await page.getByRole('main').getByRole('button', { name: 'Sign in' }).click()
    await page.getByText('Welcome').waitFor()
  }

  const signOut = async (page: Page) => {
    await page.locator('summary').click()
    await page.getByRole('button', { name: 'Sign out' }).click()
    await page.getByText('You are signed out.').waitFor()
  }

  it('takes a reader from an anonymous basket to a loan and back, over a restart of the site', async () => {
    const page = await newBrowser()
    await page.goto('/books?q=frankenstein')
    await page.getByRole('link', { name: 'Frankenstein' }).click()
    await page.getByRole('button', { name: 'Add to basket', exact: true }).click()
    expect(await page.getByRole('status').textContent()).toContain('Frankenstein is in your basket.')
    await page.reload()
    expect(await page.getByRole('status').count()).toBe(0)

    const anonymous = await cookieOf(page)
    expect(anonymous).toMatchObject({ httpOnly: true, sameSite: 'Lax' })
    expect(await restart('SIGTERM')).toBe(0)
    await page.getByRole('link', { name: 'Basket 1 copy' }).click()
    await page.getByRole('link', { name: 'Sign in to borrow' }).click()
    await page.getByLabel('Name').fill('ada')
    await page.getByLabel('Password').fill('difference-engine')
    await page.getByRole('main').getByRole('button', { name: 'Sign in' }).click()
    await page.getByText('Welcome, Ada.').waitFor()
    expect((await cookieOf(page))?.value).not.toBe(anonymous?.value)

    await page.getByRole('button', { name: 'Borrow it' }).click()
    await page.getByText('1 copy borrowed').waitFor()
    await page.getByRole('link', { name: 'Frankenstein' }).click()
    expect(await page.getByRole('row').filter({ hasText: 'Yours' }).textContent()).toContain('On loan')
    await page.goto('/loans')
    await page.getByRole('button', { name: 'Return Frankenstein' }).click()
    await page.getByText('Frankenstein was returned.').waitFor()
    expect(await page.getByText('You have nothing on loan.').isVisible()).toBe(true)
    await signOut(page)
  })

  // What else there is to see does not depend on who sends it; `frameworks.test.ts` has what does.
  if (framework !== 'express') return

  it('counts visits over reloads, a restart and a crash, for each browser by itself', async () => {
    const page = await newBrowser()
    await expectVisits(page, 1)
    await expectVisits(page, 2)
    await page.reload()
    expect(await page.getByText('You have visited this page 3 times.').isVisible()).toBe(true)

    const other = await newBrowser()
    await expectVisits(other, 1)
    expect(await restart('SIGTERM')).toBe(0)
    await expectVisits(page, 4)
    await restart('SIGKILL')
    await expectVisits(page, 5)
    await expectVisits(other, 2)
  })

  it('counts 100 visits at once exactly, as another tab sees', async () => {
    const page = await newBrowser()
    await expectVisits(page, 1)
    const cookie = await cookieOf(page)
    const headers = { cookie: `${cookie?.name}=${cookie?.value}` }
    const statuses = await Promise.all(
      Array.from({ length: 100 }, async () => (await fetch(site.url, { headers })).status),
    )
    expect(new Set(statuses)).toEqual(new Set([200]))
    await expectVisits(page, 102)
  })

  it('signs a browser out from another one, and everywhere else at once', async () => {
    const laptop = await newBrowser()
    const phone = await newBrowser({
      userAgent: 'Mozilla/5.0 (Android 16; Mobile; rv:150.0) Gecko/150.0 Firefox/150.0',
    })
    const tablet = await newBrowser()
    const grace = await newBrowser()
    await signIn(laptop, 'ada', 'difference-engine')
    await signIn(phone, 'ada', 'difference-engine')
    await signIn(tablet, 'ada', 'difference-engine')
    await signIn(grace, 'grace', 'first-compiler')

    await laptop.goto('/sessions')
    const sessionsListed = laptop.getByRole('main').getByRole('listitem')
    expect(await sessionsListed.count()).toBe(3)
    expect(await sessionsListed.first().textContent()).toContain('This one')
    await laptop.getByRole('button', { name: 'End Firefox on Android' }).click()
    await laptop.getByText('That session has ended.').waitFor()
    expect(await sessionsListed.count()).toBe(2)
    await phone.goto('/loans')
    expect(await phone.getByRole('heading', { name: 'Sign in' }).isVisible()).toBe(true)

    await laptop.getByRole('button', { name: 'Sign out everywhere else' }).click()
    await laptop.getByText('1 other session ended.').waitFor()
    await tablet.goto('/loans')
    expect(await tablet.getByRole('heading', { name: 'Sign in' }).isVisible()).toBe(true)

    for (const page of [laptop, grace]) {
      await page.goto('/loans')
      expect(await page.getByRole('heading', { name: 'My loans' }).isVisible()).toBe(true)
    }
    await signOut(laptop)
  })

  it.each([320, 390, 768])('fits a screen %i pixels wide', async (width) => {
    const page = await newBrowser({ viewport: { width, height: 800 }, isMobile: true })
    await signIn(page, 'grace', 'first-compiler')
    for (const book of ['middlemarch', 'the-life-and-opinions-of-tristram-shandy']) {
      await page.goto(`/books/${book}`)
      await page.getByRole('button', { name: 'Add to basket', exact: true }).click()
      await page.getByText('is in your basket.').waitFor()
    }
    const paths = ['/', '/books', '/books/war-and-peace', '/authors', '/authors/jane-austen', '/genres']
    for (const path of [...paths, '/genres/gothic', '/basket', '/loans', '/sessions']) {
      await page.goto(path)
      const overflow = await page.evaluate('document.documentElement.scrollWidth - innerWidth')
      expect(overflow, path).toBeLessThanOrEqual(0)
    }
  })

  it('can be used with the keyboard alone', async () => {
    const page = await newBrowser()
    await page.goto('/')
    await page.keyboard.press('Tab')
    expect(await page.evaluate('document.activeElement.textContent')).toBe('Skip to content')
    await page.keyboard.press('Enter')
    await page.waitForURL(/#/)
    await page.keyboard.press('Tab')
    expect(await page.evaluate('document.activeElement.id')).toBe('q')
    await page.keyboard.type('walden')
    await page.keyboard.press('Enter')
    await page.getByText('Henry David Thoreau').first().waitFor()
  })
})
