import { describe, expect, it, vi } from 'vitest'
import { Browser } from './browser.ts'
import { contents, eventsOf, Site, visitor } from './site.ts'

const HOUR = 3_600_000

/** One site on which everything happens that there is an event for. */
async function everything() {
  const site = new Site({ idleTimeout: '1h' })
  const [here, there] = [site.process(), site.process()]
  const events = eventsOf(here)
  const browser = await visitor(here, { card: '4111 1111' })
  const handle = browser.id.split('.')[0] ?? ''
  const ids = [browser.id]
  await browser.visit((session) => session.login('ada'))
  ids.push(browser.id)
  await browser.visit((session) => session.regenerateId())
  ids.push(browser.id)
  site.now += HOUR / 2
  await contents(browser)
  const late = await browser.begin()
  late.session.set('late', 1)
  await browser.at(there).visit((session) => session.set('card', '4222 2222'))
  await late.finish()
  const lost = await browser.begin()
  lost.session.set('lost', 1)
  const reading = await visitor(here)
  await browser.visit((session) => session.destroy())
  await lost.finish()
  await here.revoke(reading.id.split('.')[0] ?? '')
  site.store.delay = () => Promise.reject(new Error('the store is down'))
  await expect(visitor(here)).rejects.toThrow('The session store failed (create)')
  return { events, handle, other: reading.id.split('.')[0], ids }
}

describe('events', () => {
  it('tell all that happens to a session, by its handle', async () => {
    const { events, handle, other } = await everything()
    expect(events).toEqual([
      ['created', { handle, userId: undefined }],
      ['rotated', { handle, userId: 'ada' }],
      ['rotated', { handle, userId: 'ada' }],
      ['renewed', { handle }],
      ['conflict', { handle, attempt: 1 }],
      ['created', { handle: other, userId: undefined }],
      ['ended', { handle, reason: 'destroyed' }],
      ['discarded', { handle }],
      ['ended', { handle: other, reason: 'revoked' }],
      ['storeError', { operation: 'create', error: expect.objectContaining({ code: 'ERR_SESSION_STORE' }) }],
    ])
  })

  it('hold no id, no secret and no data', async () => {
    const { events, ids } = await everything()
    const told = JSON.stringify(events, (_, value) => (value instanceof Error ? `${value.stack}` : value))
    for (const id of ids) expect(told).not.toContain(id.split('.')[1])
    expect(told).not.toMatch(/4111|4222|"card"/)
  })

  it('tell the user of a session that begins with a sign-in', async () => {
    const sessions = new Site().process()
    const events = eventsOf(sessions)
    const browser = new Browser(sessions)
    await browser.visit((session) => session.login('ada'))
    expect(events).toEqual([['created', { handle: browser.id.split('.')[0], userId: 'ada' }]])
  })

  it('reach each listener until it is taken off', async () => {
    const sessions = new Site().process()
    const [first, second] = [vi.fn(), vi.fn()]
    const off = sessions.on('created', first)
    sessions.on('created', second)
    await visitor(sessions)
    off()
    off()
    await visitor(sessions)
    expect(first).toHaveBeenCalledTimes(1)
    expect(second).toHaveBeenCalledTimes(2)
  })
})

describe('a listener', () => {
  it.each([
    [
      'throws',
      () => {
        throw new Error('mine')
      },
    ],
    ['rejects', () => Promise.reject(new Error('mine'))],
  ])('that %s is reported, and stops neither the others nor the request', async (_, faulty) => {
    const report = vi.spyOn(console, 'error').mockImplementation(() => undefined)
    const sessions = new Site().process()
    const other = vi.fn()
    sessions.on('created', faulty)
    sessions.on('created', other)
    const browser = await visitor(sessions)
    expect(other).toHaveBeenCalledTimes(1)
    expect(await contents(browser)).toEqual({ began: true })
    expect(report.mock.calls).toEqual([[expect.stringContaining('"created"'), expect.any(Error)]])
  })
})
