import type { RequestListener } from 'node:http'
import { join } from 'node:path'
import type { Store } from 'sojourn'
import type { CookieStore } from 'sojourn/cookie'
import { openStoreUrl } from 'sojourn/from-url'
import { atEndOfTurn } from './end-of-turn.ts'
import type { Floor, Keeper } from './floors.ts'
import type { Kind } from './places.ts'
import { SECRET, type Sites } from './site-data.ts'

export const frameworks = ['express', 'fastify', 'koa', 'node', 'hono'] as const
export type Framework = (typeof frameworks)[number]
type Keeping = 'memory' | 'sqlite' | 'redis' | 'postgres' | 'cookie'

/** What is compared: the same site, without sessions and with each kind of them. */
export interface Variant {
  /** `<framework>/bare`, or `<framework>/<store>/<by>`, where `by` begins with `sojourn`, `peer` or `floor`; or either with `-turn`. */
  name: string
  framework: Framework
  /** Where sessions are kept; nowhere in the bare framework. */
  keeping: Keeping | undefined
  title: string
  /** The server that it needs. */
  needs: Kind | undefined
  /** The site; its files, if it has any, go to the folder. @param url - of the server that it needs */
  listener(folder: string, url: string): RequestListener | Promise<RequestListener>
}

// Loaded on demand: a server loads what it serves, and nothing else.
const sites: Record<Framework, () => Promise<Sites>> = {
  express: () => import('./sites-express.ts'),
  fastify: () => import('./sites-fastify.ts'),
  koa: () => import('./sites-koa.ts'),
  node: () => import('./sites-node.ts'),
  hono: () => import('./sites-hono.ts'),
}

type Listener = Variant['listener']

function variant(
  framework: Framework,
  keeping: Keeping,
  by: string,
  title: string,
  listener: Listener,
): Variant {
  const needs = keeping === 'redis' || keeping === 'postgres' ? keeping : undefined
  return { name: `${framework}/${keeping}/${by}`, framework, keeping, title, needs, listener }
}

/** The bare framework, and it again as a control. */
function bare(framework: Framework, title: string): Variant[] {
  const alone: Variant = {
    name: `${framework}/bare`,
    framework,
    keeping: undefined,
    title,
    needs: undefined,
    listener: async () => (await sites[framework]()).bare(),
  }
  return [alone, inTurn(alone)]
}

/** The same at the end of each turn of the event loop, which is when Sojourn looks after requests. */
function inTurn(variant: Variant): Variant {
  return {
    ...variant,
    name: `${variant.name}-turn`,
    title: `${variant.title}, at the end of the turn`,
    listener: async (folder, url) => atEndOfTurn(await variant.listener(folder, url)),
  }
}

const kept: Record<
  Keeping,
  { title: string; open(folder: string, url: string): Promise<Store | CookieStore> }
> = {
  memory: { title: 'memory', open: async () => (await import('sojourn/memory')).memoryStore() },
  sqlite: {
    title: 'SQLite',
    open: async (folder) => (await import('sojourn/sqlite')).sqliteStore(join(folder, 'sessions.db')),
  },
  redis: { title: 'Redis by node-redis', open: (_, url) => openStoreUrl(url) },
  postgres: { title: 'PostgreSQL by pg', open: (_, url) => openStoreUrl(url) },
  cookie: {
    title: 'sealed cookie',
    open: async () => (await import('sojourn/cookie')).cookieStore({ keys: [SECRET] }),
  },
}

function sojourn(framework: Framework, keeping: Keeping): Variant {
  const { title, open } = kept[keeping]
  return variant(framework, keeping, 'sojourn', `Sojourn, ${title}`, async (folder, url) =>
    (await sites[framework]()).sojourn(await open(folder, url)),
  )
}

const keepers: Record<Exclude<Keeping, 'cookie'>, (folder: string, url: string) => Promise<Keeper>> = {
  memory: async () => (await import('./floors.ts')).memoryKeeper(),
  sqlite: async (folder) => (await import('./floor-keepers.ts')).sqliteKeeper(join(folder, 'floor.db')),
  redis: async (_, url) => (await import('./floor-keepers.ts')).redisKeeper(url),
  postgres: async (_, url) => (await import('./floor-keepers.ts')).postgresKeeper(url),
}

function floor(framework: 'express' | 'node', keeping: Keeping): Variant {
  const title = `written by hand: only what must be done, ${kept[keeping].title}`
  return variant(framework, keeping, 'floor', title, async (folder, url) => {
    const { floor: site } = await (framework === 'node'
      ? import('./sites-node.ts')
      : import('./sites-express.ts'))
    return site(await openFloor(keeping, folder, url))
  })
}

async function openFloor(keeping: Keeping, folder: string, url: string): Promise<Floor> {
  const { keptFloor, sealedFloor } = await import('./floors.ts')
  if (keeping === 'cookie') return sealedFloor(Buffer.from(SECRET, 'base64url'))
  return keptFloor(await keepers[keeping](folder, url))
}

const express = () => import('./sites-express.ts')
const fastify = () => import('./sites-fastify.ts')
const koa = () => import('./sites-koa.ts')
const peerStores = async () => (await import('./peer-stores.ts')).peers
const peerSqlite = () => import('./peer-sqlite.ts')

