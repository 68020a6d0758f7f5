import assert from 'node:assert/strict'
import { memoryStore } from '../stores/memory.ts'
import { barrier, type Page, plain, type Stage, siteCase } from './adapter-site.ts'
import { Browser } from './browser.ts'
import type { Rule } from './contract-case.ts'

// Whatever the store: of the right form, but never given out.
const FORGED = `${'A'.repeat(22)}.${'A'.repeat(32)}`
const HOUR = 3_600_000

/** Whose session it is, and who may say so. */
export function identityCases(stage: Stage): Rule[] {
  return [
    siteCase(stage, 'a visitor for whom nothing is stored gets no cookie', plain, async ({ browser }) => {
      for (const path of ['/nothing', '/read', '/logout']) {
        assert.deepEqual((await browser().get(path)).setCookies, [], path)
      }
    }),

    siteCase(stage, 'what one request stores, the next one reads', plain, async ({ browser }) => {
      const ann = browser()
      assert.equal((await ann.get('/count')).body, '1')
      assert.equal((await ann.get('/count')).body, '2')
      assert.deepEqual(await read(ann), { n: 2 })
    }),

    siteCase(stage, 'the cookie is set once', plain, async ({ browser }) => {
      const ann = browser()
      assert.equal((await ann.get('/count')).setCookies.length, 1)
      assert.deepEqual((await ann.get('/count')).setCookies, [])
    }),

    siteCase(stage, 'each visitor has a session of their own', plain, async ({ browser }) => {
      const [ann, bob] = [browser(), browser()]
      await ann.get('/count')
      assert.equal((await bob.get('/count')).body, '1')
      assert.notEqual(ann.cookie, bob.cookie)
    }),

    siteCase(
      stage,
      'an id that the server did not issue is never adopted',
      plain,
      async ({ browser, origin }) => {
        const ann = browser()
        await ann.get('/count')
        // Over https the name of the cookie has a prefix.
        const [cookie = '', id = ''] = ann.cookie.split('=')
        const [key = ''] = id.split('.')
        const junk = ['x', '.', '%00', 'a'.repeat(3000), id.slice(0, -1), `"${FORGED}"`]
        for (const id of [FORGED, `${key}.${'A'.repeat(32)}`, ...junk]) {
          const thief = new Browser(origin)
          thief.keep([`${cookie}=${id}; Path=/`])
          assert.deepEqual(await read(thief), {}, 'it opens nothing')
          assert.equal((await thief.get('/count')).body, '1')
          assert.notEqual(thief.cookie, `${cookie}=${id}`, 'the visitor gets an id of the server')
          assert.ok(!thief.cookie.includes(key), 'and a session of their own')
        }
      },
    ),

    siteCase(
      stage,
      'an id that has expired is never adopted',
      () => {
        const time = { now: Date.now() }
        const clock = (): number => time.now
        return { time, options: { clock, store: memoryStore({ clock }), idleTimeout: '1h' as const } }
      },
      async ({ browser, time }) => {
        const ann = browser()
        await ann.get('/count')
        const { cookie } = ann
        time.now += HOUR
        assert.deepEqual(await read(ann), {})
        assert.equal((await ann.get('/count')).body, '1')
        assert.notEqual(ann.cookie, cookie)
      },
    ),

    siteCase(stage, 'the id of another site is never adopted', plain, async ({ browser, origin }) => {
      const other = siteCase(stage, '', plain, async (site) => {
        const ann = site.browser()
        await ann.get('/count')
        const here = new Browser(origin)
        here.keep([ann.cookie])
        assert.deepEqual(await read(here), {})
        assert.equal((await here.get('/count')).body, '1')
        assert.notEqual(here.cookie, ann.cookie)
      })
      await other.run()
      assert.deepEqual(await read(browser()), {})
    }),

    siteCase(stage, 'a sign-in changes the id, keeps the data, and ends the old id', plain, async (site) => {
      const ann = site.browser()
      await ann.get('/count')
      const before = new Browser(site.origin)
      before.keep([ann.cookie])
      await ann.post('/login?user=ann')
      assert.notEqual(ann.cookie, before.cookie)
      assert.deepEqual(await read(ann), { user: 'ann', n: 1 })
      assert.deepEqual(await read(before), {})
    }),

    siteCase(
      stage,
      'a sign-in submitted twice at once leaves the browser signed in, whichever answer arrives last',
      () => {
        const bothIn = barrier(2)
        const loginBoth: Page = async (visit) => {
          const session = await visit.session()
          await bothIn()
          session.login('ann')
          return { status: 303, headers: [['Location', '/read']] }
        }
        return { pages: { '/login-both': loginBoth } }
      },
      async ({ browser, origin }) => {
        const ann = browser()
        await ann.get('/count')
        const before = new Browser(origin)
        before.keep([ann.cookie])
        const answers = await Promise.all([ann.post('/login-both'), ann.post('/login-both')])
        for (const { setCookies } of answers) {
          const last = new Browser(origin)
          last.keep(setCookies)
          assert.deepEqual(await read(last), { user: 'ann', n: 1 })
        }
        assert.deepEqual(await read(before), {}, 'the id from before the sign-in is dead')
      },
    ),

    siteCase(
      stage,
      'destroy() ends the session and clears the cookie with its own attributes',
      () => ({ options: { cookie: { name: 'visit', sameSite: 'strict', domain: 'localhost' } } as const }),
      async ({ browser, origin }) => {
        const ann = browser()
        const { setCookies: set } = await ann.get('/count')
        const thief = new Browser(origin)
        thief.keep([ann.cookie])
        const { setCookies: clear } = await ann.post('/logout')
        assert.equal(clear.length, 1)
        assert.match(String(clear), /^(__Secure-)?visit=;.*Max-Age=0/)
        assert.deepEqual(attributes(clear), attributes(set))
        assert.equal(ann.cookie, '')
        assert.deepEqual(await read(thief), {})
      },
    ),
  ]
}

/** What the session holds, as the site shows it. */
export async function read(browser: Browser): Promise<unknown> {
  return JSON.parse((await browser.get('/read')).body)
}

function attributes([setCookie = '']: string[]): string[] {
  const [, ...all] = setCookie.split(';').map((part) => part.trim())
  return all.filter((attribute) => !/^(max-age|expires)=/i.test(attribute)).sort()
}
