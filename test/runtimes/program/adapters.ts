import express from 'express'
import express4 from 'express4'
import { adapterContract, type Serve } from '../../../src/testing/index.ts'
import { fetchSite, honoSite } from '../../adapters/fetch-sites.ts'
import { serveExpress, serveHttp2, serveNode } from '../../adapters/sites.ts'
import { serveFastify, serveFetch, serveHono, serveKoa } from '../../adapters/web-sites.ts'
import type { Extent } from './extent.ts'
import { bunServes, denoServes, isBun, isDeno } from './native-servers.ts'
import type { Suite } from './suite.ts'

/** The adapters whose way through a runtime is its own: the others stand on one of these. */
function usual(): Record<string, Serve> {
  return { 'node:http': serveNode('pipe'), 'Express 5': serveExpress(express, 'pipe'), ...byFetch('fetch') }
}

function others(): Record<string, Serve> {
  return {
    'node:http2': serveHttp2('write'),
    'Express 4': serveExpress(express4, 'write'),
    Fastify: serveFastify,
    Koa: serveKoa,
    ...byFetch('Hono'),
  }
}

const SITES = { fetch: fetchSite, Hono: honoSite }

/** Served by what the runtime has for it; Node has nothing of its own. */
function byFetch(name: keyof typeof SITES): Record<string, Serve> {
  if (isBun) return { [`${name} on Bun.serve`]: bunServes(SITES[name]) }
  if (isDeno) return { [`${name} on Deno.serve`]: denoServes(SITES[name]) }
  return { [`${name} on @hono/node-server`]: name === 'fetch' ? serveFetch : serveHono }
}

/** The adapter contract, a suite for each adapter. */
export function adapterSuites(extent: Extent): Suite[] {
  const served = extent === 'all' ? { ...usual(), ...others() } : usual()
  return Object.entries(served).map(([subject, serve]) => ({
    kind: 'adapter',
    subject,
    rules: adapterContract(serve),
  }))
}
