import { describe, expect, it } from 'vitest'
import { type Session, SessionError } from '../../src/index.ts'
import type { Browser, UnderWay } from './browser.ts'
import { contents, type Data, Site, signedIn, visitor } from './site.ts'

/*
 * Somebody has planted their own session's id in another one's browser (session fixation), or has copied it before a
 * sign-in, and has requests of their own under way while the victim signs in.
 */

/** What an attacker may have under way. */
const PLOYS: Record<string, (session: Session<Data>) => unknown> = {
  'a new id': (session) => session.regenerateId(),
  'a sign-in of their own': (session) => session.login('mallory'),
  'a plain change': (session) => session.set('theirs', true),
  'longer timeouts': (session) => session.setTimeouts({ absolute: '300d', persistent: true }),
  'a new id and a change': (session) => {
    session.regenerateId()
    session.set('theirs', true)
  },
  'an emptying': (session) => session.clear(),
  'a new id, twice saved': async (session) => {
    session.regenerateId()
    await session.save().catch(expectEnded)
    session.regenerateId()
    await session.save().catch(expectEnded)
  },
}

function expectEnded(error: unknown): void {
  if (!(error instanceof SessionError) || error.code !== 'ERR_SESSION_ENDED') throw error
}

/** How a site may sign somebody in. */
const SIGN_INS: Record<string, (session: Session<Data>) => void> = {
  login: (session) => session.login('victim'),
  'regenerateId and a value of its own': (session) => {
    session.regenerateId()
    session.set('user', 'victim')
  },
}

interface Scene {
  site: Site
  attacker: Browser<Data>
  victim: Browser<Data>
  attack: UnderWay<Data>
}

describe.each([1, 2])('an attacker who knew the id before the sign-in, processes: %i', (count) => {
  async function planted(sealed = false): Promise<Scene> {
    const site = new Site({ sealed })
    const [here, there] = [site.process(), site.process()]
    const attacker = await visitor(here)
    const victim = attacker.at(count === 1 ? here : there)
    return { site, attacker, victim, attack: await attacker.begin() }
  }

  async function signIn({ victim }: Scene, how: (session: Session<Data>) => void): Promise<void> {
    await victim.visit((session) => {
      how(session)
      session.set('address', 'the victim lives here')
    })
  }

  async function knowsNothing({ site, attacker }: Scene, answer: readonly string[]): Promise<void> {
    const ids = [attacker.id, ...answer.map((header) => /sid=([^;]*)/.exec(header)?.[1] ?? '')]
    for (const id of ids) {
      const session = await site.process().resume(id)
      expect(session?.userId).not.toBe('victim')
      expect(Object.keys(Object.fromEntries(session ?? []))).not.toContain('address')
    }
  }

  for (const [how, signsIn] of Object.entries(SIGN_INS)) {
    it.each(Object.keys(PLOYS))(`gets no id by %s that is saved after ${how}`, async (ploy) => {
      const scene = await planted()
      await signIn(scene, signsIn)
      await PLOYS[ploy]?.(scene.attack.session)
      await knowsNothing(scene, await scene.attack.finish())
    })

    it.each(Object.keys(PLOYS))(`gets no id by %s that is saved while ${how} is under way`, async (ploy) => {
      const scene = await planted()
      const { session, finish } = await scene.victim.begin()
      await PLOYS[ploy]?.(scene.attack.session)
      const answer = await scene.attack.finish()
      signsIn(session)
      session.set('address', 'the victim lives here')
      for (const header of await finish()) scene.victim.receive(header)
      await knowsNothing(scene, answer)
    })

    it(`gets no id by any of these that is saved together with ${how}`, async () => {
      for (const ploy of Object.values(PLOYS)) {
        const scene = await planted()
        const { session, finish } = await scene.victim.begin()
        signsIn(session)
        session.set('address', 'the victim lives here')
        const [answer] = await Promise.all([
          Promise.resolve(ploy(scene.attack.session)).then(() => scene.attack.finish()),
          finish(),
        ])
        await knowsNothing(scene, answer)
      }
    })

    it.each([false, true])(`is shown nothing of what ${how} brought, sealed: %s`, async (sealed) => {
      const scene = await planted(sealed)
      await signIn(scene, signsIn)
      const { session } = scene.attack
      session.set('theirs', true)
      await session.save()
      expect(session.userId).toBeUndefined()
      expect(session.authenticatedAt).toBeUndefined()
      expect(Object.fromEntries(session)).toEqual({ began: true, theirs: true })
      session.regenerateId()
      await expect(session.save()).rejects.toMatchObject({ code: 'ERR_SESSION_ENDED' })
      expect(Object.fromEntries(session)).toEqual({ began: true, theirs: true })
      await knowsNothing(scene, await scene.attack.finish())
      // What began before the sign-in still keeps its change.
      expect(await contents(scene.victim)).toMatchObject({ theirs: true })
    })

    it(`is shown nothing in a socket that was open at the time of ${how}`, async () => {
      const scene = await planted()
      const socket = await scene.site.process().resume(scene.attacker.id)
      await signIn(scene, signsIn)
      for (const i of [1, 2]) {
        socket?.set('message', i)
        await socket?.save()
        expect(socket?.userId).toBeUndefined()
        expect(Object.fromEntries(socket ?? [])).toEqual({ began: true, message: i })
      }
    })
  }
})

