import { describe, expect, it } from 'vitest'
import { Browser } from './browser.ts'
import { contents, type Data, Site, visitor } from './site.ts'

/** A visitor's request under way, and how to stop its next write on the way back. */
async function underWay(data: Data = {}, options = {}) {
  const site = new Site(options)
  const sessions = site.process()
  const browser = await visitor(sessions, { began: true, ...data })
  const { session, finish } = await browser.begin()
  return { site, sessions, browser, session, finish }
}

describe('what a handler does while its save() is under way', () => {
  it('is saved by the next one', async () => {
    const { site, browser, session, finish } = await underWay({ a: 1, old: 1 })
    session.set('a', 2)
    const { reached, release } = site.hold('update answers')
    const saved = session.save()
    await reached
    session.set('b', 1).delete('old')
    session.update('a', (n) => (n as number) + 1)
    release()
    await saved
    expect(Object.fromEntries(session)).toEqual({ began: true, a: 3, b: 1 })
    await finish()
    expect(await contents(browser)).toEqual({ began: true, a: 3, b: 1 })
  })

  it('inside a value is saved by the next one, too', async () => {
    const { site, browser, session, finish } = await underWay({ cart: ['a'] })
    const cart = session.get('cart') as string[]
    cart.push('b')
    const { reached, release } = site.hold('update answers')
    const saved = session.save()
    await reached
    cart.push('c')
    release()
    await saved
    expect(session.get('cart')).toEqual(['a', 'b', 'c'])
    await finish()
    expect(await contents(browser)).toMatchObject({ cart: ['a', 'b', 'c'] })
  })

  it('inside a value fails the next one when it cannot be kept, not the one under way', async () => {
    const { site, browser, session, finish } = await underWay({ cart: ['a'] })
    const cart = session.get('cart') as unknown[]
    session.set('other', 1)
    const { reached, release } = site.hold('update answers')
    const saved = session.save()
    await reached
    cart.push(() => 1)
    release()
    await saved
    await expect(finish()).rejects.toMatchObject({ code: 'ERR_SESSION_NOT_SERIALIZABLE' })
    expect(await contents(browser)).toEqual({ began: true, cart: ['a'], other: 1 })
  })

  it('finds the user signed in already, and the timeouts set', async () => {
    const { site, session, finish } = await underWay()
    session.login('ada')
    session.setTimeouts({ idle: '1h' })
    const { reached, release } = site.hold('update answers')
    const saved = session.save()
    await reached
    const facts = () => [session.userId, session.authenticatedAt, session.expiresAt]
    expect(facts()).toEqual(['ada', site.now, site.now + 3_600_000])
    release()
    await saved
    expect(facts()).toEqual(['ada', site.now, site.now + 3_600_000])
    await finish()
  })

  it('may be its end, also when the save comes too late', async () => {
    const { site, sessions, browser, session, finish } = await underWay()
    session.regenerateId()
    const { reached, release } = site.hold('update reaches the store')
    const saved = session.save()
    await reached
    session.destroy()
    session.set('goodbye', true)
    const other = site.process()
    const faster = await browser.at(other).begin()
    faster.session.regenerateId()
    const [header = ''] = await faster.finish()
    release()
    await saved
    for (const answer of [header, ...(await finish())]) browser.receive(answer)
    expect(await contents(browser)).toEqual({ goodbye: true })
    expect(await sessions.resume(header.slice(4, header.indexOf(';')))).toBeUndefined()
  })

  it('may be its end, and what could not be saved reaches no other session', async () => {
    const { site, browser, session, finish } = await underWay()
    session.set('address', 'of ada')
    const { reached, release } = site.hold('update reaches the store')
    const saved = session.save()
    await reached
    session.destroy()
    session.set('goodbye', true)
    site.store.delay = (label) =>
      label === 'update answers' ? Promise.reject(new Error('the store is down')) : Promise.resolve()
    release()
    await expect(saved).rejects.toMatchObject({ code: 'ERR_SESSION_STORE' })
    await session.save()
    for (const answer of await finish()) browser.receive(answer)
    expect(await contents(browser)).toEqual({ goodbye: true })
  })

  it('may be a new id after a new id', async () => {
    const { site, browser, session, finish } = await underWay()
    session.login('ada')
    const { reached, release } = site.hold('update answers')
    const saved = session.save()
    await reached
    session.regenerateId()
    session.set('later', 1)
    release()
    await saved
    for (const header of await finish()) browser.receive(header)
    expect(await browser.visit((next) => [next.userId, next.get('later')])).toEqual(['ada', 1])
  })

  it('is not taken for a change by somebody else', async () => {
    const { site, browser, session, finish } = await underWay({ a: 1 }, { onStaleSet: 'error' })
    session.set('a', (session.get('a') as number) + 1)
    const { reached, release } = site.hold('update answers')
    const saved = session.save()
    await reached
    session.set('a', 3)
    release()
    await saved
    session.set('a', 4)
    await finish()
    expect(await contents(browser)).toMatchObject({ a: 4 })
  })

  it('shows what others have stored meanwhile, their flashes included', async () => {
    const { site, browser, session, finish } = await underWay()
    const other = browser.at(site.process())
    session.set('mine', 1)
    await other.visit((theirs) => theirs.set('theirs', 1).flash('note', 'theirs'))
    session.flash('note', 'mine')
    const { reached, release } = site.hold('update answers')
    const saved = session.save()
    await reached
    session.set('later', 1)
    release()
    await saved
    expect(Object.fromEntries(session)).toEqual({ began: true, mine: 1, theirs: 1, later: 1 })
    expect(session.takeFlashes().map(({ value }) => value)).toEqual(['theirs', 'mine'])
    await finish()
    expect(await browser.visit((next) => next.takeFlashes())).toEqual([])
  })
})

