import { spawnSync } from 'node:child_process'
import { globSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Visitor } from '../recipes/visitor.ts'
import { describeOn } from '../runtimes/describe-on.ts'
import { RUNTIMES } from '../runtimes/runtimes.ts'
import { serve } from './follow.ts'
import { packed, root } from './packed.ts'
import { layOut, link, mainOf, type Way, waysOf } from './pages.ts'

// Every page that shows how to begin, followed from an empty folder as a new user does: what it says is written,
// installed from the tarball and started, and the visits are counted.

/** Pages of stores have a `sessions.ts`, for the page of a framework to use. */
const [SITE] = waysOf('docs/frameworks/express.md')

/** Pages that nobody can follow here, and why. */
const NOT_FOLLOWED: Record<string, string> = {
  'docs/frameworks/full-stack.md': 'takes builds of its own; test/frameworks/meta runs such sites',
  'docs/frameworks/next.md': 'takes a build; test/frameworks/next follows it, for all that needs one',
  'docs/frameworks/tested.md': 'has tables only',
  'docs/stores/README.md': 'helps to choose',
  'docs/stores/measured.md': 'has figures only',
  'docs/stores/tested.md': 'has versions only',
  'docs/stores/d1.md': 'needs Cloudflare; test/runtimes/workers runs its Worker',
  'docs/stores/dynamo.md': 'needs DynamoDB; test/stores/dynamo runs the store',
  'docs/stores/etcd.md': 'needs a cluster; test/stores/etcd runs the store',
  'docs/stores/express-store.md': 'is for sites that run already; test/stores/moving runs its program',
  'docs/stores/memcached.md': 'needs a server; test/stores/memcached runs the store',
  'docs/stores/mysql.md': 'needs a server; test/stores/mysql runs the store',
  'docs/stores/nats.md': 'needs a cluster; test/stores/nats runs the store',
  'docs/stores/postgres.md': 'needs a server; test/stores/postgres runs the store',
  'docs/stores/redis.md': 'needs a server; test/stores/redis runs the store',
  'docs/stores/tiered.md': 'needs memcached; test/stores/tiered runs the store',
}

/** Where a program has no page of visits: what puts a book into a basket, and lists it. */
const GRAPHQL = { path: '/graphql', body: JSON.stringify({ query: 'mutation { add(book: "Emma") }' }) }
const BASKETS: Record<string, { path: string; body: string }> = {
  'trpc.ts': { path: '/trpc/add', body: '"Emma"' },
  'yoga.ts': GRAPHQL,
  'apollo.ts': GRAPHQL,
  'passport.ts': { path: '/cart/Emma', body: '' },
}

const pages = ['README.md', ...globSync('docs/{frameworks,stores}/*.md', { cwd: root })].sort()
const followed = pages
  .filter((page) => !(page in NOT_FOLLOWED))
  .flatMap((page) => {
    const ways = waysOf(page, page.startsWith('docs/stores/') ? SITE : undefined)
    return ways.map((way) => ({ name: `${page}: ${lastOf(way.commands)}`, ...way }))
  })

let folder: string
let mistakes: string

beforeAll(async () => {
  const { app } = await packed()
  folder = mkdtempSync(join(tmpdir(), 'sojourn-follow-'))
  for (const way of followed) layOut(way, join(folder, nameOf(way)), app)
  mistakes = compile()
})
afterAll(() => rmSync(folder, { recursive: true }))

it('follows every page, or says why not', () => {
  expect(pages).toEqual(expect.arrayContaining(Object.keys(NOT_FOLLOWED)))
  expect(followed.filter(({ files }) => files.size === 0)).toEqual([])
  const mains = followed.map(({ commands }) => mainOf(commands))
  expect(mains).toEqual(expect.arrayContaining(Object.keys(BASKETS)))
})

for (const way of followed) {
  describe(way.name, () => {
    // The others are compiled by `npm run check`, with what the page declares.
    if (way.isDeclared) {
      it('compiles', () => {
        expect(mistakes.split('\n').filter((line) => line.startsWith(`${nameOf(way)}/`))).toEqual([])
      })
    }

    const [program] = lastOf(way.commands).split(' ')
    const runtime = RUNTIMES.find(({ name }) => name.toLowerCase() === program)
    if (runtime) describeOn(runtime, () => describeSite(way, runtime.binary))
    else describeSite(way, process.execPath)
  })
}

function describeSite(way: Way & { name: string }, binary: string): void {
  let site: Awaited<ReturnType<typeof serve>>
  beforeAll(async () => {
    site = await serve(way.commands, join(folder, nameOf(way)), binary)
  })
  afterAll(() => site?.stop())

  /** Comes once more. @returns how often the visitor has been there */
  async function count(visitor: Visitor): Promise<number> {
    const basket = BASKETS[mainOf(way.commands)]
    if (!basket) {
      const page = await visitor.text('/')
      return Number(/visited this page (\d+) times/.exec(page)?.[1])
    }
    const { path, body } = basket
    const headers = { 'Content-Type': 'application/json' }
    const list = await visitor.text(path, { method: 'POST', headers, body })
    return list.split('Emma').length - 1
  }

  it('counts visits', async () => {
    const visitor = new Visitor(site.origin)
    for (const visits of [1, 2, 3]) expect(await count(visitor)).toBe(visits)
    expect(await count(new Visitor(site.origin))).toBe(1)
  })

  const hasSockets = [...way.files.values()].some((code) => code.includes('ofUpgrade'))
  // That one speaks a protocol of its own; test/recipes/websockets has a client.
  if (!hasSockets || way.packages.includes('socket.io')) return

  it('counts messages of a socket, too', async () => {
    const visitor = new Visitor(site.origin)
    await count(visitor)
    const socket = new WebSocket(site.origin.replace('http', 'ws'), { headers: { cookie: visitor.cookie } })
    const answers: string[] = []
    socket.addEventListener('message', ({ data }) => answers.push(String(data)))
    const closed = new Promise((resolve) => socket.addEventListener('close', resolve))
    await new Promise((resolve) => socket.addEventListener('open', resolve))
    for (const messages of [1, 2, 3]) {
      socket.send('hello')
      await expect.poll(() => answers.at(-1)).toBe(`${messages}: hello`)
    }
    socket.close()
    await closed
    expect(await count(visitor)).toBe(2)
  })
}

/** The command that serves. */
function lastOf(commands: string): string {
  return commands.split('\n').at(-1) ?? ''
}

function nameOf({ name }: { name: string }): string {
  return name.replaceAll(/\W/g, '_')
}

/** What the compiler says of all pages, as strict as `tsc --init` makes it. */
function compile(): string {
  const compilerOptions = {
    module: 'nodenext',
    target: 'esnext',
    // What every page has installed, and Bun, Deno and workers have by themselves.
    types: ['node'],
    strict: true,
    noUncheckedIndexedAccess: true,
    exactOptionalPropertyTypes: true,
    verbatimModuleSyntax: true,
    isolatedModules: true,
    moduleDetection: 'force',
    skipLibCheck: true,
    // As Nest's own settings have it.
    experimentalDecorators: true,
    allowImportingTsExtensions: true,
    noEmit: true,
  }
  // By another name than a program of a page would find.
  writeFileSync(join(folder, 'all.json'), JSON.stringify({ compilerOptions }))
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
  link(join(root, 'node_modules/@types/node'), join(folder, 'node_modules/@types/node'))
  const tsc = join(root, 'node_modules/typescript/bin/tsc')
  return spawnSync(process.execPath, [tsc, '-p', 'all.json', '--pretty', 'false'], {
    cwd: folder,
    encoding: 'utf8',
  }).stdout
}