it.each(Object.keys(PLOYS))(
  'a sign-in by login() holds against %s that was saved just before',
  async (ploy) => {
    const sessions = new Site().process()
    const attacker = await visitor(sessions)
    const victim = attacker.at(sessions)
    const { session, finish } = await victim.begin()
    await attacker.visit((theirs) => PLOYS[ploy]?.(theirs))
    session.set('address', 'the victim lives here').login('victim')
    for (const header of await finish()) victim.receive(header)
    expect(await victim.visit((page) => [page.userId, page.get('address')])).toEqual([
      'victim',
      'the victim lives here',
    ])
  },
)

describe.each([1, 2])('two users at one browser, processes: %i', (count) => {
  async function ofAda() {
    const site = new Site()
    const [here, there] = [site.process(), site.process()]
    const browser = await signedIn(here, 'ada', { basket: 'of ada' })
    return { here, there: count === 1 ? here : there, browser }
  }

  it('the second one gets nothing of what a request of the first one saves late', async () => {
    const { there, browser } = await ofAda()
    const late = await browser.at(there).begin()
    late.session.set('address', 'of ada')
    late.session.flash('bought', 'by ada')
    await browser.visit((session) => session.login('grace'))
    expect(await late.finish()).toEqual([])
    expect(await browser.visit((session) => [session.userId, session.size, session.takeFlashes()])).toEqual([
      'grace',
      0,
      [],
    ])
  })

  it('the second one starts with the timeouts of the site, not with those that the first one asked for', async () => {
    const { there, browser } = await ofAda()
    await browser.visit((session) => session.setTimeouts({ absolute: '300d', persistent: false }))
    const second = browser.at(there)
    await second.visit((session) => session.login('grace'))
    expect(second.received.at(-1)).toContain(`Max-Age=${30 * 86_400};`)
  })

  it('the second one gets nothing either when that request has saved before, in the write of the sign-in', async () => {
    const { there, browser } = await ofAda()
    const late = await browser.at(there).begin()
    const other = await browser.at(there).begin()
    late.session.set('address', 'of ada')
    other.session.login('grace')
    // Something else is being written, so that the two wait and are written together.
    const first = await browser.at(there).begin()
    first.session.set('first', 1)
    const writing = first.finish()
    const saved = late.session.save()
    const [answer] = await Promise.all([other.finish(), saved, writing])
    late.session.set('address', 'of ada, still')
    expect(await late.finish()).toEqual([])
    for (const header of answer) browser.receive(header)
    expect(await contents(browser)).toEqual({})
  })

  it('the first one is told so when saving', async () => {
    const { there, browser } = await ofAda()
    const late = await browser.at(there).begin()
    late.session.set('address', 'of ada')
    await browser.visit((session) => session.login('grace'))
    await expect(late.session.save()).rejects.toMatchObject({ code: 'ERR_SESSION_ENDED' })
    expect(late.session.userId).toBe('ada')
  })

  it('the late request ends with the session of its own user, and takes no one else with it', async () => {
    const { there, browser } = await ofAda()
    const late = await browser.at(there).begin()
    late.session.set('address', 'of ada')
    const other = await browser.begin()
    other.session.login('grace')
    other.session.set('basket', 'of grace')
    const [answer] = await Promise.all([other.finish(), late.finish()])
    for (const header of answer) browser.receive(header)
    expect(await contents(browser)).toEqual({ basket: 'of grace' })
  })
})
