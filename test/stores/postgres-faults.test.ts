import { chownSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest'
import { createSessions } from '../../src/index.ts'
import { postgresSchema, postgresStore } from '../../src/stores/postgres.ts'
import { openPostgresUrl } from '../../src/stores/postgres-url.ts'
import { POSTGRES_PROGRAMS, Postgres } from '../servers/postgres.ts'
import { describeWith } from '../servers/program.ts'
import { freePort } from '../servers/server.ts'
import { Wire } from '../servers/wire.ts'
import { CLIENTS, openClient } from './postgres-clients.ts'
import { mayMount, smallDisk } from './small-disk.ts'

const key = 'AbCdEfGhIjKlMnOpQrStUv'

function entry(value = '{}') {
  return { value, expiresAt: Date.now() + 3_600_000, userId: undefined }
}

async function messageOf(call: Promise<unknown>): Promise<string> {
  const error = await call.then(
    () => new Error('nothing failed'),
    (error: Error) => error,
  )
  return error.message
}

describeWith(POSTGRES_PROGRAMS, 'a PostgreSQL in trouble', () => {
  let server: Postgres
  beforeAll(async () => {
    server = await Postgres.start({ max_connections: '12', superuser_reserved_connections: '3' })
    await server.query(
      "CREATE ROLE app LOGIN; CREATE ROLE known LOGIN PASSWORD 'right'; GRANT CREATE ON SCHEMA public TO known",
    )
    const file = join(server.folder, 'pg_hba.conf')
    writeFileSync(file, `host all known 127.0.0.1/32 scram-sha-256\n${readFileSync(file, 'utf8')}`)
    await server.query('SELECT pg_reload_conf()')
    // It reads its rules anew when it comes to it.
    while (await letsIn('known:hunter2')) await sleep(20)
  })
  afterAll(() => server?.remove())

  async function letsIn(user: string): Promise<boolean> {
    const client = new pg.Client(server.urlBy({ user }))
    client.on('error', () => undefined)
    return client.connect().then(
      () => client.end().then(() => true),
      () => false,
    )
  }

  async function open(user: string, query = '') {
    const store = await openPostgresUrl(server.urlBy({ user }) + query)
    onTestFinished(() => store.close())
    return store
  }

  it('a wrong password is a clear error that does not repeat it', async () => {
    const right = await open('known:right', '?table=known')
    expect(await right.create(key, entry())).toBeDefined()
    const wrong = await open('known:hunter2', '?table=known')
    const message = await messageOf(wrong.read(key))
    expect(message).toBe('PostgreSQL failed (read): password authentication failed for user "known"')
  })

  it('who may not make the table is told so, and works once it is there', async () => {
    const store = await open('app')
    expect(await store.read(key)).toBeUndefined()
    expect(await messageOf(store.create(key, entry()))).toBe(
      'The table of the sessions is missing, and PostgreSQL does not make it: permission denied for schema public',
    )
    await server.query(postgresSchema())
    expect(await messageOf(store.read(key))).toContain('permission denied for table sessions')
    await server.query('GRANT SELECT, INSERT, UPDATE, DELETE ON sessions TO app')
    expect(await store.create(key, { ...entry(), userId: 'alice' })).toBeDefined()
    expect(await store.ofUser('alice')).toHaveLength(1)
    expect(await store.purge(10)).toBe(0)
  })

  it('too many connections are a clear error, and no longer one when there is room', async () => {
    const crowd: pg.Client[] = []
    const leave = () => Promise.all(crowd.splice(0).map((client) => client.end()))
    onTestFinished(async () => void (await leave()))
    let store: Awaited<ReturnType<typeof open>>
    let message: string
    do {
      // Connections of earlier tests may still be closing, which leaves room for one more of these.
      const client = new pg.Client(server.urlBy({ user: 'app' }))
      client.on('error', () => undefined)
      await client.connect().then(
        () => crowd.push(client),
        () => undefined,
      )
      store = await open('known:right', '?table=crowded')
      message = await messageOf(store.read(key))
    } while (message === 'nothing failed')
    expect(message).toMatch(
      /PostgreSQL failed \(read\): (sorry, too many clients|remaining connection slots)/,
    )
    await leave()
    // The server hears of their end a moment later.
    while ((await messageOf(store.create(key, entry()))) !== 'nothing failed') await sleep(20)
    expect(await store.read(key)).toBeDefined()
  })

  it.each(CLIENTS)('a write whose answer is lost is an error, and done once: %s', async (name) => {
    const wire = await Wire.to(server.port)
    const { client, end } = openClient(name, server.urlBy(wire), 1)
    onTestFinished(async () => {
      await end()
      await wire.close()
    })
    const store = postgresStore(client, { table: `lost_${name}` })
    await store.create(key, entry('0'))
    const first = await store.read(key)
    // The statement is known to the connection by then: postgres sends values only when the server has described it.
    await store.update(key, entry('1'), first?.version ?? 0)
    const counter = await store.read(key)
    if (!counter) throw new Error('the entry is gone')
    let sent = 0
    wire.onRequest = (chunk) => {
      if (chunk.includes('one more')) sent++
    }
    wire.loseAnswers()
    const message = await messageOf(store.update(key, { ...counter, value: 'one more' }, counter.version))
    wire.heal()
    expect(message).toMatch(/^PostgreSQL failed \(update\): /)
    expect(sent).toBe(1)
    expect((await store.read(key))?.value).toBe('one more')
  })

  it('who cannot reach it hears so, and of nothing but the place', async () => {
    const port = await freePort()
    const store = await openPostgresUrl(server.urlBy({ port, user: 'known:hunter2' }))
    onTestFinished(() => store.close())
    expect(await messageOf(store.read(key))).toBe(
      `PostgreSQL failed (read): connect ECONNREFUSED 127.0.0.1:${port}`,
    )
  })

  it('stands still: the core gives up in time', async () => {
    const store = await openPostgresUrl(`${server.url}?table=still`)
    onTestFinished(() => store.close())
    await store.create(key, entry())
    const sessions = createSessions({ store, storeTimeout: '300ms' })
    server.pause()
    const message = await messageOf(sessions.resume(`${key}.${'s'.repeat(32)}`))
    server.resume()
    expect(message).toBe('The session store did not answer within 300 ms (read)')
    expect(await store.read(key)).toBeDefined()
  })

  it.skipIf(!mayMount())('a full disk is a clear error, and takes nothing that was there', async () => {
    const disk = smallDisk(2_000_000)
    const place = join(disk, 'space')
    mkdirSync(place)
    if (process.getuid?.() === 0) chownSync(place, 65_534, 65_534)
    await server.query(`CREATE TABLESPACE small LOCATION '${place}'`)
    const options = encodeURIComponent('-c default_tablespace=small')
    const store = await openPostgresUrl(`${server.url}?table=full&options=${options}`)
    onTestFinished(async () => {
      await store.close()
      await server.query('DROP TABLE "full"')
      await server.query('DROP TABLESPACE small')
    })
    // Of random text, which cannot be compressed.
    const value = Array.from({ length: 3000 }, () => Math.random().toString(36)).join('')
    const kept: string[] = []
    let message = 'nothing failed'
    while (message === 'nothing failed' && kept.length < 200) {
      const next = `${key}${kept.length}`
      message = await messageOf(store.create(next, entry(value)))
      if (message === 'nothing failed') kept.push(next)
    }
    expect(message).toMatch(
      /^PostgreSQL failed \(create\): could not extend file .*(No space left on device|wrote only)/,
    )
    expect(kept.length).toBeGreaterThan(2)
    for (const one of kept) expect((await store.read(one))?.value).toBe(value)
  })
})
