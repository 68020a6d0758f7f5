// Bytes of memory that a session takes in Redis, of Sojourn and of connect-redis, with the same data: 280 characters of JSON.
//   node bench/redis-memory.ts [sessions] [path of redis-server or valkey-server]

import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { RedisStore } from 'connect-redis'
import { createClient } from 'redis'
import { createSessions } from 'sojourn'
import { redisStore } from 'sojourn/redis'

const [count = '100000', program = 'redis-server'] = process.argv.slice(2)
const folder = mkdtempSync(join(tmpdir(), 'sojourn-bench-'))
const socket = join(folder, 'socket')
const server = spawn(program, ['--port', '0', '--unixsocket', socket, '--save', '', '--dir', folder], {
  stdio: 'ignore',
})
const client = createClient({ socket: { path: socket, tls: false } })
client.on('error', () => undefined)
await client.connect()

const LIFETIME = 14 * 86_400_000
const data = () => ({ cart: randomBytes(132).toString('hex'), n: 1 })
const store = redisStore(client)
const sessions = createSessions({ store })
const peer = new RedisStore({ client })

const makers: Record<string, (i: number) => Promise<unknown>> = {
  'the store alone, a value of 280 characters': () =>
    store.create(randomBytes(16).toString('base64url'), {
      value: randomBytes(140).toString('hex'),
      expiresAt: Date.now() + LIFETIME,
      userId: undefined,
    }),
  async 'Sojourn, anonymous'() {
    const visit = sessions.open({ cookie: undefined, secure: false })
    const session = await visit.session()
    for (const [key, value] of Object.entries(data())) session.set(key, value)
    await session.save()
  },
  async 'Sojourn, signed in, with the index of users'(i) {
    const visit = sessions.open({ cookie: undefined, secure: false })
    const session = await visit.session()
    for (const [key, value] of Object.entries(data())) session.set(key, value)
    session.login(`user-${i}`)
    await session.save()
  },
  'connect-redis': () => peer.set(randomBytes(24).toString('base64url'), withCookie() as never),
}

/** What express-session puts beside the data. */
function withCookie() {
  const expires = new Date(Date.now() + LIFETIME)
  return { cookie: { originalMaxAge: LIFETIME, expires, httpOnly: true, path: '/' }, ...data() }
}

async function used(): Promise<number> {
  const [, bytes = ''] = /used_memory:(\d+)/.exec(await client.info('memory')) ?? []
  return Number(bytes)
}

console.log(`${JSON.stringify(data()).length} characters of data, ${count} sessions`)
for (const [name, make] of Object.entries(makers)) {
  // In the background, as some servers do it, the last one's memory would be freed while this one's is measured.
  await client.flushAll('SYNC')
  const before = await used()
  for (let i = 0; i < Number(count); i += 500) {
    await Promise.all(Array.from({ length: Math.min(500, Number(count) - i) }, (_, j) => make(i + j)))
  }
  console.log(`${name}: ${Math.round(((await used()) - before) / Number(count))} bytes a session`)
}
await client.close()
server.kill()
rmSync(folder, { recursive: true, force: true })
