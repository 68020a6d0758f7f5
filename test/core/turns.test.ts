import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { contents, Site, visitor } from './site.ts'

// By the fake timers of vitest: a request must not wait for ever for the write of another one that has been ended.

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }))
afterEach(() => void vi.useRealTimers())

it('a commit takes the place of one whose write never ends', async () => {
  const site = new Site()
  const sessions = site.process({ storeTimeout: '1h' })
  const browser = await visitor(sessions)
  const held = site.hold('update reaches the store')
  const lost = browser.at(sessions).visit((session) => session.set('lost', true))
  await held.reached
  const others = Promise.all([
    browser.at(sessions).visit((session) => session.set('one', 1)),
    browser.at(sessions).visit((session) => session.set('two', 2)),
  ])
  await vi.advanceTimersByTimeAsync(10_000)
  await others
  expect(await contents(browser)).toEqual({ began: true, one: 1, two: 2 })
  expect(site.store.calls.update).toBe(2)

  // Had it only been slow, it would have found the changes of the others.
  held.release()
  await lost
  expect(await contents(browser)).toEqual({ began: true, one: 1, two: 2, lost: true })
})

// What it had sent is lost with it, is stored, or will be: its changes are stored once.
it.each(['update reaches the store', 'update answers'])(
  'a commit that another one was carrying as it was ended is written once (%s)',
  async (point) => {
    const site = new Site()
    const sessions = site.process({ storeTimeout: '1h' })
    const browser = await visitor(sessions, { n: 0 })
    const count = () => browser.at(sessions).visit((session) => session.update('n', increment))
    const first = site.hold('update answers')
    const all = [count()]
    await first.reached
    all.push(count(), count(), count())
    await vi.advanceTimersByTimeAsync(1)
    const second = site.hold(point)
    first.release()
    await second.reached
    all.push(count(), count())
    await vi.advanceTimersByTimeAsync(10_000)
    await Promise.all(all)
    expect(await contents(browser)).toEqual({ n: 6 })

    second.release()
    await vi.advanceTimersByTimeAsync(1)
    expect(await contents(browser)).toEqual({ n: 6 })
    await count()
    expect(await contents(browser)).toEqual({ n: 7 })
  },
)

function increment(n: unknown): number {
  return Number(n) + 1
}
