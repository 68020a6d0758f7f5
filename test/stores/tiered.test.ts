import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, beforeAll } from 'vitest'
import type { Store } from '../../src/store.ts'
import { memoryStore } from '../../src/stores/memory.ts'
import { sqliteStore } from '../../src/stores/sqlite.ts'
import { tieredStore } from '../../src/stores/tiered.ts'
import type { OpenedStore } from '../faults/source.ts'
import { ask, MEMCACHED, startMemcached } from '../servers/memcached.ts'
import { describeWith } from '../servers/program.ts'
import { REDIS_7, standaloneRedis } from '../servers/redis.ts'
import { describeStore } from './contract.ts'
import { temporaryFolder } from './temporary.ts'
import { openTiered } from './tiered-clients.ts'

// No `removeSchema`: whoever drops a table by hand has a cache to empty, too.
const shape = {
  expiry: 'given',
  shared: true,
  abilities: { purge: true, ofUser: true, close: true },
} as const

function administer(folder: string, sql: string): void {
  const database = new DatabaseSync(join(folder, 'sessions.db'))
  database.exec(sql)
  database.close()
}

const breakRow = (key: string) => `UPDATE sessions SET value = x'ff00' WHERE key = '${key}'`

interface Backend {
  folder: string
  cache: Store
  clock: () => number
}

/** The same store without its `close`: others use it, too. */
function lent({ read, create, update, delete: remove }: Store, store: Store): Store {
  return {
    read: read.bind(store),
    create: create.bind(store),
    update: update.bind(store),
    delete: remove.bind(store),
  }
}

describeStore<Backend>('tiered, memory before sqlite', {
  ...shape,
  prepare() {
    const backend: Backend = { folder: temporaryFolder(), clock: Date.now, cache: memoryStore() }
    const memory = memoryStore({ clock: () => backend.clock() })
    backend.cache = lent(memory, memory)
    return backend
  },
  open(backend, clock) {
    backend.clock = clock
    const store = sqliteStore(join(backend.folder, 'sessions.db'), { clock })
    return tieredStore({ cache: backend.cache, store, clock })
  },
  dispose: ({ folder }) => rmSync(folder, { recursive: true }),
  async breakEntry({ folder, cache }, key) {
    administer(folder, breakRow(key))
    await cache.delete(key)
  },
})

/** The caches that several processes share, and how a store on each is opened. */
const CACHES = [
  {
    kind: 'memcached',
    programs: [MEMCACHED],
    async start() {
      const { server, port } = await startMemcached()
      return { port, forget: (key: string) => ask(port, `delete ${key}`), stop: () => server.stop() }
    },
  },
  {
    kind: 'redis',
    programs: [REDIS_7],
    async start() {
      const redis = await standaloneRedis()
      const [port = 0] = redis.servers.keys()
      return { port, forget: (key: string) => redis.ask(port, 'DEL', key), stop: () => redis.stop() }
    },
  },
]

const file = new URL('./workers/tiered.ts', import.meta.url).pathname

for (const { kind, programs, start } of CACHES) {
  describeWith(programs, `a ${kind} before sqlite`, () => {
    let cache: Awaited<ReturnType<typeof start>>
    beforeAll(async () => {
      cache = await start()
    })
    afterAll(() => cache.stop())
    const opened = new Map<string, OpenedStore[]>()

    describeStore<string>(`tiered, ${kind} before sqlite`, {
      ...shape,
      prepare() {
        const folder = temporaryFolder()
        opened.set(folder, [])
        return folder
      },
      async open(folder, clock) {
        const tiered = await openTiered(kind, cache.port, folder, { clock })
        opened.get(folder)?.push(tiered)
        return tiered.store
      },
      async dispose(folder) {
        for (const { close } of opened.get(folder) ?? []) await close()
        rmSync(folder, { recursive: true })
      },
      async breakEntry(folder, key) {
        administer(folder, breakRow(key))
        await cache.forget(`${folder}:${key}`)
      },
      worker: (folder) => ({ file, args: [kind, `${cache.port}`, folder], execArgv: ['--no-warnings'] }),
    })
  })
}
