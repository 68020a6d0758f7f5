import type { Serve, Site } from '../../../src/testing/index.ts'
import type { FetchSite } from '../../adapters/fetch-sites.ts'

interface Bun {
  version: string
  serve(options: { port: number; hostname: string; fetch: FetchSite }): {
    port: number
    stop(closeActiveConnections: boolean): Promise<void>
  }
}

interface Deno {
  version: { deno: string }
  serve(
    options: { port: number; hostname: string; onListen(): void },
    handler: FetchSite,
  ): { addr: { port: number }; shutdown(): Promise<void> }
}

const { Bun, Deno } = globalThis as { Bun?: Bun; Deno?: Deno }

export const isBun: boolean = Bun !== undefined
export const isDeno: boolean = Deno !== undefined

/** The runtime that runs this, as it says itself. */
export const version: string = nameOf()

function nameOf(): string {
  if (Bun) return `Bun ${Bun.version}`
  return Deno ? `Deno ${Deno.version.deno}` : `Node.js ${process.versions.node}`
}

/** Serves a site by Bun's own server. */
export function bunServes(handlerOf: (site: Site) => FetchSite): Serve {
  return async (site) => {
    if (!Bun) throw new Error('This is not Bun')
    const server = Bun.serve({ port: 0, hostname: '127.0.0.1', fetch: handlerOf(site) })
    return { origin: `http://localhost:${server.port}`, close: () => server.stop(true) }
  }
}

/** Serves a site by Deno's own server. */
export function denoServes(handlerOf: (site: Site) => FetchSite): Serve {
  return async (site) => {
    if (!Deno) throw new Error('This is not Deno')
    const handler = handlerOf(site)
    const onListen = () => undefined
    const server = Deno.serve({ port: 0, hostname: '127.0.0.1', onListen }, (request) => handler(request))
    return { origin: `http://localhost:${server.addr.port}`, close: () => server.shutdown() }
  }
}
