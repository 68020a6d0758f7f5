import { type KV, Kvm } from '@nats-io/kv'
import { connect, type NatsConnection } from '@nats-io/transport-node'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { createSessions } from '../../src/index.ts'
import { type NatsKv, natsStore } from '../../src/stores/nats.ts'
import { openNatsUrl } from '../../src/stores/nats-url.ts'
import { Browser } from '../core/browser.ts'
import { connectNats, NATS, type NatsServers, startNats } from '../servers/nats.ts'
import { describeWith, path } from '../servers/program.ts'
import { accepts, dataFolder, freePort, Server } from '../servers/server.ts'
import { Wire } from '../servers/wire.ts'

const HOUR = 3_600_000
const entry = { value: 'v', expiresAt: Date.now() + HOUR, userId: undefined }
const bound = { ...entry, userId: 'ada' }

describe('natsStore', () => {
  const kv: NatsKv = {
    get: async () => null,
    put: async () => 1,
    purge: async () => undefined,
    keys: async () => ReadableStream.from<string>([]),
    status: async () => ({ ttl: HOUR, replicas: 1 }),
  }

  it.each([
    [() => natsStore(undefined as never), '"kv"'],
    [() => natsStore(new Map() as never), '"kv"'],
    [() => natsStore({ ...kv, direct: true } as NatsKv), '`allow_direct: false`'],
    [() => natsStore(kv, { timeout: 5 as never }), '"timeout"'],
    [() => natsStore(kv, { clock: 1 as never }), '"clock"'],
    [() => natsStore(kv, { timeuot: '1s' } as never), 'did you mean "timeout"'],
  ])('refuses misuse %#, and names it', (misuse, name) => {
    expect(misuse).toThrow(TypeError)
    expect(misuse).toThrow(name)
  })

  it.each([
    'nats://',
    'nats://me:hunter2@',
    'nats://me:hunter2@a?table=t',
    'nats://me:hunter2@a?bucket=a.b',
    'nats://me:hunter2@a?replicas=2',
    'nats://me:hunter2@a?ttl=5',
    'nats://me:hunter2@a?tls=yes',
  ])('refuses the URL %s, and repeats no password', async (url) => {
    const error = await openNatsUrl(url).catch((error) => error)
    expect(error).toBeInstanceOf(TypeError)
    expect(String(error)).not.toContain('hunter2')
  })

  it('says so when there is no server', async () => {
    await expect(openNatsUrl(`nats://127.0.0.1:${await freePort()}`)).rejects.toThrow(
      /^NATS cannot be reached: /,
    )
  })

  it('refuses a bucket that would lose sessions, or keep them for ever', async () => {
    const of = (status: { ttl: number; replicas: number }, more = {}) =>
      natsStore({ ...kv, status: async () => status, ...more }).create('key', entry)
    await expect(of({ ttl: 0, replicas: 1 })).rejects.toThrow('has no "ttl"')
    await expect(of({ ttl: HOUR / 2, replicas: 1 })).rejects.toThrow(
      'would forget the session before it ends',
    )
    const server = (version: string) => ({ js: { nc: { info: { version } } } })
    for (const version of ['2.9.10', '2.10.22', '2.10.1-beta']) {
      await expect(of({ ttl: 2 * HOUR, replicas: 3 }, server(version))).rejects.toThrow(
        'loses updates in a cluster',
      )
    }
    for (const version of ['2.10.23', '2.10.100', '2.15.1-dev', '3.0.0']) {
      await expect(of({ ttl: 2 * HOUR, replicas: 3 }, server(version))).resolves.toBeDefined()
    }
  })
})

