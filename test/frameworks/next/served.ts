import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import type { Serve, Site } from '../../../src/testing/adapter-site.ts'
import { close, originOf } from '../../adapters/serve.ts'

const dir = fileURLToPath(new URL('site', import.meta.url))
const require = createRequire(import.meta.url)
const command = require.resolve('next/dist/bin/next')

/** What is used of a server of Next in this process. Its own types do not know that it is a function. */
interface NextServer {
  prepare(): Promise<void>
  getRequestHandler(): (req: IncomingMessage, res: ServerResponse) => Promise<void>
  close(): Promise<void>
}

/** Next's command on the site, as in production. */
function run(...args: string[]): ChildProcess {
  const env = { ...process.env, NODE_ENV: 'production' as const, NEXT_TELEMETRY_DISABLED: '1', NO_COLOR: '1' }
  return spawn(process.execPath, [command, ...args], { cwd: dir, env, stdio: ['ignore', 'pipe', 'pipe'] })
}

/** Builds the site. */
export async function buildSite(): Promise<void> {
  const build = run('build')
  let output = ''
  build.stdout?.on('data', (chunk) => (output += chunk))
  build.stderr?.on('data', (chunk) => (output += chunk))
  const [code] = await once(build, 'close')
  if (code !== 0) throw new Error(`next build failed:\n${output}`)
}

export interface StartedSite {
  readonly origin: string
  /** What the server has printed. */
  readonly output: string
  stop(): Promise<void>
}

/** Starts the built site by `next start`. */
export async function startSite(): Promise<StartedSite> {
  const server = run('start', '--port', '0', '--hostname', '127.0.0.1')
  let output = ''
  const origin = await new Promise<string>((resolve, reject) => {
    const read = (chunk: Buffer): void => {
      output += chunk
      const [, port] = /http:\/\/127\.0\.0\.1:(\d+)[\s\S]*Ready/.exec(output) ?? []
      if (port) resolve(`http://127.0.0.1:${port}`)
    }
    server.stdout?.on('data', read)
    server.stderr?.on('data', read)
    server.once('close', () => reject(new Error(`next start failed:\n${output}`)))
  })
  return {
    origin,
    get output() {
      return output
    },
    async stop() {
      const closed = once(server, 'close')
      server.kill()
      await closed
    },
  }
}

/**
 * Serves sites of the contract with the built site's Route Handler, in this process, where its pages are. One Next serves
 * them all: it tells them by their ports.
 */
export async function contractServer(): Promise<{ serve: Serve; close(): Promise<void> }> {
  const sites = new Map<string, Site>()
  Object.assign(globalThis, { sites })
  const createNext: (options: { dev: boolean; dir: string }) => NextServer = require('next')
  const app = createNext({ dev: false, dir })
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
