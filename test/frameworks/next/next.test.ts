import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { describeAdapter } from '../../adapters/contract.ts'
import { buildSite, contractServer, type StartedSite, startSite } from './served.ts'
import { textOf, Visitor } from './visitor.ts'

// A site of Next's App Router, built by `next build`, which takes most of the time, and served by `next start`.

const COOKIE = '__Host-Http-sid'
const HOUR = 3_600_000
const DAY = 24 * HOUR

let contract: Awaited<ReturnType<typeof contractServer>>
let site: StartedSite
let control: Visitor
let ahead = 0

beforeAll(async () => {
  await buildSite()
  site = await startSite()
  // Next is told by the environment; the contract's sessions are those of any other test.
  vi.stubEnv('NODE_ENV', 'production')
  contract = await contractServer()
  vi.unstubAllEnvs()
}, 600_000)
afterAll(async () => {
  await contract?.close()
  await site?.stop()
})

describeAdapter('Next', (served) => contract.serve(served))

describe('a site of Next', () => {
  const visitor = (cookie = ''): Visitor => {
    const browser = new Visitor(site.origin)
    if (cookie) browser.keep([cookie])
    return browser
  }
  /** Lets so much time pass. */
  const pass = async (ms: number): Promise<void> => {
    ahead += ms
    await control.control({ ahead })
  }

  beforeEach(async () => {
    control = visitor()
    await control.control({ failing: false })
  })

  it('gives no cookie to who stores nothing, and makes no call of the store', async () => {
    for (const path of ['/', '/read', '/']) expect((await visitor().get(path)).setCookies).toEqual([])
    expect(await control.control()).toMatchObject({ total: 0 })
  })

  it('counts in a Server Action, and shows it in the answer and in the next page', async () => {
    const ann = visitor()
    const first = await ann.submit('visit')
    expect(first.setCookies).toHaveLength(1)
    const [pair, ...attributes] = String(first.setCookies).split('; ')
    expect(pair).toMatch(new RegExp(`^${COOKIE}=[\\w-]{22}\\.[\\w-]{32}$`))
    expect(attributes).toEqual(
      expect.arrayContaining(['Path=/', 'Max-Age=2592000', 'Secure', 'HttpOnly', 'SameSite=lax']),
    )
    expect(textOf('visits', first)).toBe('1')
    const second = await ann.submit('visit')
    expect(second.setCookies).toEqual([])
    expect(textOf('visits', second)).toBe('2')
    const page = await ann.get('/')
    expect(textOf('visits', page)).toBe('2')
    expect(page.body).toContain('<title>Visits: 2</title>')
  })

  it("counts in a Server Action that Next's client calls", async () => {
    const ann = visitor()
    expect((await ann.call('visit')).setCookies).toHaveLength(1)
    expect((await ann.call('visit')).status).toBe(200)
    expect(await ann.read()).toEqual({ num_visits: 2 })
  })

  it('finds what an action changes inside a value', async () => {
    const ann = visitor()
    await ann.submit('add')
    expect(textOf('cart', await ann.submit('add'))).toBe('Emma Emma')
    expect(textOf('cart', await ann.get('/'))).toBe('Emma Emma')
  })

  it.each(['submit', 'call'] as const)(
    'signs in by an action (%s) that redirects: new id, same data, old id dead',
    async (how) => {
      const ann = visitor()
      await ann.submit('visit')
      const old = visitor(ann.cookie)
      const answer = await ann[how]('signIn')
      // Next's client gets the page that the action leads to in the same answer, which must show who signed in.
      if (how === 'call') expect(answer.body).toContain('"children":"ann"')
      else expect(answer.status).toBe(303)
      expect(answer.setCookies).toHaveLength(1)
      expect(ann.cookie).not.toBe(old.cookie)
      expect(textOf('user', await ann.get('/?signed-in'))).toBe('ann')
      expect(await ann.read()).toEqual({ user: 'ann', num_visits: 1 })
      expect(await old.read()).toEqual({})
    },
  )

  it('signs out by an action: the cookie is removed, and its id opens nothing', async () => {
    const ann = visitor()
    await ann.submit('visit')
    const thief = visitor(ann.cookie)
    const answer = await ann.submit('signOut')
    expect(String(answer.setCookies)).toMatch(
      new RegExp(`^${COOKIE}=; Path=/; Expires=.*1970.*; Max-Age=0; Secure; HttpOnly; SameSite=lax$`),
    )
    expect(textOf('visits', answer)).toBe('0')
    expect(ann.cookie).toBe('')
    expect(await thief.read()).toEqual({})
  })

  it('keeps what an action has changed that fails then', async () => {
    const ann = visitor()
    const answer = await ann.submit('fail')
    expect(answer.status).toBe(500)
    expect(answer.setCookies).toHaveLength(1)
    expect(await ann.read()).toEqual({ num_visits: 1 })
  })

  it.each([
    ['redirect', 307],
    ['not-found', 404],
    ['throws', 500],
  ])('keeps what a Route Handler has changed that ends in %s', async (path, status) => {
    const ann = visitor()
    const answer = await ann.get(`/out/${path}`)
    expect(answer.status).toBe(status)
    expect(answer.setCookies).toHaveLength(1)
    expect((await ann.get(`/out/${path}`)).status).toBe(status)
    expect(await ann.read()).toEqual({ num_visits: 2 })
  })

  it('reads the store once for each render, and once for the proxy', async () => {
    const ann = visitor()
    await ann.submit('visit')
    await control.control()
    expect(textOf('visits', await ann.get('/'))).toBe('1')
    expect(await control.control()).toMatchObject({ read: 2, total: 2 })
    await ann.get('/', { headers: { Purpose: 'prefetch' } })
    expect(await control.control()).toMatchObject({ read: 1, total: 1 })
    expect((await ann.prefetch('/')).status).toBe(200)
    expect(await control.control()).toMatchObject({ total: 0 })
  })

  it('says that the pages of a session are to be kept by nobody', async () => {
    const ann = visitor()
    await ann.submit('visit')
    for (const path of ['/', '/count']) {
      expect((await ann.get(path)).headers.get('Cache-Control') ?? 'private').toMatch(/private|no-store/)
    }
    expect((await ann.get('/')).headers.get('Cache-Control')).toMatch(/no-store/)
    expect((await ann.get('/count')).headers.get('Vary')).toMatch(/Cookie/)
  })

  it('extends the life of a session in the proxy, once in an interval', async () => {
    const ann = visitor()
    await ann.submit('visit')
    await pass(2 * HOUR)
    await ann.get('/')
    expect(await control.control()).toMatchObject({ update: 1 })
    await ann.get('/')
    expect(await control.control()).toMatchObject({ update: 0 })
    await pass(13 * DAY)
    await ann.get('/')
    await pass(13 * DAY)
    expect(await ann.read()).toEqual({ num_visits: 1 })
  })

  it.each([
    ['Next-Router-Prefetch', '1'],
    ['Purpose', 'prefetch'],
    ['Sec-Purpose', 'prefetch;prerender'],
  ])('writes nothing for what is fetched ahead (%s), which extends no life', async (name, value) => {
    const ann = visitor()
    await ann.submit('visit')
    await pass(13 * DAY)
    await control.control()
    expect((await ann.get('/', { headers: { [name]: value } })).status).toBe(200)
    expect(await control.control()).toMatchObject({ create: 0, update: 0, delete: 0 })
    await pass(2 * DAY)
    expect(await ann.read()).toEqual({})
  })

  it('never adopts an id that it did not give', async () => {
    const forged = ['x', 'AAAAAAAAAAAAAAAAAAAAAA.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA']
    const known = visitor()
    await known.submit('visit')
    const [key] = known.cookie.slice(COOKIE.length + 1).split('.')
    for (const id of [...forged, `${key}.${'A'.repeat(32)}`]) {
      const eve = visitor(`${COOKIE}=${id}`)
      expect(await eve.read()).toEqual({})
      expect((await eve.get('/')).setCookies).toEqual([])
      expect((await eve.get('/count')).body).toBe('1')
      expect(eve.cookie).not.toBe(`${COOKIE}=${id}`)
    }
    expect(await known.read()).toEqual({ num_visits: 1 })
  })

  it('loses nothing of 100 requests at once in a Route Handler', async () => {
    const ann = visitor()
    await ann.get('/count')
    await Promise.all(Array.from({ length: 100 }, (_, i) => ann.post(`/set?i=${i}`)))
    const keys = Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`key${i}`, 1]))
    expect(await ann.read()).toEqual({ num_visits: 101, ...keys })
  })

  it('loses nothing of 20 actions at once', async () => {
    const ann = visitor()
    await ann.submit('visit')
    await Promise.all(Array.from({ length: 20 }, () => ann.call('visit')))
    expect(await ann.read()).toEqual({ num_visits: 21 })
  })

  it('answers with an error and without a cookie while the store fails', async () => {
    const ann = visitor()
    await ann.submit('visit')
    await control.control({ failing: true })
    for (const answer of [
      await ann.get('/'),
      await ann.get('/count'),
      await visitor().get('/count'),
      await ann.get('/out/redirect'),
      await ann.submit('visit'),
      await visitor().submit('visit'),
      await ann.submit('signIn'),
      await ann.call('visit'),
    ]) {
      expect(answer.status).toBe(500)
      expect(answer.setCookies).toEqual([])
    }
    await control.control({ failing: false })
    expect(await ann.read()).toEqual({ num_visits: 1 })
  })

  it.each([
    [
      'a Server Component that asks for what it could not save',
      '/mistakes/getting',
      /wrap the Server Action/,
    ],
    ['a Server Component that changes a value', '/mistakes/changing', /object is not extensible/],
    ['a page that is made once for everybody', '/static/a', /Next shows no request here/],
  ])('refuses %s, and says why', async (_what, path, message) => {
    const ann = visitor()
    await ann.submit('add')
    const before = site.output.length
    expect((await ann.get(path)).status).toBe(500)
    await expect.poll(() => site.output.slice(before)).toMatch(message)
    expect(await ann.read()).toEqual({ cart: ['Emma'] })
  })

  it('refuses an action that nothing would save', async () => {
    const ann = visitor()
    await ann.submit('visit')
    const before = site.output.length
    expect((await ann.submit('unwrapped')).status).toBe(500)
    await expect.poll(() => site.output.slice(before)).toMatch(/wrap the Server Action/)
    expect(await ann.read()).toEqual({ num_visits: 1 })
  })
})
