import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { TestSite } from './test-site.ts'

/** A visitor whose session this process has just read, and so remembers. */
async function remembered() {
  const site = new TestSite()
  const browser = await site.visitor()
  expect(await browser.visit((session) => session.get('mine'))).toBe(true)
  return { site, browser }
}

describe('a session that this process has seen a moment ago', () => {
  it('shows what another process has written since', async () => {
    const { site, browser } = await remembered()
    await browser.at(site.process()).visit((session) => session.set('mine', 'changed'))
    expect(await browser.visit((session) => session.get('mine'))).toBe('changed')
  })

  it('is over when another process has ended it', async () => {
    const { site, browser } = await remembered()
    const cookie = browser.cookie
    await browser.at(site.process()).visit((session) => session.destroy())
    browser.cookie = cookie
    expect(await browser.visit((session) => session.isNew)).toBe(true)
  })

  it('opens for nobody with another secret, nor with the one before', async () => {
    const { site, browser } = await remembered()
    const { cookie = '' } = browser
    const forged = cookie.replace(/.$/, (last) => (last === 'A' ? 'B' : 'A'))
    expect(await site.browser({ cookie: forged }).visit((session) => session.isNew)).toBe(true)
    await browser.visit((session) => session.regenerateId())
    expect(await browser.visit((session) => session.get('mine'))).toBe(true)
    expect(await site.browser({ cookie }).visit((session) => session.isNew)).toBe(true)
  })

  it('is held against the schema each time', async () => {
    const site = new TestSite()
    let fits = true
    const schema = z.object({ mine: z.boolean().refine(() => fits) })
    const strict = site.process({ schema }) as TestSite['sessions']
    const browser = (await site.visitor()).at(strict)
    const seen = () => browser.visit((session) => session.has('mine'))
    expect([await seen(), await seen()]).toEqual([true, true])
    fits = false
    expect(await seen()).toBe(false)
    fits = true
    expect(await seen()).toBe(true)
  })

  it('shares no object between two requests', async () => {
    const { browser } = await remembered()
    await browser.visit((session) => session.set('cart', [1]))
    const first = await browser.begin()
    const second = await browser.begin()
    first.session.get('cart').push(2)
    expect(second.session.get('cart')).toEqual([1])
    await first.finish()
    expect(await browser.visit((session) => session.get('cart'))).toEqual([1, 2])
  })
})
