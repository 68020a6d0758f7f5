import { storeSuites } from '../runtimes/program/stores.ts'
import type { Suite } from '../runtimes/program/suite.ts'
import { workerStoreSuites } from '../runtimes/program/worker-stores.ts'
import { NODE } from './adapters.ts'
import { pinOf, versionOf } from './versions.ts'

/** A runtime that both contracts run on: a column of `docs/runtimes-tested.md`. */
export interface TestedRuntime {
  /** Its heading: what it calls itself when it runs. */
  readonly column: string
  /** The adapters whose way through the runtime is its own: the others stand on one of them. */
  readonly adapters: readonly string[]
  /** The stores, with what does not apply to them. */
  readonly stores: readonly Suite[]
}

const FOLDER = 'test/runtimes'

/** By the names of `test/runtimes/runtimes.ts`. */
export const TESTED_RUNTIMES: Readonly<Record<string, TestedRuntime>> = {
  'Node.js 20': like(`Node.js ${pinOf('node20', FOLDER)}`, '@hono/node-server', 'libsql'),
  'Node.js 22': like(`Node.js ${pinOf('node22', FOLDER)}`, '@hono/node-server', 'node:sqlite'),
  'Node.js 24': like(NODE, '@hono/node-server', 'node:sqlite'),
  'Node.js 26': like(`Node.js ${pinOf('node26', FOLDER)}`, '@hono/node-server', 'node:sqlite'),
  Bun: like(`Bun ${pinOf('@oven/bun-linux-x64', FOLDER)}`, 'Bun.serve', 'bun:sqlite'),
  Deno: like(`Deno ${pinOf('@deno/linux-x64-glibc', FOLDER)}`, 'Deno.serve', 'node:sqlite'),
  'Cloudflare workerd': {
    column: `workerd ${versionOf('workerd', FOLDER)}, Miniflare ${versionOf('miniflare', FOLDER)}`,
    adapters: ['fetch on workerd', 'Hono on workerd'],
    // Only what applies is asked here, so there need be no database.
    stores: workerStoreSuites(undefined as never),
  },
}

/** A runtime that has the modules of Node. @param driver what `sqliteStore` opens a path with there */
function like(column: string, server: string, driver: string): TestedRuntime {
  const stores = storeSuites('contracts').map((suite) => ({
    ...suite,
    subject: suite.subject.replace(/ by .*/, ` by ${driver}`),
  }))
  return { column, adapters: ['node:http', 'Express 5', `fetch on ${server}`], stores }
}
