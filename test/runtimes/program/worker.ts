import { WorkerEntrypoint } from 'cloudflare:workers'
import type { D1Client } from '../../../src/stores/d1.ts'
import { adapterContract, type Serve, type Site } from '../../../src/testing/index.ts'
import { type FetchSite, fetchSite, honoSite } from '../../adapters/fetch-sites.ts'
import { coreSuites } from './core.ts'
import type { Extent } from './extent.ts'
import { runSuites, type Suite } from './suite.ts'
import { workerStoreSuites } from './worker-stores.ts'

// What Cloudflare's workerd runs. The contract's client runs in here, too, since a rule and its site share counters and
// clocks; but its requests leave, and come back over real HTTP, each to a socket that stands for a site.

interface Env {
  DB: D1Client
}

/** The sites that were served so far, each behind a socket of its own. */
const sites: FetchSite[] = []
let origins: readonly string[] = []

/** What answers at the socket of that number. */
export const socket = (index: number) =>
  class extends WorkerEntrypoint {
    override fetch(request: Request): Response | Promise<Response> {
      const site = sites[index]
      return site ? site(request, this.env, this.ctx) : new Response('No site', { status: 500 })
    }
  }

/**
 * No socket serves two sites: workerd keeps connections, closes those that were idle for 5 seconds at both ends at once, and
 * what is sent over one at that moment is lost.
 */
const serves =
  (siteOf: (site: Site) => FetchSite): Serve =>
  async (site) => {
    const origin = origins[sites.push(siteOf(site)) - 1]
    if (origin === undefined) throw new Error('There are more sites than sockets')
    return { origin, close: async () => undefined }
  }

const ADAPTERS = { 'fetch on workerd': serves(fetchSite), 'Hono on workerd': serves(honoSite) }

async function suites(extent: Extent, database: D1Client): Promise<Suite[]> {
  const core = await coreSuites(extent)
  const adapters = Object.entries(ADAPTERS).map(
    ([subject, serve]): Suite => ({ kind: 'adapter', subject, rules: adapterContract(serve) }),
  )
  return [...core, ...adapters, ...workerStoreSuites(database)]
}

/** What the test asks: runs everything, and answers a line of JSON for each outcome, as they come. */
export class Contracts extends WorkerEntrypoint<Env> {
  override async fetch(request: Request): Promise<Response> {
    const { searchParams } = new URL(request.url)
    origins = searchParams.getAll('origin')
    const { readable, writable } = new TransformStream()
    const writer = writable.getWriter()
    const encoder = new TextEncoder()
    const only = searchParams.get('only')
    const run = async (): Promise<void> => {
      const all = await suites(searchParams.get('extent') as Extent, this.env.DB)
      const wanted = only ? all.filter(({ subject }) => subject === only) : all
      await runSuites(
        wanted,
        (outcome) => void writer.write(encoder.encode(`${JSON.stringify(outcome)}\n`)),
        1,
      )
      await writer.close()
    }
    this.ctx.waitUntil(run())
    return new Response(readable)
  }
}
