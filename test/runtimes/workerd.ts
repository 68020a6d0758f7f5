import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Miniflare, type WorkerOptions } from 'miniflare'
import { bundleWorker } from './bundle.ts'
import type { Extent } from './program/extent.ts'
import { linesOf, type Report, type Runtime } from './runtimes.ts'

// As many as the contracts of its adapters serve, and some more.
const SITES = Array.from({ length: 100 }, (_, i) => `Site${i}`)
// No newer than the binary.
const COMPATIBILITY_DATE = '2026-07-30'

/** Cloudflare's runtime, as Miniflare starts it, with a database of D1. */
export const WORKERD: Runtime = {
  name: 'Cloudflare workerd',
  binary: fileURLToPath(new URL('node_modules/@cloudflare/workerd-linux-64/bin/workerd', import.meta.url)),
  async run(program, extent) {
    const file = program.replace('/program-', '/worker-')
    await bundleWorker('program/worker.ts', file)
    const contracts = module('contracts', file)
    const entry = [
      "import { socket } from './worker.mjs'",
      "export { Contracts } from './worker.mjs'",
    ].concat(SITES.map((site, i) => `export const ${site} = socket(${i})`))
    const worker: WorkerOptions = {
      ...contracts,
      modules: [{ type: 'ESModule', path: 'main.mjs', contents: entry.join('\n') }, ...contracts.modules],
      compatibilityFlags: ['nodejs_compat'],
      unsafeDirectSockets: ['Contracts', ...SITES].map((entrypoint) => ({ entrypoint, port: 0 })),
    }
    return withMiniflare([worker], (miniflare) => report(miniflare, extent))
  },
}

async function report(miniflare: Miniflare, extent: Extent): Promise<Report> {
  const url = await miniflare.unsafeGetDirectURL('contracts', 'Contracts')
  url.searchParams.set('extent', extent)
  for (const site of SITES) {
    const { port } = await miniflare.unsafeGetDirectURL('contracts', site)
    url.searchParams.append('origin', `http://localhost:${port}`)
  }
  const response = await fetch(url)
  const outcomes = linesOf(await response.text())
  return { version: `workerd ${versionOf('workerd')}, Miniflare ${versionOf('miniflare')}`, outcomes }
}

/** A Worker of one module, with a database of D1 that all of them share. */
export function module(name: string, file: string) {
  const contents = readFileSync(file, 'utf8')
  return {
    name,
    modules: [{ type: 'ESModule' as const, path: 'worker.mjs', contents }],
    compatibilityDate: COMPATIBILITY_DATE,
    d1Databases: { DB: 'sessions' },
  }
}

/** Starts Workers, and stops them whatever happens: they would keep the process alive. */
async function withMiniflare<T>(
  workers: WorkerOptions[],
  use: (miniflare: Miniflare) => Promise<T>,
): Promise<T> {
  const miniflare = new Miniflare({ workers })
  try {
    await miniflare.ready
    return await use(miniflare)
  } finally {
    await miniflare.dispose()
  }
}

function versionOf(name: string): string {
  const file = new URL(`node_modules/${name}/package.json`, import.meta.url)
  return JSON.parse(readFileSync(file, 'utf8')).version
}
