import { type KV, Kvm } from '@nats-io/kv'
import type { NatsConnection } from '@nats-io/transport-node'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { natsStore } from '../../src/stores/nats.ts'
import {
  connectNats,
  NATS,
  NATS_2_10,
  NATS_NEWEST,
  type NatsServers,
  startNats,
  urlOf,
} from '../servers/nats.ts'
import { describeWith } from '../servers/program.ts'
import { Wire } from '../servers/wire.ts'
import { begin, find } from './kept.ts'
import { connectedTo, count, freezeLeader, leaderOf, putsAt, siteAt } from './nats-woken.ts'
import { expectClearErrors, expectEndedByThemselves, expectNothingLost, type Report } from './report.ts'
import { Updaters } from './updaters.ts'

const DAY = 86_400_000

function expectAllWell(report: Report): void {
  expectNothingLost(report)
  expectClearErrors(report)
  expectEndedByThemselves(report)
}

for (const program of [NATS_2_10, NATS_NEWEST]) {
  describeWith([program], `three servers of NATS, from ${program.newer?.suite}`, () => {
    let servers: NatsServers
    let connection: NatsConnection
    let kv: KV
    beforeAll(async () => {
      servers = await startNats(3, program)
      connection = await connectNats(servers.ports)
      kv = await new Kvm(connection).create('sessions', { replicas: 3, ttl: 40 * DAY, allow_direct: false })
    })
    afterAll(async () => {
      await connection?.close()
      await servers?.stop()
    })

    it('lose nothing when the one that leads is killed, and go on by themselves', async () => {
      const updaters = await Updaters.start({ sources: [{ url: urlOf(servers) }] })
      await updaters.each(10)
      const leader = await leaderOf(servers, connection)
      if (!leader) throw new Error('No server leads the bucket')
      await leader.server.kill()
      await updaters.each(10)
      await leader.server.start()
      await updaters.each(10)
      expectAllWell(await updaters.stop())
    })

    it('lose nothing when the one that leads stops answering without closing its connections', async () => {
      const updaters = await Updaters.start({ sources: [{ url: urlOf(servers) }] })
      await updaters.each(10)
      const { frozen } = await freezeLeader(servers)
      await updaters.each(10)
      frozen.server.resume()
      await updaters.each(10)
      expectAllWell(await updaters.stop())
    })

    it('count each update once while one that led wakes up, and refuses what the new leader stores', async () => {
      const begun = await begin({ url: urlOf(servers) }, 10)
      const ids = begun.map(({ id }) => id)
      const { frozen, next } = await freezeLeader(servers)
      const [one, other] = [
        await connectedTo(servers, [next.index]),
        await connectedTo(servers, [next.index]),
      ]
      const sites = [await siteAt(one), await siteAt(other)]
      // The former leader finds these when it wakes, and begins to store them once more.
      await count(await siteAt(one), ids)
      // Until it is awake, the new leader has nobody left to agree with.
      const third = servers.nodes.find((server) => server !== frozen.server && server !== next.server)
      third?.pause()
      const underWay = putsAt(one, 2 * ids.length)
      const counting = Promise.all(sites.map((site) => count(site, ids)))
      await underWay
      frozen.server.resume()
      await counting
      third?.resume()
      const found = await find({ url: urlOf(servers) }, ids)
      expect(ids.map((id) => found.get(id)?.n)).toEqual(ids.map(() => 3))
    })

    it('fail clearly while there is no majority, and go on by themselves when there is', async () => {
      const store = natsStore(kv)
      const updaters = await Updaters.start({ sources: [{ url: urlOf(servers) }] })
      await updaters.each(10)
      const [, second, third] = servers.nodes
      await Promise.all([second?.kill(), third?.kill()])
      const entry = { value: 'v', expiresAt: Date.now() + DAY, userId: undefined }
      await expect(store.create('key', entry)).rejects.toThrow(/^NATS failed to (write|ask for the bucket): /)
      await Promise.all([second?.start(), third?.start()])
      await updaters.each(10)
      expectAllWell(await updaters.stop())
    })
  })
}

describeWith([NATS], 'one server of NATS', () => {
  let servers: NatsServers
  beforeAll(async () => {
    servers = await startNats(1, NATS)
  })
  afterAll(() => servers?.stop())

  it('is killed and started again: nothing is lost', async () => {
    const updaters = await Updaters.start({ sources: [{ url: urlOf(servers) }] })
    const [server] = servers.nodes
    for (let kills = 0; kills < 2; kills++) {
      await updaters.each(10)
      await server?.kill()
      await server?.start()
    }
    await updaters.each(10)
    expectAllWell(await updaters.stop())
  })

  it('has its connections cut, and their answers lost: no update is lost, and none comes twice', async () => {
    const wire = await Wire.to(servers.ports[0] ?? 0)
    const updaters = await Updaters.start({ sources: [{ url: `nats://127.0.0.1:${wire.port}` }] })
    for (let cuts = 0; cuts < 4; cuts++) {
      await updaters.each(5)
      if (cuts % 2 === 0) wire.cut()
      else wire.loseAnswers()
      await new Promise((resolve) => setTimeout(resolve, 300))
      wire.heal()
    }
    await updaters.each(5)
    const report = await updaters.stop()
    await wire.close()
    expectAllWell(report)
  })
})
