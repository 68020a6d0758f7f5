import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { globSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { packed, root } from './packed.ts'
import { layOut, link, type Page, readPage } from './pages.ts'

// Every page that shows how to begin, followed from an empty folder as a new user does: what it says is written,
// installed from the tarball and started, and the visits are counted.

/** Pages of stores have a `sessions.ts`, for the page of a framework to use. */
const FRAMEWORK = 'docs/frameworks/express.md'

/** Pages that nobody can follow here, and why. */
const NOT_FOLLOWED: Record<string, string> = {
  'docs/frameworks/fetch.md': 'needs Bun, Deno or a worker; test/adapters/contract-fetch runs the adapter',
  'docs/frameworks/recipes.md': 'has programs without a page of visits; test/recipes runs them',
  'docs/frameworks/nest.md': 'needs a compiler of decorators; test/frameworks/nest runs such an application',
  'docs/frameworks/next.md': 'takes a build of its own; test/frameworks/next runs such a site',
  'docs/frameworks/websockets.md': 'is about sockets, too; test/recipes runs its programs',
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

const pages = ['README.md', ...globSync('docs/{frameworks,stores}/*.md', { cwd: root })].sort()
const followed = pages.filter((page) => !(page in NOT_FOLLOWED))

let folder: string
let mistakes: string

beforeAll(async () => {
  const { app } = await packed()
  folder = mkdtempSync(join(tmpdir(), 'sojourn-follow-'))
  for (const page of followed) layOut(complete(page), folderOf(page), app)
  mistakes = compile()
})
afterAll(() => rmSync(folder, { recursive: true }))

it('follows every page, or says why not', () => {
  expect(pages).toEqual(expect.arrayContaining(Object.keys(NOT_FOLLOWED)))
  expect(followed.filter((page) => !readPage(page).files.size || !complete(page).commands)).toEqual([])
})

describe.each(followed)('%s', (page) => {
  it('compiles', () => {
    expect(mistakes.split('\n').filter((line) => line.startsWith(nameOf(page)))).toEqual([])
  })

  it('counts visits', async () => {
    const site = await start(page)
    try {
      expect(await site.visit()).toContain('visited this page 1 times')
      expect(await site.visit()).toContain('visited this page 2 times')
      expect(await site.visit()).toContain('visited this page 3 times')
      expect(await site.visit({ cookie: '' })).toContain('visited this page 1 times')
    } finally {
      await site.stop()
    }
  })
})

/** What a page says; that of a store, with the rest of a site around it. */
function complete(page: string): Page {
  const own = readPage(page)
  if (!page.startsWith('docs/stores/')) return own
  const framework = readPage(FRAMEWORK)
  return {
    files: new Map([...framework.files, ...own.files]),
    packages: [...new Set([...framework.packages, ...own.packages])],
    commands: own.commands || framework.commands,
  }
}

function nameOf(page: string): string {
  return page.replaceAll(/\W/g, '_')
}

function folderOf(page: string): string {
  return join(folder, nameOf(page))
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
    allowImportingTsExtensions: true,
    noEmit: true,
  }
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions }))
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
  link(join(root, 'node_modules/@types/node'), join(folder, 'node_modules/@types/node'))
  const tsc = join(root, 'node_modules/typescript/bin/tsc')
  return spawnSync(process.execPath, [tsc, '--pretty', 'false'], { cwd: folder, encoding: 'utf8' }).stdout
}

/** Does what a page says, and visits what it serves. */
async function start(page: string) {
  const child = spawn('sh', ['-ec', complete(page).commands], {
    cwd: folderOf(page),
    // No more than a new user has: NODE_ENV, say, is the test runner's.
    env: {
      PATH: [dirname(process.execPath), process.env['PATH']].join(delimiter),
      HOME: process.env['HOME'],
      NODE_OPTIONS: `--import=${join(import.meta.dirname, 'free-port.mjs')}`,
    },
    // A group of its own, since what serves may be a child of the shell.
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const port = await portOf(child)
  let jar = ''
  return {
    async visit({ cookie = jar } = {}): Promise<string> {
      const response = await fetch(`http://localhost:${port}/`, { headers: cookie ? { cookie } : {} })
      const cookies = response.headers.getSetCookie().map((line) => line.split(';', 1)[0])
      if (cookies.length > 0) jar = cookies.join('; ')
      return await response.text()
    },
    async stop(): Promise<void> {
      if (child.exitCode !== null || !child.pid) return
      process.kill(-child.pid)
      await once(child, 'exit')
    },
  }
}

async function portOf(child: ChildProcess): Promise<string> {
  const { stdout, stderr } = child
  if (!stdout || !stderr) throw new Error('It has no output')
  let output = ''
  stderr.on('data', (chunk) => {
    output += chunk
  })
  for await (const line of createInterface(stdout)) {
    output += `${line}\n`
    const port = /^listens on port (\d+)$/.exec(line)?.[1]
    if (!port) continue
    stdout.resume()
    return port
  }
  throw new Error(`It ended before it served: ${output}`)
}
