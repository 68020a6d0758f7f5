import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { createSessions } from '../../src/index.ts'
import { etcdStore } from '../../src/stores/etcd.ts'
import { openEtcdUrl } from '../../src/stores/etcd-url.ts'
import { Browser } from '../core/browser.ts'
import { askEtcd, base64, ETCD, type EtcdNodes, startEtcd } from '../servers/etcd.ts'
import { describeWith } from '../servers/program.ts'
import { Wire } from '../servers/wire.ts'

const HOUR = 3_600_000
const entry = { value: 'v', expiresAt: Date.now() + HOUR, userId: undefined }

describe('etcdStore', () => {
  it.each([
    [() => etcdStore([]), '"endpoints"'],
    [() => etcdStore('127.0.0.1:2379'), '"endpoints"'],
    [() => etcdStore('http://me:hunter2@127.0.0.1:2379'), '"endpoints"'],
    [() => etcdStore('http://127.0.0.1:2379/v3'), '"endpoints"'],
    [() => etcdStore('http://a', { username: 'me' }), '"username" and "password"'],
    [() => etcdStore('http://a', { prefix: 1 as never }), '"prefix"'],
    [() => etcdStore('http://a', { timeout: 5 as never }), '"timeout"'],
    [() => etcdStore('http://a', { clock: 1 as never }), '"clock"'],
    [() => etcdStore('http://a', { fetch: 1 as never }), '"fetch"'],
    [() => etcdStore('http://a', { prefx: 'a' } as never), 'did you mean "prefix"'],
  ])('refuses misuse %#, and names it', (misuse, name) => {
    expect(misuse).toThrow(TypeError)
    expect(misuse).toThrow(name)
    expect(misuse).not.toThrow('hunter2')
  })

  it.each([
    'etcd://',
    'etcd://me:hunter2@',
    'etcd://me:hunter2@a/b',
    'etcd://me:hunter2@a?table=t',
    'etcd://m%:hunter2@a',
  ])('refuses the URL %s, and repeats no password', async (url) => {
    const error = await openEtcdUrl(url).catch((error) => error)
    expect(error).toBeInstanceOf(TypeError)
    expect(String(error)).not.toContain('hunter2')
  })

  it('says so at once when what answers is not etcd', async () => {
    const server = createServer((_, res) => res.end('<html>')).listen(0, '127.0.0.1')
    onTestFinished(() => void server.close())
    await new Promise((resolve) => server.once('listening', resolve))
    const store = etcdStore(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, {
      timeout: '100s',
    })
    await expect(store.read('key')).rejects.toThrow('etcd failed to read: what answered is not etcd')
  })

  it('says so when nobody answers', async () => {
    const store = etcdStore('http://127.0.0.1:1', { timeout: '300ms' })
    await expect(store.read('key')).rejects.toThrow(/^etcd failed to read: /)
  })
})

