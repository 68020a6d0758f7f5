import { describe, expect, it } from 'vitest'
import { createSessions } from '../../src/index.ts'
import { contents, type Data, eventsOf, Site, signedIn, upTo, visitor } from './site.ts'

const SECRET_DATA = 'the diagnosis is confidential'

/** A site that seals, with one visitor who has told it something. */
async function start() {
  const site = new Site({ sealed: true })
  const browser = await visitor(site.process(), { told: SECRET_DATA })
  return { site, browser }
}

describe('sealed sessions', () => {
  it('leave nothing readable in the store: no data, no flash, no secret', async () => {
    const { site, browser } = await start()
    await browser.visit((session) => session.flash('flash', SECRET_DATA))
    const dump = site.dump()
    expect(dump).toContain(browser.id.split('.')[0])
    for (const word of ['diagnosis', 'told', 'flash', browser.id.split('.')[1]])
      expect(dump).not.toContain(word)
    expect(await browser.visit((session) => [session.get('told'), session.takeFlashes()])).toEqual([
      SECRET_DATA,
      [{ key: 'flash', value: SECRET_DATA }],
    ])
  })

  it('survive sign-ins and new ids, and no old id opens them', async () => {
    const { site, browser } = await start()
    const old = browser.at(site.process())
    await browser.visit((session) => session.login('ada'))
    await browser.visit((session) => session.regenerateId())
    await browser.visit((session) => session.set('more', 1))
    expect(await contents(browser.at(site.process()))).toEqual({ told: SECRET_DATA, more: 1 })
    expect(await contents(old)).toEqual({})
    expect(site.dump()).not.toContain('diagnosis')
  })

  it.each([1, 2])(
    'open for both answers of a sign-in that was submitted twice, processes: %i',
    async (count) => {
      const { site, browser } = await start()
      const processes = site.processes(count)
      const twins = [
        browser.at(processes[0] ?? site.process()),
        browser.at(processes[count - 1] ?? site.process()),
      ]
      const underWay = await Promise.all(twins.map((twin) => twin.begin()))
      for (const { session } of underWay) session.login('ada')
      const answers = await Promise.all(underWay.map(({ finish }) => finish()))
      for (const [i, twin] of twins.entries()) for (const header of answers[i] ?? []) twin.receive(header)
      for (const twin of twins) expect(await contents(twin)).toEqual({ told: SECRET_DATA })
      await twins[0]?.visit((session) => session.set('more', 1))
      expect(await contents(twins[1] ?? browser)).toEqual({ told: SECRET_DATA, more: 1 })
    },
  )

  it('lose nothing of what two processes write at once', async () => {
    const { site, browser } = await start()
    const processes = site.processes(2)
    await Promise.all(
      upTo(50).map((i) =>
        browser.at(processes[i % 2] ?? site.process()).visit((session) => session.set(`k${i}`, i)),
      ),
    )
    expect(Object.keys(await contents(browser))).toHaveLength(51)
  })

  it('keep the change of a request that began before a sign-in in another process', async () => {
    const { site, browser } = await start()
    const late = await browser.at(site.process()).begin()
    late.session.set('late', true)
    await browser.visit((session) => session.login('ada'))
    await late.finish()
    expect(await contents(browser)).toEqual({ told: SECRET_DATA, late: true })
  })

  it('are listed without their data', async () => {
    const sessions = createSessions<Data>({ sealed: true })
    await signedIn(sessions, 'ada', { told: SECRET_DATA })
    expect(await sessions.ofUser('ada')).toEqual([
      expect.objectContaining({ userId: 'ada', data: undefined }),
    ])
  })
})

describe('sealing that is switched on for sessions that there are', () => {
  it('seals each at its next write', async () => {
    const site = new Site()
    const browser = await visitor(site.process(), { told: SECRET_DATA })
    expect(site.dump()).toContain('diagnosis')
    const sealing = browser.at(site.process({ sealed: true }))
    expect(await contents(sealing)).toEqual({ told: SECRET_DATA })
    await sealing.visit((session) => session.set('more', 1))
    expect(site.dump()).not.toContain('diagnosis')
    expect(await contents(sealing)).toEqual({ told: SECRET_DATA, more: 1 })
  })

  it.each([1, 2])('loses nothing of what is written at once, processes: %i', async (count) => {
    const site = new Site()
    const browser = await visitor(site.process())
    const processes = upTo(count).map(() => site.process({ sealed: true }))
    const events = eventsOf(...processes)
    await Promise.all(
      upTo(20).map((i) =>
        browser.at(processes[i % count] ?? site.process()).visit((session) => session.set(`k${i}`, i)),
      ),
    )
    expect(events.map(([name]) => name)).not.toContain('discarded')
    expect(events.map(([name]) => name)).not.toContain('storeError')
    expect(Object.keys(await contents(browser))).toHaveLength(21)
  })

  it('loses nothing while another process does not seal yet', async () => {
    const site = new Site()
    const browser = await visitor(site.process())
    const processes = [site.process(), site.process({ sealed: true })]
    await Promise.all(
      upTo(20).map((i) =>
        browser.at(processes[i % 2] ?? site.process()).visit((session) => session.set(`k${i}`, i)),
      ),
    )
    expect(Object.keys(await contents(browser))).toHaveLength(21)
  })

  it('and off again keeps every session open', async () => {
    const { site, browser } = await start()
    const plain = browser.at(site.process({ sealed: false }))
    await plain.visit((session) => session.set('more', 1).login('ada'))
    expect(await contents(plain)).toEqual({ told: SECRET_DATA, more: 1 })
    await visitor(site.process({ sealed: false }), { open: 'readable' })
    expect(site.dump()).toContain('readable')
  })
})

describe('sealed data that somebody has changed in the store', () => {
  const tampering: Record<string, (value: string, other: string) => string> = {
    'a changed letter of the data': (value) => changed(value, '~', 60),
    'a changed letter of the wrapped key': (value) => changed(value, ':', 40),
    'the data of another session': (value, other) => value.replace(sealedPart(value), sealedPart(other)),
    'no data': (value) => value.replace(sealedPart(value), ''),
  }

  it.each(Object.keys(tampering))('(%s) opens nothing', async (name) => {
    const { site, browser } = await start()
    const [[key = '', entry] = []] = [...site.store.entries]
    await visitor(site.process(), { told: 'something else' })
    const [, [, other] = []] = [...site.store.entries]
    if (!entry || !other) throw new Error('The entries are missing')
    const value = tampering[name]?.(entry.value, other.value) ?? ''
    expect(value).not.toBe(entry.value)
    site.store.entries.set(key, { ...entry, value })
    const sessions = site.process()
    const events = eventsOf(sessions)
    expect(await contents(browser.at(sessions))).toEqual({})
    expect(events).toEqual([['storeError', expect.objectContaining({ operation: 'decode' })]])
  })
})

/** The text with the letter changed that comes so far behind the first place of a mark. */
function changed(text: string, mark: string, distance: number): string {
  const place = text.indexOf(mark) + distance
  return text.slice(0, place) + (text[place] === 'A' ? 'B' : 'A') + text.slice(place + 1)
}

function sealedPart(value: string): string {
  return value.slice(value.indexOf('~') + 1)
}