describe('a session that has ended meanwhile', () => {
  it('fails each save(), also of two at once', async () => {
    const { sessions, session } = await underWay()
    session.set('a', 1)
    await sessions.revoke(session.handle)
    const saves = await Promise.allSettled([session.save(), session.save()])
    const ended = { status: 'rejected', reason: { code: 'ERR_SESSION_ENDED' } }
    expect(saves).toMatchObject([ended, ended])
  })
})

describe('a flash', () => {
  it('that is taken while it is being saved is not handed out again', async () => {
    const { site, browser, session, finish } = await underWay()
    session.flash('note', 'one')
    const { reached, release } = site.hold('update answers')
    const saved = session.save()
    await reached
    session.flash('note', 'two')
    expect(session.takeFlashes().map(({ value }) => value)).toEqual(['one', 'two'])
    release()
    await saved
    await finish()
    expect(await browser.visit((next) => next.takeFlashes())).toEqual([])
  })

  it('of one who knows an old id takes away none of the new one', async () => {
    const { sessions, browser, session, finish } = await underWay()
    session.flash('note', 'theirs')
    await browser.visit((victim) => victim.login('ada'))
    await browser.at(sessions).visit((victim) => victim.flash('note', 'for ada'))
    await session.save()
    expect(session.takeFlashes().map(({ value }) => value)).toEqual(['theirs'])
    await finish()
    expect(await browser.visit((victim) => victim.takeFlashes())).toEqual([{ key: 'note', value: 'for ada' }])
  })

  it('whose save() failed although it was stored is kept once when it is saved again', async () => {
    const { site, browser, session } = await underWay()
    session.flash('note', 'once')
    site.store.delay = (label) =>
      label === 'update answers' ? Promise.reject(new Error('lost')) : Promise.resolve()
    await expect(session.save()).rejects.toMatchObject({ code: 'ERR_SESSION_STORE' })
    site.store.delay = () => Promise.resolve()
    await session.save()
    expect(await browser.visit((next) => next.takeFlashes())).toEqual([{ key: 'note', value: 'once' }])
  })
})

describe('after save()', () => {
  it('a value that was handed out is still the one that counts', async () => {
    const { browser, session, finish } = await underWay({ cart: ['a'] })
    const cart = session.get('cart') as string[]
    cart.push('b')
    await session.save()
    cart.push('c')
    expect(session.get('cart')).toBe(cart)
    await session.save()
    cart.push('d')
    await finish()
    expect(await contents(browser)).toMatchObject({ cart: ['a', 'b', 'c', 'd'] })
  })

  it('a value that another request has changed is theirs, and one of before no longer counts', async () => {
    const { sessions, browser, session, finish } = await underWay({ cart: ['a'] })
    const cart = session.get('cart') as string[]
    await browser.at(sessions).visit((theirs) => theirs.set('cart', ['theirs']))
    session.set('mine', 1)
    await session.save()
    cart.push('lost')
    expect(session.get('cart')).toEqual(['theirs'])
    await finish()
    expect(await contents(browser)).toEqual({ began: true, mine: 1, cart: ['theirs'] })
  })

  it('of a session that holds nothing yet, its timeouts still count', async () => {
    const browser = new Browser(new Site().process())
    await browser.visit(async (session) => {
      session.setTimeouts({ persistent: false })
      await session.save()
      session.set('a', 1)
    })
    expect(browser.received).toEqual([expect.not.stringContaining('Max-Age')])
  })

  it('the cookie that it has earned goes out, even when the commit then fails', async () => {
    const site = new Site()
    const sessions = site.process()
    const browser = await visitor(sessions)
    const visit = sessions.open({ cookie: browser.cookie, secure: false })
    const session = await visit.session()
    session.login('ada')
    await session.save()
    session.set('more', 1)
    site.store.delay = () => Promise.reject(new Error('the store is down'))
    await expect(visit.commit()).rejects.toMatchObject({ code: 'ERR_SESSION_STORE' })
    site.store.delay = () => Promise.resolve()
    for (const header of visit.outcome.setCookies) browser.receive(header)
    expect(await browser.visit((next) => [next.userId, next.size])).toEqual(['ada', 1])
  })
})

describe('a value that was changed in place', () => {
  it('into what cannot be kept fails the commit, and the error page can go out', async () => {
    const { sessions, browser } = await underWay({ cart: [] })
    const visit = sessions.open({ cookie: browser.cookie, secure: false })
    const session = await visit.session()
    ;(session.get('cart') as unknown[]).push(() => 1)
    expect(visit.dirty).toBe(true)
    await expect(visit.commit()).rejects.toMatchObject({ code: 'ERR_SESSION_NOT_SERIALIZABLE' })
    expect(visit.dirty).toBe(false)
  })

  it.each([
    ['update()', (value: string[]) => [...value, 'mine']],
    ['set() after a look', undefined],
  ])('after %s does not overwrite what it has not seen', async (_, fn) => {
    const { sessions, browser, session, finish } = await underWay({ a: ['x'] }, { onStaleSet: 'error' })
    const list = fn
      ? (session.update('a', (value) => fn(value as string[])) as string[])
      : (session.set('a', session.get('a')).get('a') as string[])
    list.push('in place')
    await browser.at(sessions).visit((other) => other.update('a', (value) => [...(value as []), 'other']))
    await expect(finish()).rejects.toMatchObject({ code: 'ERR_SESSION_CONFLICT', status: 409 })
    expect(await contents(browser)).toMatchObject({ a: ['x', 'other'] })
  })
})