describeWith([ETCD], 'etcd in use', () => {
  let etcd: EtcdNodes
  let endpoint: string
  beforeAll(async () => {
    etcd = await startEtcd(1)
    endpoint = etcd.endpoints[0] ?? ''
  })
  afterAll(() => etcd?.stop())

  interface Kvs {
    kvs?: { key: string; value?: string; version: string; mod_revision: string; lease?: string }[]
  }

  /** All keys with a prefix, as an administrator sees them. */
  async function keysWith(prefix: string): Promise<NonNullable<Kvs['kvs']>> {
    const end = `${prefix.slice(0, -1)}${String.fromCharCode(prefix.charCodeAt(prefix.length - 1) + 1)}`
    const range = { key: base64(prefix), range_end: base64(end) }
    return (await askEtcd<Kvs>(endpoint, '/v3/kv/range', range)).kvs ?? []
  }

  it('writes once what was not answered and is sent again', async () => {
    const wire = await Wire.to(Number(new URL(endpoint).port))
    onTestFinished(() => wire.close())
    const store = etcdStore(`http://127.0.0.1:${wire.port}`, { prefix: 'lost/', timeout: '100s' })
    const lost = async <T>(call: () => Promise<T>): Promise<T> => {
      const losing = wire.loseAnswer()
      const result = call()
      await losing
      return result
    }
    const version = await lost(() => store.create('key', entry))
    const created = await store.read('key')
    expect(created).toEqual({ ...entry, version })
    const updated = await lost(() => store.update('key', { ...entry, value: 'new' }, version ?? ''))
    expect(updated).toHaveProperty('version')
    const [kept] = await keysWith('lost/s/')
    // Etcd counts the writes of a key: one that created it, and one update.
    expect(kept?.version).toBe('2')
    expect(await store.read('key')).toEqual({ ...entry, value: 'new', ...updated })
    await lost(() => store.delete('key'))
    expect(await store.read('key')).toBeUndefined()
  })

  it('fails when nobody can know whether a write happened', async () => {
    const right = etcdStore(endpoint, { prefix: 'overtaken/' })
    const version = (await right.create('key', entry)) ?? ''
    let sent = 0
    // The first answer gets lost, and before it is sent again another process writes.
    const store = etcdStore(endpoint, {
      prefix: 'overtaken/',
      fetch: async (url, init) => {
        const response = await fetch(url, init)
        if (++sent > 1) return response
        const current = await right.read('key')
        await right.update('key', { ...entry, value: 'theirs' }, current?.version ?? '')
        throw new TypeError('fetch failed', { cause: { code: 'ECONNRESET' } })
      },
    })
    await expect(store.update('key', { ...entry, value: 'mine' }, version)).rejects.toThrow(
      'nobody knows whether it was stored',
    )
    expect(await right.read('key')).toMatchObject({ value: 'theirs' })
  })

  it('shares one lease among all that expires in one hour, which lasts longer than they do', async () => {
    const at = (Math.floor(Date.now() / HOUR) + 3) * HOUR
    const stores = [etcdStore(endpoint, { prefix: 'lease/' }), etcdStore(endpoint, { prefix: 'lease/' })]
    await Promise.all(
      stores.map((store, i) => store.create(`key${i}`, { value: 'v', expiresAt: at + i, userId: 'ada' })),
    )
    const keys = await keysWith('lease/')
    expect(keys).toHaveLength(4)
    const [lease = ''] = new Set(keys.map((key) => key.lease))
    expect(new Set(keys.map((key) => key.lease)).size).toBe(1)
    const { TTL } = await askEtcd<{ TTL: string }>(endpoint, '/v3/lease/timetolive', { ID: lease })
    expect(Number(TTL) * 1000).toBeGreaterThan(at + HOUR - Date.now())
    // The mark moves with its entry to the lease of another hour.
    const [store] = stores
    const found = await store?.read('key0')
    await store?.update('key0', { value: 'v', expiresAt: at + 2 * HOUR, userId: 'ada' }, found?.version ?? '')
    const moved = (await keysWith('lease/')).filter((key) => key.lease !== lease)
    expect(moved).toHaveLength(2)
    // What has no lease any more is made anew.
    await askEtcd(endpoint, '/v3/lease/revoke', { ID: lease })
    expect(await store?.read('key1')).toBeUndefined()
    expect(await store?.create('key1', { value: 'v', expiresAt: at, userId: 'ada' })).toBeDefined()
    expect(await store?.ofUser('ada')).toHaveLength(2)
  })

  it('removes marks that are wrong, and touches no key of anybody else', async () => {
    const store = etcdStore(endpoint, { prefix: 'mine' })
    const others = ['mind', 'mine', 'minet', 'mines', 'mines/', 'mineu/', 'mint', 'other/s/key']
    for (const key of others)
      await askEtcd(endpoint, '/v3/kv/put', { key: base64(key), value: base64('theirs') })
    await store.create('key', { ...entry, userId: 'ada' })
    await store.create('gone', { ...entry, userId: 'ada' })
    await store.delete('gone')
    expect(await store.ofUser('ada')).toHaveLength(1)
    const left = await keysWith('min')
    const names = left.map(({ key }) => Buffer.from(key, 'base64').toString())
    expect(names.filter((name) => /^mine[su]\/./.test(name))).toHaveLength(2)
    expect(names).toEqual(expect.arrayContaining(others.filter((key) => key.startsWith('min'))))
    for (const { key, value } of left) {
      const name = Buffer.from(key, 'base64').toString()
      if (others.includes(name)) expect(value).toBe(base64('theirs'))
    }
    // A store whose prefix begins like this one has other sessions.
    expect(await etcdStore(endpoint, { prefix: 'min' }).ofUser('ada')).toEqual([])
  })

  it('lists a user with more sessions than a transaction takes', async () => {
    const store = etcdStore(endpoint, { prefix: 'many/' })
    for (let i = 0; i < 250; i += 50) {
      await Promise.all(
        Array.from({ length: 50 }, (_, j) => store.create(`k${i + j}`, { ...entry, userId: 'ada' })),
      )
    }
    expect(await store.ofUser('ada')).toHaveLength(250)
  })

  it('says when a session is too large, and keeps what there was', async () => {
    const store = etcdStore(endpoint, { prefix: 'large/' })
    const version = (await store.create('key', entry)) ?? ''
    for (const size of [1_600_000, 4_000_000]) {
      const large = { ...entry, value: 'x'.repeat(size) }
      await expect(store.update('key', large, version)).rejects.toMatchObject({
        code: 'ERR_SESSION_TOO_LARGE',
      })
    }
    expect(await store.read('key')).toEqual({ ...entry, version })
  })

  it('asks etcd no more often than is promised', async () => {
    const wire = await Wire.to(Number(new URL(endpoint).port))
    onTestFinished(() => wire.close())
    let requests = 0
    wire.onRequest = (chunk) => {
      requests += chunk.toString('latin1').match(/POST \/v3/g)?.length ?? 0
    }
    const sessions = createSessions<{ n: number }>({
      store: etcdStore(`http://127.0.0.1:${wire.port}`, { prefix: 'count/' }),
    })
    const browser = new Browser(sessions)
    const cost = async (visit: Parameters<typeof browser.visit>[0]) => {
      requests = 0
      await browser.visit(visit)
      return requests
    }
    // The first session of an hour has its lease granted.
    expect(await cost((session) => session.set('n', 1))).toBeLessThanOrEqual(3)
    const other = new Browser(sessions)
    requests = 0
    await other.visit((session) => session.set('n', 1))
    expect(requests).toBe(1)
    expect(await cost((session) => session.get('n'))).toBe(1)
    expect(await cost((session) => session.update('n', (n = 0) => n + 1))).toBe(2)
    expect(await cost((session) => session.login('ada'))).toBe(2)
    expect(await cost((session) => session.destroy())).toBe(2)
  })
})

