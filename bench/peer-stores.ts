import session from 'express-session'
import type { Kind } from './places.ts'

/** The usual store of express-session on one kind of place. */
export interface Peer {
  /** The npm package. */
  name: string
  /** Opens it as its README shows. */
  open(url: string): Promise<session.Store>
}

// Loaded on demand: a process that measures one of them does not need the clients of all.
export const peers = {
  memory: {
    name: 'memorystore',
    async open() {
      const { default: load } = await import('memorystore')
      return new (load(session))({ checkPeriod: 86_400_000 })
    },
  },
  sqlite: {
    name: 'better-sqlite3-session-store',
    async open(url) {
      const { peerStore, withWal } = await import('./peer-sqlite.ts')
      return peerStore(withWal(pathOf(url)))
    },
  },
  file: {
    name: 'session-file-store',
    async open(url) {
      const { default: load } = await import('session-file-store')
      return new (load(session))({ path: pathOf(url), logFn: () => undefined })
    },
  },
  postgres: {
    name: 'connect-pg-simple',
    async open(url) {
      const [{ default: load }, { default: pg }] = await Promise.all([
        import('connect-pg-simple'),
        import('pg'),
      ])
      const pool = new pg.Pool({ connectionString: url })
      // The server ends before the pool does.
      pool.on('error', () => undefined)
      return new (load(session))({ pool, createTableIfMissing: true })
    },
  },
  mariadb: {
    name: 'express-mysql-session',
    async open(url) {
      const { default: load } = await import('express-mysql-session')
      const { hostname: host, port, username: user, pathname } = new URL(url)
      const store = new (load(session))({ host, port: Number(port), user, database: pathname.slice(1) })
      await store.onReady()
      return store
    },
  },
  redis: {
    name: 'connect-redis',
    async open(url) {
      const [{ RedisStore }, { createClient }] = await Promise.all([import('connect-redis'), import('redis')])
      const client = createClient({ url })
      client.on('error', () => undefined)
      await client.connect()
      return new RedisStore({ client })
    },
  },
  memcached: {
    name: 'connect-memcached',
    async open(url) {
      const { default: load } = await import('connect-memcached')
      return new (load(session))({ hosts: [new URL(url).host] })
    },
  },
} satisfies Partial<Record<Kind, Peer>>

/** The usual store on that kind of place; `undefined` where express-session has none that many use. */
export function peerOf(kind: Kind): Peer | undefined {
  return Object.hasOwn(peers, kind) ? peers[kind as keyof typeof peers] : undefined
}

function pathOf(url: string): string {
  return url.slice(url.indexOf(':') + 1)
}
