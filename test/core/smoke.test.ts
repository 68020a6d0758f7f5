import { expect, it } from 'vitest'
import { createSessions } from '../../src/index.ts'
import { Browser } from './browser.ts'

it('counts visits', async () => {
  const sessions = createSessions<{ num_visits: number; cart: string[] }>()
  const browser = new Browser(sessions)
  for (const expected of [1, 2, 3]) {
    expect(await browser.visit((s) => s.update('num_visits', (n = 0) => n + 1))).toBe(expected)
  }
  const counts = await Promise.all(
    Array.from({ length: 100 }, () =>
      browser.visit(async (s) => {
        s.update('num_visits', (n = 0) => n + 1)
        await s.save()
        return s.get('num_visits')
      }),
    ),
  )
  expect(counts.sort((a, b) => (a ?? 0) - (b ?? 0))).toEqual(Array.from({ length: 100 }, (_, i) => i + 4))
  console.log(browser.received)
  await browser.visit((s) => s.set('cart', ['a']))
  await browser.visit((s) => s.get('cart')?.push('b'))
  expect(await browser.visit((s) => s.get('cart'))).toEqual(['a', 'b'])
  const before = browser.cookie
  await browser.visit((s) => s.login('ada'))
  expect(await browser.visit((s) => [s.userId, s.get('num_visits')])).toEqual(['ada', 103])
  expect(await new Browser(sessions, { cookie: before ?? '' }).visit((s) => s.userId)).toBe(undefined)
  await browser.visit((s) => {
    s.destroy()
    s.flash('bye', 1)
  })
  expect(await browser.visit((s) => [s.userId, s.takeFlashes()])).toEqual([
    undefined,
    [{ key: 'bye', value: 1 }],
  ])
  expect(browser.received.length).toBe(3)
})