describeWith([ETCD], 'etcd that asks who one is', () => {
  let etcd: EtcdNodes
  let endpoint: string
  beforeAll(async () => {
    etcd = await startEtcd(1)
    endpoint = etcd.endpoints[0] ?? ''
    await askEtcd(endpoint, '/v3/auth/user/add', { name: 'root', password: 'hunter2' })
    await askEtcd(endpoint, '/v3/auth/role/add', { name: 'root' })
    await askEtcd(endpoint, '/v3/auth/user/grant', { user: 'root', role: 'root' })
    await askEtcd(endpoint, '/v3/auth/enable', {})
  })
  afterAll(() => etcd?.stop())

  it('takes the right password, also when its tokens have ended', async () => {
    const store = await openEtcdUrl(endpoint.replace('http://', 'etcd://root:hunter2@'))
    const version = await store.create('key', entry)
    expect(await store.read('key')).toEqual({ ...entry, version })
    // Its tokens end with a node.
    await etcd.nodes[0]?.kill()
    await etcd.nodes[0]?.start()
    expect(await store.read('key')).toEqual({ ...entry, version })
    await store.close()
  })

  it('refuses a wrong password, and none, and repeats neither', async () => {
    const wrong = etcdStore(endpoint, { username: 'root', password: 'hunter3' })
    await expect(wrong.read('key')).rejects.toThrow(/^etcd failed to read: (?!.*hunter3)/)
    await expect(etcdStore(endpoint).read('key')).rejects.toThrow(/^etcd failed to read: /)
  })
})
