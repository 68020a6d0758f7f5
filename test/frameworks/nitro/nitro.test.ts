import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { blocksOf } from '../../../scripts/page-blocks.ts'
import { Browser } from '../../../src/testing/browser.ts'
import { serve } from '../../package/follow.ts'

// The files of docs/frameworks/h3.md that are for Nitro 2, which Nuxt stands on: built, and served on real HTTP.

const PAGE = new URL('../../../docs/frameworks/h3.md', import.meta.url)

/** What the page does not show: answers that are no values. */
const ROUTES = {
  'server/routes/redirect.ts': "await sendRedirect(event, '/read', 303)",
  'server/routes/fails.ts': "throw createError({ status: 418, message: 'short and stout' })",
}

let folder: string
let site: Awaited<ReturnType<typeof serve>>

beforeAll(async () => {
  const dist = join(import.meta.dirname, 'dist')
  mkdirSync(dist, { recursive: true })
  folder = mkdtempSync(join(dist, 'site-'))
  const [part = ''] = readFileSync(PAGE, 'utf8').split('## Nitro 3')
  for (const { name, code } of blocksOf(part)) if (name) write(name, code)
  rmSync(join(folder, 'app.ts'))
  for (const [name, answer] of Object.entries(ROUTES)) write(name, routeOf(answer))
  write('server/routes/cached.ts', routeOf("return 'for all'", 'defineCachedEventHandler'))
  write('package.json', '{ "type": "module" }')
  const build = `${join(import.meta.dirname, 'node_modules/.bin/nitro')} build`
  site = await serve(`${build}\nnode .output/server/index.mjs`, folder, process.execPath)
})
afterAll(async () => {
  await site?.stop()
  rmSync(folder, { recursive: true })
})

function write(name: string, code: string): void {
  mkdirSync(dirname(join(folder, name)), { recursive: true })
  writeFileSync(join(folder, name), code)
}

/** A route that counts a visit, too. */
function routeOf(answer: string, define = 'defineEventHandler'): string {
  return `import { sessions } from '../../sessions.ts'
export default ${define}(async (event) => {
  const session = await sessions.of(event)
  session.update('num_visits', (n = 0) => n + 1)
  ${answer}
})`
}

async function visit(browser: Browser): Promise<string> {
  const { body } = await browser.get('/')
  return body
}

it('counts visits', async () => {
  const ann = new Browser(site.origin)
  for (const visits of [1, 2, 3]) expect(await visit(ann)).toBe(`You have visited this page ${visits} times.`)
  expect(await visit(new Browser(site.origin))).toContain('1 times')
})

it('loses none of 100 visits at once', async () => {
  const ann = new Browser(site.origin)
  await visit(ann)
  await Promise.all(Array.from({ length: 100 }, () => visit(ann)))
  expect(await visit(ann)).toContain('102 times')
})

it.each([
  ['a redirect', '/redirect', 303],
  ['an error page', '/fails', 418],
])('saves before %s what a handler began, and what it changed', async (_, path, status) => {
  const ann = new Browser(site.origin)
  const first = await ann.get(path)
  expect([first.status, first.setCookies.length]).toEqual([status, 1])
  const second = await ann.get(path)
  expect([second.status, second.setCookies.length]).toEqual([status, 0])
  expect(await visit(ann)).toContain('3 times')
})

it('has no session in a cached handler, whose answer goes to other visitors', async () => {
  const ann = new Browser(site.origin)
  await visit(ann)
  for (const visitor of [ann, new Browser(site.origin)]) {
    const { status, setCookies, body } = await visitor.get('/cached')
    expect([status, setCookies]).toEqual([500, []])
    expect(body).not.toContain('for all')
  }
})
