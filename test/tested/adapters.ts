import { versionOf } from './versions.ts'

/** An adapter that the contract runs on: a column of `docs/frameworks/tested.md`. */
export interface TestedAdapter {
  /** The entry point, as in `sojourn/express`. */
  readonly entry: string
  /** Its heading: the framework and its version. */
  readonly column: string
  /** How the contract's site answers or is served, where that makes a difference to the adapter. */
  readonly ways: readonly string[]
  /** What else took part. */
  readonly by: string
}

const H3 = 'test/frameworks/h3'
const NEST = 'test/frameworks/nest'

export const NODE = `Node.js ${versionOf('node')}`
const HONO_SERVER = `served by @hono/node-server ${versionOf('@hono/node-server')}`

function adapter(entry: string, column: string, by = '', ways: readonly string[] = ['']): TestedAdapter {
  return { entry, column, by, ways }
}

function nest(platform: 'Express' | 'Fastify'): TestedAdapter {
  const below = `@nestjs/platform-${platform.toLowerCase()}`
  return adapter(
    'nest',
    `NestJS ${versionOf('@nestjs/core', NEST)} on ${platform}`,
    `${below} ${versionOf(below, NEST)}`,
  )
}

/** All of them, in the order of the page. Each entry point for a framework must be here: a test says so. */
export const ADAPTERS = {
  http: adapter('node', 'node:http'),
  https: adapter('node', 'node:https', 'over TLS, so with a Secure cookie'),
  http2: adapter('node', 'node:http2', 'behind a bridge for a client of HTTP/1.1'),
  'Express 5': adapter('express', `Express ${versionOf('express')}`),
  'Express 4': adapter('express', `Express ${versionOf('express4')}`),
  Fastify: adapter('fastify', `Fastify ${versionOf('fastify')}`),
  Koa: adapter('koa', `Koa ${versionOf('koa')}`),
  Hono: adapter('hono', `Hono ${versionOf('hono')}`, HONO_SERVER),
  fetch: adapter('fetch', 'fetch handler', HONO_SERVER),
  'h3 2': adapter('h3', `h3 ${versionOf('h3', H3)}`, '', [
    'answering with a value',
    'answering with a response',
  ]),
  'h3 1': adapter('h3', `h3 ${versionOf('h3v1', H3)}`, '', [
    'answering with a value',
    'answering by its response',
  ]),
  'Nest on Express': nest('Express'),
  'Nest on Fastify': nest('Fastify'),
  Next: adapter(
    'next',
    `Next.js ${versionOf('next', 'test/frameworks/next')}`,
    'a Route Handler, after `next build`',
  ),
} satisfies Record<string, TestedAdapter>

export type AdapterName = keyof typeof ADAPTERS
