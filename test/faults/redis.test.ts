import { setTimeout as sleep } from 'node:timers/promises'
import { it } from 'vitest'
import { describeWith } from '../servers/program.ts'
import { ofTest, REDIS_7, standaloneRedis } from '../servers/redis.ts'
import { Wire } from '../servers/wire.ts'
import { mixed, source } from './redis-sources.ts'
import { expectClearErrors, expectEndedByThemselves, expectNothingLost, type Report } from './report.ts'
import { Updaters } from './updaters.ts'

function expectSound(report: Report): void {
  expectNothingLost(report)
  expectClearErrors(report)
  expectEndedByThemselves(report)
}

describeWith([REDIS_7], 'four processes on Redis', () => {
  it('lose nothing when a server that appends always is killed and comes back', async () => {
    const { servers, target } = await ofTest(
      standaloneRedis(REDIS_7, '--appendonly', 'yes', '--appendfsync', 'always'),
    )
    const updaters = await Updaters.start({ sources: mixed(target) })
    for (const server of servers.values()) {
      for (let kills = 0; kills < 2; kills++) {
        await updaters.each(5)
        await server.kill()
        await server.start()
      }
    }
    await updaters.each(5)
    expectSound(await updaters.stop())
  })

  it('count nothing twice when connections are cut, before and after the answer', async () => {
    const { servers } = await ofTest(standaloneRedis())
    const [port = 0] = servers.keys()
    const wire = await Wire.to(port)
    const target = { kind: 'standalone', port: wire.port } as const
    const clients = ['redis', 'ioredis', '@valkey/valkey-glide', 'ioredis']
    const updaters = await Updaters.start({ sources: clients.map((client) => source(client, target)) })
    for (let cuts = 0; cuts < 3; cuts++) {
      await updaters.each(3)
      wire.cut()
      await updaters.each(3)
      wire.loseAnswers()
      await sleep(100)
      wire.heal()
    }
    await updaters.each(3)
    const report = await updaters.stop()
    await wire.close()
    expectSound(report)
  })

  it('wait out a server that stands still, and one that forgets its scripts', async () => {
    const { servers, target, ask } = await ofTest(standaloneRedis())
    const updaters = await Updaters.start({ sources: mixed(target), storeTimeout: '1s' })
    for (const [port, server] of servers) {
      await updaters.each(3)
      server.pause()
      await sleep(1500)
      server.resume()
      await updaters.each(3)
      for (let i = 0; i < 10; i++) await ask(port, 'SCRIPT', 'FLUSH')
      await updaters.each(3)
    }
    expectSound(await updaters.stop())
  })
})
