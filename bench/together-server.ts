/*
 * Serves a visit counter in a process of its own: node together-server.ts <together | alone> <url of PostgreSQL>. Answers its
 * port when it listens, and from then on, to any message, the CPU time and the statements it has used so far.
 */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import pg from 'pg'
import { nodeSession } from '../src/adapters/node.ts'
import { createSessions, type Store } from '../src/index.ts'
import { postgresStore } from '../src/stores/postgres.ts'
import { type Data, prepared, visited } from './site-data.ts'

const [kind, connectionString = ''] = process.argv.slice(2)
const pool = new pg.Pool({ connectionString })
let statements = 0
const client = {
  query: (config: never) => {
    statements++
    return pool.query(config)
  },
} as unknown as pg.Pool
const sessions = createSessions<Data>({
  store: kind === 'alone' ? alone(() => postgresStore(client)) : postgresStore(client),
})

/** Gives each call a store that has no other one, so that nothing can travel together. */
function alone(open: () => Store): Store {
  const idle: Store[] = []
  async function by<T>(call: (store: Store) => Promise<T>): Promise<T> {
    const store = idle.pop() ?? open()
    try {
      return await call(store)
    } finally {
      idle.push(store)
    }
  }
  return {
    read: (key) => by((store) => store.read(key)),
    create: (key, entry) => by((store) => store.create(key, entry)),
    update: (key, entry, version) => by((store) => store.update(key, entry, version)),
    delete: (key) => by((store) => store.delete(key)),
  }
}

const server = createServer(
  nodeSession(sessions, async (req, res) => {
    const session = await sessions.of(req)
    if (req.url === '/me') {
      res.end(session.get('user')?.name)
      return
    }
    if (req.url === '/prepare') {
      for (const [key, value] of Object.entries(prepared)) session.set(key as never, value as never)
      res.end('ok')
      return
    }
    res.end(visited(session.update('num_visits', (n = 0) => n + 1)))
  }),
)
server.listen(0, '127.0.0.1', () => {
  process.send?.((server.address() as AddressInfo).port)
})
process.on('message', () => {
  const { user, system } = process.cpuUsage()
  process.send?.({ cpu: user + system, statements })
})
process.on('disconnect', () => {
  process.exit()
})
