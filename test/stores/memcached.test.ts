import { afterAll, beforeAll } from 'vitest'
import { ask, MEMCACHED, type Memcached, startMemcached, versionOf } from '../servers/memcached.ts'
import { describeWith } from '../servers/program.ts'
import { describeStore } from './contract.ts'
import { CLIENTS, openClient, type TestClient } from './memcached-clients.ts'
import { tested } from './tested.ts'

const file = new URL('./workers/memcached.ts', import.meta.url).pathname

describeWith([MEMCACHED], 'memcached', () => {
  const servers: Memcached[] = []
  beforeAll(async () => {
    servers.push(await startMemcached(), await startMemcached(), await startMemcached())
    for (const client of CLIENTS) tested('memcachedStore', client, await versionOf(servers[0]?.port ?? 0))
  })
  afterAll(async () => {
    for (const { server } of servers) await server.stop()
  })

  const addresses = (count: number) => servers.slice(0, count).map(({ address }) => address)
  let prefixes = 0

  for (const name of CLIENTS) {
    for (const count of [1, 3]) {
      const clients = new Map<string, TestClient[]>()
      describeStore(`memcached, ${name}, ${count === 1 ? 'one server' : 'three servers'}`, {
        expiry: 'given',
        shared: true,
        abilities: { purge: false, ofUser: true, close: false },
        prepare() {
          const prefix = `test"'*?[${prefixes++}]$&:`
          clients.set(prefix, [])
          return prefix
        },
        open(prefix, clock) {
          const client = openClient(name, addresses(count))
          clients.get(prefix)?.push(client)
          return client.store({ prefix, clock })
        },
        async dispose(prefix) {
          for (const client of clients.get(prefix) ?? []) await client.close()
        },
        async breakEntry(prefix, key) {
          for (const { port } of servers) await ask(port, `replace ${prefix}${key} 0 60 2\r\n{}`)
        },
        worker: (prefix) => ({
          file,
          args: [name, addresses(count).join(','), prefix],
          execArgv: ['--no-warnings'],
        }),
      })
    }
  }
})
