import assert from 'node:assert/strict'
import { read } from './adapter-identity-cases.ts'
import { count, ERROR_PAGE, type Page, type Setup, STREAMED, type Stage, siteCase } from './adapter-site.ts'
import type { Rule } from './contract-case.ts'

const PAGES: Record<string, Page> = {
  '/own-cookies': async (visit) => {
    count(await visit.session())
    return {
      headers: [
        ['Set-Cookie', 'theme=dark; Path=/'],
        ['Set-Cookie', 'size=big; Path=/'],
      ],
      body: 'cookies',
    }
  },
  '/public': async (visit) => {
    count(await visit.session())
    const headers = [
      ['Cache-Control', 'public, max-age=60'],
      ['Vary', 'Accept-Language'],
    ] as const
    return { headers, body: 'public' }
  },
  '/empty': async (visit) => {
    count(await visit.session())
    return { status: 204 }
  },
  '/unchanged': async (visit) => {
    count(await visit.session())
    return { status: 304, headers: [['ETag', '"1"']] }
  },
  '/throws': async (visit) => {
    count(await visit.session())
    throw Object.assign(new Error('The page failed'), { status: 502 })
  },
  '/not-found': async (visit) => {
    count(await visit.session())
    return { status: 404, headers: [['Content-Type', 'text/plain']], body: 'Not found.' }
  },
}

/** What kinds of answers there are, and what the session adds to them. */
export function answerCases(stage: Stage): Rule[] {
  const site = (): Setup => ({ pages: PAGES })
  /** A first visit to a page: the session is stored, and the answer brings its cookie. */
  const visit = (name: string, path: string, method: string, status: number, body: string): Rule =>
    siteCase(stage, `${name} carries the cookie of a session that is stored`, site, async ({ browser }) => {
      const ann = browser()
      const answer = await ann.request(path, { method })
      assert.equal(answer.status, status)
      assert.equal(answer.body, body)
      assert.equal(answer.setCookies.length, 1)
      assert.deepEqual(await read(ann), { n: 1 })
      // The next one travels on the same connection, most likely: it must be in order.
      assert.equal((await ann.request(path, { method })).status, status)
      assert.deepEqual(await read(ann), { n: 2 })
    })

  return [
    visit('a text', '/count?', 'POST', 200, '1'),
    visit('a streamed body', '/stream', 'GET', 200, STREAMED),
    visit('an empty answer (204)', '/empty', 'GET', 204, ''),
    visit('an answer to HEAD', '/count', 'HEAD', 200, ''),
    visit('an answer to HEAD of a streamed page', '/stream', 'HEAD', 200, ''),
    visit('an answer without change (304)', '/unchanged', 'GET', 304, ''),
    visit('a redirect', '/redirect', 'POST', 303, ''),
    visit('an error page that the handler answers', '/not-found', 'GET', 404, 'Not found.'),
    visit('an error page for what the handler throws', '/throws', 'GET', 502, ERROR_PAGE),

    siteCase(stage, 'cookies that the handler sets survive beside it', site, async ({ browser }) => {
      const { setCookies } = await browser().get('/own-cookies')
      const names = setCookies.map((cookie) => /^(?:__Host-Http-)?(\w+)=/.exec(cookie)?.[1]).sort()
      assert.deepEqual(names, ['sid', 'size', 'theme'])
    }),

    siteCase(
      stage,
      'an answer that sets the cookie is kept out of shared caches, and one that read the session varies on it',
      site,
      async ({ browser }) => {
        const ann = browser()
        const first = (await ann.get('/public')).headers
        assert.match(first.get('Cache-Control') ?? '', /private/)
        assert.doesNotMatch(first.get('Cache-Control') ?? '', /public/)
        assert.match(first.get('Cache-Control') ?? '', /max-age=60/)
        assert.match((await browser().get('/count')).headers.get('Cache-Control') ?? '', /private/)
        for (const headers of [first, (await ann.get('/public')).headers]) {
          assert.match(headers.get('Vary') ?? '', /Cookie/)
          assert.match(headers.get('Vary') ?? '', /Accept-Language/)
        }
        assert.match((await ann.get('/read')).headers.get('Vary') ?? '', /Cookie/)
        const ignored = (await ann.get('/nothing')).headers
        assert.doesNotMatch(ignored.get('Vary') ?? '', /Cookie/)
        assert.doesNotMatch(ignored.get('Cache-Control') ?? '', /private/)
      },
    ),
  ]
}