describeWith([NATS], 'nats in use', () => {
  let servers: NatsServers
  let connection: NatsConnection
  let kv: KV
  beforeAll(async () => {
    servers = await startNats(1, NATS)
    connection = await connectNats(servers.ports)
    kv = await new Kvm(connection).create('sessions', { ttl: 10 * HOUR, allow_direct: false })
  })
  afterAll(async () => {
    await connection?.close()
    await servers?.stop()
  })

  async function keys(filter: string): Promise<string[]> {
    const found: string[] = []
    for await (const key of await kv.keys(filter)) found.push(key)
    return found.sort()
  }

  /** A store whose connection can be cut. */
  async function throughWire(): Promise<{ wire: Wire; kv: KV }> {
    const wire = await Wire.to(servers.ports[0] ?? 0)
    const connection = await connectNats([wire.port], { ignoreClusterUpdates: true })
    onTestFinished(async () => {
      await connection.close()
      await wire.close()
    })
    return { wire, kv: await new Kvm(connection).open('sessions', { allow_direct: false }) }
  }

  it('brings nothing back by the revision of a deletion', async () => {
    const store = natsStore(kv)
    const version = String(await store.create('deleted', entry))
    await store.delete('deleted')
    const marker = await kv.get('s.kdeleted')
    expect(marker?.operation).toBe('PURGE')
    expect(await store.update('deleted', entry, version)).toBeUndefined()
    expect(await store.update('deleted', entry, marker?.revision ?? 0)).toBeUndefined()
    expect(await store.update('deleted', entry, String(marker?.revision))).toBeUndefined()
    expect(await store.read('deleted')).toBeUndefined()
  })

  it('writes once what was not answered and is sent again', async () => {
    const { wire, kv } = await throughWire()
    const store = natsStore(kv, { timeout: '12s' })
    const version = (await store.create('lost', entry)) ?? ''
    const losing = wire.loseAnswer()
    const updating = store.update('lost', { ...entry, value: 'new' }, version)
    await losing
    const updated = await updating
    expect(updated).toHaveProperty('version')
    // The revision of the write that was lost, and not of a second one.
    const next = await store.create('after', entry)
    expect(Number.parseInt(String(next), 10)).toBe(Number.parseInt(String(version), 10) + 2)
    expect(await store.read('lost')).toEqual({ ...entry, value: 'new', ...updated })
  })

  it('notes a user before the session, keeps the note while the session lives, and removes it when it is wrong', async () => {
    let now = Date.now()
    const store = natsStore(kv, { clock: () => now })
    let version = (await store.create('key', { ...bound, expiresAt: now + 8 * HOUR })) ?? ''
    const [mark = ''] = await keys('u.>')
    const revisions: (number | undefined)[] = []
    for (let hours = 0; hours < 6; hours++) {
      revisions.push((await kv.get(mark))?.revision)
      now += HOUR
      const updated = await store.update('key', { ...bound, expiresAt: now + 8 * HOUR }, version)
      version = updated && 'version' in updated ? updated.version : ''
      expect(version).not.toBe('')
    }
    // The bucket forgets after ten hours what nobody writes: the note is written anew before that, but not every time.
    expect(new Set(revisions).size).toBeGreaterThan(1)
    expect(new Set(revisions).size).toBeLessThan(6)
    await store.delete('key')
    // It may be of a sign-in under way.
    expect(await store.ofUser('ada')).toEqual([])
    expect(await keys('u.>')).toEqual([mark])
    now += 2 * HOUR
    expect(await store.ofUser('ada')).toEqual([])
    expect(await keys('u.>')).toEqual([])
  })

  it('grants nothing by a note that is wrong, and touches no key of anybody else', async () => {
    const others = ['other', 's.other', 'users.ada', 't.kkey']
    for (const key of others) await kv.put(key, 'theirs')
    const store = natsStore(kv)
    await store.create('his', { ...entry, userId: 'bob' })
    await store.create('hers', bound)
    const [hers = ''] = (await keys('u.>')).filter((key) => key.endsWith('.khers'))
    await kv.put(hers.replace('.khers', '.khis'), String(Date.now()))
    expect((await store.ofUser('ada')).map(({ key }) => key)).toEqual(['hers'])
    await store.delete('hers')
    await store.delete('his')
    for (const key of others) expect((await kv.get(key))?.string()).toBe('theirs')
  })

  it('says when a session is too large, and keeps what there was', async () => {
    const store = natsStore(kv)
    const version = (await store.create('large', entry)) ?? ''
    const large = { ...entry, value: 'x'.repeat(1_100_000) }
    await expect(store.update('large', large, version)).rejects.toMatchObject({
      code: 'ERR_SESSION_TOO_LARGE',
    })
    const small = await new Kvm(connection).create('small', {
      ttl: 10 * HOUR,
      maxValueSize: 1000,
      allow_direct: false,
    })
    const some = { ...entry, value: 'x'.repeat(2000) }
    await expect(natsStore(small).create('key', some)).rejects.toMatchObject({
      code: 'ERR_SESSION_TOO_LARGE',
    })
    expect(await store.read('large')).toEqual({ ...entry, version })
  })

  it('says when there is no such bucket', async () => {
    const missing = await new Kvm(connection).open('missing', { allow_direct: false })
    const store = natsStore(missing, { timeout: '100s' })
    await expect(store.read('key')).rejects.toThrow('NATS failed to read: stream not found')
    await expect(store.create('key', entry)).rejects.toThrow(
      'NATS failed to ask for the bucket: stream not found',
    )
  })

  it('asks NATS no more often than is promised', async () => {
    const { wire, kv } = await throughWire()
    let requests = 0
    wire.onRequest = (chunk) => {
      requests += chunk.toString('latin1').match(/^H?PUB /gm)?.length ?? 0
    }
    const sessions = createSessions<{ n: number }>({
      store: natsStore(kv),
      idleTimeout: '5h',
      absoluteTimeout: '8h',
    })
    // The first write of a store asks what the bucket is like.
    await new Browser(sessions).visit((session) => session.set('n', 1))
    const browser = new Browser(sessions)
    const cost = async (visit: Parameters<typeof browser.visit>[0]) => {
      requests = 0
      await browser.visit(visit)
      return requests
    }
    expect(await cost((session) => session.set('n', 1))).toBe(1)
    expect(await cost((session) => session.get('n'))).toBe(1)
    expect(await cost((session) => session.update('n', (n = 0) => n + 1))).toBe(2)
    expect(await cost((session) => session.login('ada'))).toBe(3)
    expect(await cost((session) => session.update('n', (n = 0) => n + 1))).toBe(2)
    expect(await cost((session) => session.destroy())).toBe(2)
  })

  it('makes the bucket that a URL names, and closes what it opened', async () => {
    const url = `nats://127.0.0.1:${servers.ports[0]}?bucket=of-url&ttl=40d`
    const store = await openNatsUrl(url)
    const version = await store.create('key', { ...entry, expiresAt: Date.now() + 35 * 24 * HOUR })
    expect(version).toBeDefined()
    await store.close()
    await expect(store.read('key')).rejects.toThrow(/^NATS failed to read: /)
    const again = await openNatsUrl(url)
    expect(await again.read('key')).toMatchObject({ value: 'v', version })
    await again.close()
  })

  it('leaves a connection open that was passed in, and its other buckets alone', async () => {
    expect(natsStore(kv)).not.toHaveProperty('close')
    expect(connection.isClosed()).toBe(false)
  })
})

describeWith([NATS], 'nats that asks who one is', () => {
  it('takes the right password, and refuses a wrong one without repeating it', async () => {
    const folder = dataFolder()
    const port = await freePort()
    const args = [
      '-a',
      '127.0.0.1',
      '-p',
      String(port),
      '-js',
      '-sd',
      folder.path,
      '--user',
      'me',
      '--pass',
      'hunter2',
    ]
    const server = await Server.start({ program: path(NATS), args, isReady: () => accepts(port) })
    onTestFinished(async () => {
      await server.kill()
      folder.remove()
    })
    const store = await openNatsUrl(`nats://me:hunter2@127.0.0.1:${port}`)
    expect(await store.create('key', entry)).toBeDefined()
    await store.close()
    const error = await openNatsUrl(`nats://me:hunter3@127.0.0.1:${port}`).catch((error) => error)
    expect(String(error)).toMatch(/^Error: NATS cannot be reached: (?!.*hunter3)/)
    await expect(connect({ servers: `127.0.0.1:${port}` })).rejects.toThrow()
  })
})
