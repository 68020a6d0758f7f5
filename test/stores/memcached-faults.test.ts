import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { Memcache } from 'memcache'
import { afterEach, describe, expect, it } from 'vitest'
import { createSessions, type Duration } from '../../src/index.ts'
import { memcachedStore } from '../../src/stores/memcached.ts'
import { Browser } from '../core/browser.ts'
import { expectClearErrors, expectEndedByThemselves, expectNothingLost } from '../faults/report.ts'
import { Updaters } from '../faults/updaters.ts'
import { MEMCACHED, type Memcached, startMemcached } from '../servers/memcached.ts'
import { describeWith } from '../servers/program.ts'
import { Wire } from '../servers/wire.ts'
import { CLIENTS, openClient } from './memcached-clients.ts'

const module = new URL('../faults/workers/memcached.ts', import.meta.url).pathname

const ends: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
})

async function started(): Promise<Memcached> {
  const memcached = await startMemcached()
  ends.push(() => memcached.server.kill())
  return memcached
}

async function wired(port: number): Promise<Wire> {
  const wire = await Wire.to(port)
  ends.push(() => wire.close())
  return wire
}

/** A site on these servers. So much time no call takes, unless nobody answers it. */
function site(name: string, addresses: readonly string[], storeTimeout: Duration) {
  const client = openClient(name, addresses)
  ends.push(() => client.close())
  return createSessions<{ n: number }>({ store: client.store(), storeTimeout })
}

describeWith([MEMCACHED], 'memcached when something is wrong', () => {
  describe.each(CLIENTS)('by %s', (name) => {
    it('loses and doubles no update when connections are cut, answers get lost and the server stands still', async () => {
      const memcached = await started()
      const wire = await wired(memcached.port)
      const source = { module, args: [name, `127.0.0.1:${wire.port}`] }
      const endsWithin = name === 'memcache' ? 120_000 : 1000
      const updaters = await Updaters.start({ sources: [source], storeTimeout: '1s', endsWithin })
      await updaters.each(10)
      for (let cuts = 0; cuts < 5; cuts++) {
        wire.cut()
        await updaters.each(5)
      }
      // Until an update was among what was lost.
      do {
        wire.loseAnswers()
        await sleep(500)
        wire.heal()
        await updaters.each(5)
      } while (updaters.unknown === 0)
      memcached.server.pause()
      await sleep(1500)
      memcached.server.resume()
      await updaters.each(10)
      const report = await updaters.stop()
      expectNothingLost(report)
      expectClearErrors(report)
      // The older client sets a timer for days when a connection fails, and nobody can stop it.
      if (name === 'memcache') expectEndedByThemselves(report)
      expect(report.unknown).toBeGreaterThan(0)
    })

    it('signs everybody out when the server is killed, and serves them again when it is back', async () => {
      const memcached = await started()
      const sessions = site(name, [memcached.address], '20s')
      const browsers = Array.from({ length: 8 }, () => new Browser(sessions))
      await Promise.all(browsers.map((browser) => browser.visit((session) => session.set('n', 1))))
      let stopped = false
      const outcomes: Record<string, number> = {}
      const visits = browsers.map(async (browser) => {
        while (!stopped) {
          const outcome = await browser
            .visit((session) => (session.isNew ? 'signed out' : `session ${session.get('n')}`))
            .catch((error) => error.code)
          outcomes[outcome] = (outcomes[outcome] ?? 0) + 1
          await sleep(5)
        }
      })
      await expect.poll(() => outcomes['session 1']).toBeGreaterThan(0)
      await memcached.server.kill()
      await expect.poll(() => outcomes['ERR_SESSION_STORE']).toBeGreaterThan(0)
      await memcached.server.start()
      await expect.poll(() => outcomes['signed out']).toBeGreaterThan(50)
      stopped = true
      await Promise.all(visits)
      expect(Object.keys(outcomes).toSorted()).toEqual(['ERR_SESSION_STORE', 'session 1', 'signed out'])
      const [browser] = browsers as [Browser<{ n: number }>]
      await browser.visit((session) => session.set('n', 2))
      expect(await browser.visit((session) => session.get('n'))).toBe(2)
    })

    it('fails for the sessions on a server that is down, and for no other', async () => {
      const [one, two, three] = [await started(), await started(), await started()]
      const sessions = site(name, [one.address, two.address, three.address], '20s')
      const browsers = Array.from({ length: 60 }, () => new Browser(sessions))
      await Promise.all(browsers.map((browser) => browser.visit((session) => session.set('n', 1))))
      await two.server.kill()
      const visit = (browser: Browser<{ n: number }>) =>
        browser.visit((session) => session.get('n') ?? 'none').catch((error) => error.code)
      const first = await Promise.all(browsers.map(visit))
      expect(new Set(first)).toEqual(new Set([1, 'ERR_SESSION_STORE']))
      await two.server.start()
      await expect
        .poll(() => Promise.all(browsers.map(visit)))
        .toEqual(first.map((outcome) => (outcome === 1 ? 1 : 'none')))
    })
  })

  it('says what is wrong when nobody listens, and tells nothing else', async () => {
    const memcached = await started()
    await memcached.server.kill()
    const client = openClient('memcache', [memcached.address])
    const read = client.store().read('kJkJkJkJkJkJkJkJkJkJkJ')
    await expect(read).rejects.toThrow(/^memcached failed to read: .*ECONNREFUSED/)
    await expect(read).rejects.not.toThrow('kJkJ')
    await client.close()
  })
})

describeWith([MEMCACHED], 'a connection of memcache', () => {
  it('that is given up is not taken for the one in its place, whose commands would fail for ever', async () => {
    const memcached = await started()
    const client = new Memcache({ nodes: [memcached.address] })
    ends.push(() => client.disconnect())
    const store = memcachedStore(client)
    const [node] = client.hash.getNodesByKey('key')
    await store.read('key')
    for (let times = 0; times < 3; times++) {
      // In the turn of a timer, the new connection is there before the end of the old one is told.
      await sleep(1)
      node?.socket?.emit('timeout')
      expect(await store.read('key')).toBeUndefined()
    }
  })
})

describe('an answer that was cut in the middle', () => {
  it('is never continued by the answer to somebody else', async () => {
    const token = 'tokentokentoken1'
    const item = (value: string) => `${token} ${Date.now() + 60_000} - ${value}`
    const half = `${item('the session of one')}${'.'.repeat(1000)}`
    let connections = 0
    const answer = (socket: Socket, key: string) => {
      if (connections === 1) {
        socket.write(`HD c1\r\nVALUE ${key} 0 ${half.length}\r\n${half.slice(0, 300)}`, () =>
          socket.destroy(),
        )
        return
      }
      const whole = item('the session of another')
      socket.write(`HD c1\r\nVALUE ${key} 0 ${whole.length}\r\n${whole}\r\nEND\r\n`)
    }
    const server = createServer((socket) => {
      connections++
      socket.on('error', () => undefined)
      socket.on('data', (chunk) => {
        const [, key] = /^get (\S+)/m.exec(chunk.toString()) ?? []
        if (key) answer(socket, key)
      })
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as { port: number }
    const client = new Memcache({ nodes: [`127.0.0.1:${port}`] })
    const store = memcachedStore(client)
    await expect(store.read('one')).rejects.toThrow('memcached failed to read')
    expect(await store.read('another')).toMatchObject({ value: 'the session of another' })
    await client.disconnect()
    server.close()
  })
})
