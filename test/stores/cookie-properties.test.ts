import fc from 'fast-check'
import { expect, it } from 'vitest'
import { newKey as newHandle } from '../../src/id.ts'
import { newRecord } from '../../src/record.ts'
import { Slot } from '../../src/slot.ts'
import { decodeSession, encodeSession, newToken } from '../../src/stores/cookie-record.ts'
import { memoryStore } from '../../src/stores/memory.ts'
import { type CookieBrowser, CookieSite } from './cookie-site.ts'

// Up to the year 128,000.
const instant = fc.integer({ min: 0, max: 4_000_000_000_000_000 })
const duration = fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER })
const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined })

/** A name that sessions refuse inside a value. */
const storable = fc.jsonValue().filter((value) => !JSON.stringify(value).includes('"__proto__":'))

it('whatever a session holds comes out of its bytes as it went in', () => {
  const session = fc.record({
    createdAt: instant,
    seenAt: instant,
    expiresAt: instant,
    lastEnd: instant,
    authenticatedAt: maybe(instant),
    userId: maybe(fc.string({ minLength: 1, unit: 'grapheme' })),
    idle: maybe(duration),
    absolute: maybe(duration),
    persistent: maybe(fc.boolean()),
    hasEpoch: fc.boolean(),
    data: fc.dictionary(fc.string({ unit: 'grapheme' }), storable),
  })
  fc.assert(
    fc.property(session, ({ hasEpoch, expiresAt, lastEnd, data, idle, absolute, persistent, ...facts }) => {
      const generation = newToken()
      const record = {
        ...newRecord(facts.createdAt),
        ...facts,
        timeouts: { idle, absolute, persistent },
        secrets: [{ hash: generation, wrap: undefined }],
        data: new Map(Object.entries(data).map(([name, value]) => [name, Slot.ofValue(value, name)])),
      }
      const epoch = hasEpoch ? newToken() : undefined
      const before = { handle: newHandle(), generation, expiresAt, lastEnd, epoch, record }
      const after = decodeSession(encodeSession(before))
      const plain = ({ record: { data, ...rest }, ...all }: typeof before) => {
        return { ...all, record: { ...rest, data: Array.from(data, ([name, slot]) => [name, slot.json]) } }
      }
      expect(plain(after as typeof before)).toEqual(plain(before))
    }),
    { numRuns: 500 },
  )
})

type Deed =
  | 'copy'
  | 'write'
  | 'login'
  | 'regenerateId'
  | 'destroy'
  | 'revoke'
  | 'revokeUser'
  | 'spare'
  | 'wait'
const DEEDS: Deed[] = [
  'copy',
  'write',
  'login',
  'regenerateId',
  'destroy',
  'revoke',
  'revokeUser',
  'spare',
  'wait',
]

/** A copy of a cookie, and what must be true of it. */
interface Copy {
  browser: CookieBrowser
  handle: string
  /** The number of ids that the session had before. */
  id: number
  user: string | undefined
  isDead: boolean
}

it('a copy that opens no more never opens again, whatever happens to which copy, and the newest one opens', async () => {
  const step = fc.record({
    deed: fc.constantFrom(...DEEDS),
    which: fc.nat(50),
    user: fc.constantFrom('ann', 'bob'),
  })
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), async (steps) => {
      const site = new CookieSite({
        idleTimeout: '20d',
        absoluteTimeout: '60d',
        revocation: (clock) => memoryStore({ clock }),
      })
      const copies: Copy[] = []
      const begin = async (user?: string): Promise<void> => {
        const browser = site.browser()
        const handle = await browser.visit((session) => {
          session.set('n', 1)
          if (user !== undefined) session.login(user)
          return session.handle
        })
        copies.push({ browser, handle, id: 0, user, isDead: false })
      }
      await begin()
      await begin('ann')
      for (const { deed, which, user } of steps) {
        const copy = copies[which % copies.length]
        if (!copy) throw new Error('There is no copy')
        await run(deed, user, copy, copies, site, () => begin(user))
        await look(copies, deed)
      }
    }),
    { numRuns: 300 },
  )
})

/** Nothing that is dead opens; and what should open does, unless its time was up. */
async function look(copies: Copy[], deed: Deed): Promise<void> {
  for (const copy of copies) {
    const opens = await copy.browser.copy().visit((session) => session.size > 0)
    if (copy.isDead) expect(opens, `after ${deed}`).toBe(false)
    else if (deed !== 'wait') expect(opens, `after ${deed}`).toBe(true)
    copy.isDead = !opens
  }
}

async function run(
  deed: Deed,
  user: string,
  copy: Copy,
  copies: Copy[],
  site: CookieSite,
  begin: () => Promise<void>,
): Promise<void> {
  const kill = (dies: (other: Copy) => boolean) => {
    for (const other of copies) if (dies(other)) other.isDead = true
  }
  switch (deed) {
    case 'wait':
      site.now += 5 * 86_400_000
      return
    case 'revoke':
      await site.sessions.revoke(copy.handle)
      return kill(({ handle }) => handle === copy.handle)
    case 'revokeUser':
      await site.sessions.revokeUser(user)
      return kill((other) => other.user === user)
    case 'spare':
      await site.sessions.revokeUser(user, { except: copy.handle })
      return kill((other) => other.user === user && other.handle !== copy.handle)
  }
  // Whoever holds a dead copy gets a session of their own, which is no business of the dead one.
  if (copy.isDead) return begin()
  const older = { ...copy, browser: copy.browser.copy() }
  copies.push(older)
  if (deed === 'copy') return
  await copy.browser.visit((session) => {
    if (deed === 'write') session.update('n', (n) => n + 1)
    if (deed === 'login') session.login(user)
    if (deed === 'regenerateId') session.regenerateId()
    if (deed === 'destroy') session.destroy()
    if (!session.has('n') && deed !== 'destroy') session.set('n', 1)
  })
  if (deed === 'destroy') return kill(({ handle }) => handle === copy.handle)
  if (deed === 'write') return
  kill((other) => other !== copy && other.handle === copy.handle)
  if (deed === 'login') copy.user = user
}
