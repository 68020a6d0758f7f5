import { afterAll, beforeAll, expect, it } from 'vitest'
import { etcdStore } from '../../src/stores/etcd.ts'
import { ETCD, type EtcdNodes, startEtcd, urlOf } from '../servers/etcd.ts'
import { describeWith } from '../servers/program.ts'
import { Wire } from '../servers/wire.ts'
import { expectClearErrors, expectEndedByThemselves, expectNothingLost } from './report.ts'
import { Updaters } from './updaters.ts'

function settled(report: Awaited<ReturnType<Updaters['stop']>>): void {
  expectNothingLost(report)
  expectClearErrors(report)
  expectEndedByThemselves(report)
}

describeWith([ETCD], 'three nodes of etcd', () => {
  let etcd: EtcdNodes
  beforeAll(async () => {
    etcd = await startEtcd(3)
  })
  afterAll(() => etcd?.stop())

  it('lose nothing when the one that leads is killed, and go on by themselves', async () => {
    const updaters = await Updaters.start({ sources: [{ url: urlOf(etcd) }] })
    await updaters.each(10)
    const leader = etcd.nodes[await etcd.leader()]
    await leader?.kill()
    await updaters.each(10)
    await leader?.start()
    await updaters.each(10)
    settled(await updaters.stop())
  })

  it('lose nothing when one stops answering without closing its connections', async () => {
    const updaters = await Updaters.start({ sources: [{ url: urlOf(etcd) }] })
    await updaters.each(10)
    // All processes talk with the first.
    etcd.nodes[0]?.pause()
    await updaters.each(10)
    etcd.nodes[0]?.resume()
    await updaters.each(10)
    settled(await updaters.stop())
  })

  it('fail clearly while there is no majority, and go on by themselves when there is', async () => {
    const updaters = await Updaters.start({ sources: [{ url: urlOf(etcd) }] })
    await updaters.each(10)
    const [, second, third] = etcd.nodes
    await Promise.all([second?.kill(), third?.kill()])
    const store = etcdStore(etcd.endpoints, { prefix: 'other/' })
    await expect(store.read('key')).rejects.toThrow(/^etcd failed to read: /)
    const entry = { value: 'v', expiresAt: Date.now() + 60_000, userId: undefined }
    await expect(store.create('key', entry)).rejects.toThrow(/^etcd failed to /)
    await Promise.all([second?.start(), third?.start()])
    await updaters.each(10)
    settled(await updaters.stop())
  })

  it('have their connections cut, and their answers lost: no update is lost, and none comes twice', async () => {
    const wires = await Promise.all(etcd.endpoints.map((endpoint) => Wire.to(Number(new URL(endpoint).port))))
    const hosts = wires.map((wire) => `127.0.0.1:${wire.port}`)
    const updaters = await Updaters.start({ sources: [{ url: `etcd://${hosts.join(',')}` }] })
    for (let cuts = 0; cuts < 4; cuts++) {
      await updaters.each(5)
      for (const wire of wires) {
        if (cuts % 2 === 0) wire.cut()
        else wire.loseAnswers()
      }
      await new Promise((resolve) => setTimeout(resolve, 300))
      for (const wire of wires) wire.heal()
    }
    await updaters.each(5)
    settled(await updaters.stop())
    for (const wire of wires) await wire.close()
  })
})