const all: Variant[] = [
  ...bare('express', 'Express alone'),
  sojourn('express', 'memory'),
  variant('express', 'memory', 'peer', 'express-session, MemoryStore', async () => (await express()).peer()),
  floor('express', 'memory'),
  sojourn('express', 'sqlite'),
  variant(
    'express',
    'sqlite',
    'sojourn-better-sqlite3',
    'Sojourn, SQLite by better-sqlite3',
    async (folder) => {
      const [{ withWal }, { sqliteStore }] = await Promise.all([peerSqlite(), import('sojourn/sqlite')])
      return (await express()).sojourn(sqliteStore(withWal(join(folder, 'sessions.db'))))
    },
  ),
  variant(
    'express',
    'sqlite',
    'peer',
    'express-session, better-sqlite3-session-store, WAL',
    async (folder) => {
      const { peerStore, withWal } = await peerSqlite()
      return (await express()).peer(peerStore(withWal(join(folder, 'sessions.db'))))
    },
  ),
  variant(
    'express',
    'sqlite',
    'peer-readme',
    'express-session, better-sqlite3-session-store as in its README',
    async (folder) => {
      const { peerStore, asInReadme } = await peerSqlite()
      return (await express()).peer(peerStore(asInReadme(join(folder, 'sessions.db'))))
    },
  ),
  floor('express', 'sqlite'),
  sojourn('express', 'redis'),
  variant('express', 'redis', 'peer', 'express-session, connect-redis by node-redis', async (_, url) =>
    (await express()).peer(await (await peerStores()).redis.open(url)),
  ),
  floor('express', 'redis'),
  sojourn('express', 'postgres'),
  variant('express', 'postgres', 'peer', 'express-session, connect-pg-simple by pg', async (_, url) =>
    (await express()).peer(await (await peerStores()).postgres.open(url)),
  ),
  floor('express', 'postgres'),

  ...bare('fastify', 'Fastify alone'),
  sojourn('fastify', 'memory'),
  ...fastifySession('memory', '@fastify/session, memory', async () => undefined),
  sojourn('fastify', 'redis'),
  ...fastifySession('redis', '@fastify/session, connect-redis by node-redis', async (url) =>
    (await peerStores()).redis.open(url),
  ),
  sojourn('fastify', 'cookie'),
  variant('fastify', 'cookie', 'peer', '@fastify/secure-session', async () => (await fastify()).securePeer()),

  ...bare('koa', 'Koa alone'),
  sojourn('koa', 'memory'),
  variant('koa', 'memory', 'peer', 'koa-session, memory', async () => {
    const { peer, memory } = await koa()
    return peer(memory())
  }),
  sojourn('koa', 'redis'),
  variant('koa', 'redis', 'peer', 'koa-session, Redis by node-redis', async (_, url) => {
    const { peer, redis } = await koa()
    return peer(await redis(url))
  }),
  sojourn('koa', 'cookie'),
  variant('koa', 'cookie', 'peer', 'koa-session, cookie (signed, not sealed)', async () =>
    (await koa()).peer(),
  ),

  ...bare('node', 'node:http alone'),
  ...(['memory', 'sqlite', 'redis', 'postgres', 'cookie'] as const).flatMap((keeping) => [
    sojourn('node', keeping),
    floor('node', keeping),
    // What a server sends is answered in one go in any case.
    ...(keeping === 'redis' || keeping === 'postgres' ? [] : [inTurn(floor('node', keeping))]),
  ]),
  variant('node', 'cookie', 'peer', 'iron-session', async () => (await import('./sites-node.ts')).peer()),

  ...bare('hono', 'Hono alone'),
  sojourn('hono', 'cookie'),
  variant('hono', 'cookie', 'peer', '@hono/session, JWE', async () =>
    (await import('./sites-hono.ts')).peer(),
  ),
]

/** As it is by itself, and without `rolling`, by which each answer saves the session and sets its cookie. */
function fastifySession(
  keeping: Keeping,
  title: string,
  open: (url: string) => Promise<Parameters<Awaited<ReturnType<typeof fastify>>['peer']>[0]>,
): Variant[] {
  const peer =
    (rolling: boolean): Listener =>
    async (_, url) =>
      (await fastify()).peer(await open(url), rolling)
  return [
    variant('fastify', keeping, 'peer', title, peer(true)),
    variant('fastify', keeping, 'peer-still', `${title}, rolling: false`, peer(false)),
  ]
}

export const variants: ReadonlyMap<string, Variant> = new Map(all.map((entry) => [entry.name, entry]))

/** The bare framework of a variant. */
export function bareOf({ framework }: Variant): string {
  return `${framework}/bare`
}

/** The bare framework at the end of the turn. */
export function bareInTurn({ framework }: Variant): string {
  return `${framework}/bare-turn`
}

/** With what a variant of Sojourn is compared: the other package, or what was written by hand, also at the end of the turn. */
export type By = 'peer' | 'floor' | 'floor-turn'

/** The one that it is compared with on the same kind of store. */
export function besides({ name }: Variant, by: By): Variant | undefined {
  const [framework, keeping, own = ''] = name.split('/')
  return own.startsWith('sojourn') ? variants.get(`${framework}/${keeping}/${by}`) : undefined
}

/** A few of each kind, for a smoke test that takes no server. */
const QUICK = [
  'express/bare',
  'express/memory/sojourn',
  'express/memory/peer',
  'express/sqlite/sojourn',
  'express/sqlite/peer',
  'fastify/bare',
  'fastify/cookie/sojourn',
  'fastify/cookie/peer',
  'node/bare',
  'node/memory/sojourn',
  'node/memory/floor',
]

/** The variants whose names have a text in them, and the bare framework of each. */
export function chosen(text: string, quick: boolean): Variant[] {
  const wanted = all.filter(
    ({ name }) => name.includes(text) && (!quick || text !== '' || QUICK.includes(name)),
  )
  const bares = new Set(wanted.flatMap((one) => [bareOf(one), bareInTurn(one)]))
  return all.filter((entry) => wanted.includes(entry) || bares.has(entry.name))
}
