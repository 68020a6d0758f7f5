import { once } from 'node:events'
import { cpSync, existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { blocksOf } from '../../../scripts/page-blocks.ts'
import { createSessions } from '../../../src/index.ts'
import { memoryStore } from '../../../src/stores/memory.ts'
import type { Serve, Site } from '../../../src/testing/adapter-site.ts'
import { close, originOf } from '../../adapters/serve.ts'
import { type Followed, serve } from '../../package/follow.ts'
import { packed, root } from '../../package/packed.ts'
import { layOut, waysOf } from '../../package/pages.ts'
import { linkFiles } from './link-files.ts'

const PAGE = 'docs/frameworks/next.md'

/** What is used of a server of Next in this process. Its own types do not know that it is a function. */
interface NextServer {
  prepare(): Promise<void>
  getRequestHandler(): (req: IncomingMessage, res: ServerResponse) => Promise<void>
  close(): Promise<void>
}

/** The page of Next, in a folder that was empty. */
export interface LaidOut {
  folder: string
  /** Does what the page says, a build included. */
  follow(): Promise<Followed>
  /** Serves what was built, with sessions that the test controls: see `site/bench.ts`. */
  serveBench(): Promise<Followed>
}

/**
 * Lays out what the page shows and has one install.
 * @param config - settings of Next, where a site has some
 * @param packages - the folder that has Next
 */
export async function layOutPage(config: object = {}, packages = import.meta.dirname): Promise<LaidOut> {
  const [way] = waysOf(PAGE)
  if (!way) throw new Error('The page does not say how to begin')
  const { app } = await packed()
  const folder = mkdtempSync(join(tmpdir(), 'sojourn-next-'))
  const modules = join(folder, 'node_modules')
  for (const place of [packages, app]) linkFiles(join(place, 'node_modules'), modules)
  const others = way.packages.filter((name) => !existsSync(join(modules, name)))
  layOut({ ...way, packages: others }, folder, app)
  // As `npm install` leaves one.
  writeFileSync(join(folder, 'package.json'), '{}')
  // A build is used once.
  const settings = { ...config, experimental: { turbopackFileSystemCacheForBuild: false } }
  writeFileSync(join(folder, 'next.config.mjs'), `export default ${JSON.stringify(settings)}`)
  const start = (commands: string, env = {}): Promise<Followed> =>
    serve(commands, folder, process.execPath, { NEXT_TELEMETRY_DISABLED: '1', ...env })
  return {
    folder,
    follow: () => start(way.commands),
    serveBench: () =>
      start('node_modules/.bin/next start', {
        NODE_OPTIONS: `--import=${join(folder, 'bench.ts')}`,
        // Next sets it too late for what is loaded in front of it.
        NODE_ENV: 'production',
      }),
  }
}

/** Puts another file of the page in the place of the first one of that name. */
export function takeOther(name: string, { folder }: LaidOut): void {
  const other = blocksOf(readFileSync(join(root, PAGE), 'utf8')).findLast((block) => block.name === name)
  writeFileSync(join(folder, name), other?.code ?? '')
}

/** Puts the test's own routes beside those of the page, for the same build. @param part - of them, else all */
export function addRoutes({ folder }: LaidOut, part = ''): void {
  const [from, to] = [join(import.meta.dirname, 'site', part), join(folder, part)]
  cpSync(from, to, { recursive: true, force: false, errorOnExist: true })
  const toResponse = readFileSync(join(root, 'test/adapters/to-response.ts'), 'utf8')
  writeFileSync(
    join(folder, 'lib/to-response.ts'),
    toResponse.replace('../../src/testing/adapter-site.ts', 'sojourn/testing'),
  )
}

/**
 * Serves sites of the contract with a Route Handler of what was built in a folder, in this process, where their pages are. One
 * Next serves them all: it tells them by their ports.
 */
export async function contractServer(folder: string): Promise<{ serve: Serve; close(): Promise<void> }> {
  const sites = new Map<string, Site>()
  // The proxy has sessions of another cookie, so that it leaves those of the contract alone.
  const sessions = createSessions({ store: memoryStore(), cookie: { name: 'page' } })
  Object.assign(globalThis, { sites, sessions })
  const require = createRequire(join(folder, 'package.json'))
  const createNext: (options: { dev: boolean; dir: string }) => NextServer = require('next')
  const app = createNext({ dev: false, dir: folder })
  const handle = app.getRequestHandler()
  await app.prepare()
  const serve: Serve = async (site) => {
    const server = createServer((req, res) => {
      req.url = `/contract${req.url}`
      void handle(req, res)
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const origin = originOf(server)
    const { host } = new URL(origin)
    sites.set(host, site)
    return {
      origin,
      async close() {
        await close(server)
        sites.delete(host)
      },
    }
  }
  return { serve, close: () => app.close() }
}
