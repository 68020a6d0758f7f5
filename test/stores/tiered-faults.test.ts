import { rmSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { expectClearErrors, expectEndedByThemselves, expectNothingLost } from '../faults/report.ts'
import { Updaters } from '../faults/updaters.ts'
import { MEMCACHED, startMemcached } from '../servers/memcached.ts'
import { describeWith } from '../servers/program.ts'
import { REDIS_7, standaloneRedis } from '../servers/redis.ts'
import type { Server } from '../servers/server.ts'
import { Wire } from '../servers/wire.ts'
import { describeLostUpdates } from './lost-updates.ts'
import { folderOfTest, temporaryFolder } from './temporary.ts'

const module = new URL('../faults/workers/tiered.ts', import.meta.url).pathname

const CACHES = [
  {
    kind: 'memcached',
    program: MEMCACHED,
    async start() {
      const { server, port } = await startMemcached()
      return { server, port, stop: () => server.kill() }
    },
  },
  {
    kind: 'redis',
    program: REDIS_7,
    async start() {
      const redis = await standaloneRedis()
      const [[port, server]] = [...redis.servers] as [[number, Server]]
      return { server, port, stop: () => redis.stop() }
    },
  },
]

for (const { kind, program, start } of CACHES) {
  describeWith([program], `four processes on a ${kind} before sqlite`, () => {
    it('lose no update, and have no request that fails, when the cache is killed, empty, cut off and stands still', async () => {
      const { server, port, stop } = await start()
      const wire = await Wire.to(port)
      const folder = folderOfTest()
      const source = { module, args: [kind, `${wire.port}`, folder, '250ms'] }
      // Their updates are slower while the cache hangs than a cache is given to answer.
      const updaters = await Updaters.start({ sources: [source], storeTimeout: '100s' })
      await updaters.each(10)
      for (let cuts = 0; cuts < 3; cuts++) {
        wire.cut()
        await updaters.each(5)
      }
      wire.loseAnswers()
      await sleep(500)
      wire.heal()
      await updaters.each(5)
      await server.kill()
      await updaters.each(10)
      await server.start()
      await updaters.each(10)
      server.pause()
      await updaters.each(5)
      server.resume()
      await updaters.each(10)
      const report = await updaters.stop({ url: `sqlite:${folder}/sessions.db` })
      await wire.close()
      await stop()
      expectNothingLost(report)
      expectClearErrors(report)
      expectEndedByThemselves(report)
      expect(report.errors).toEqual([])
    })
  })
}

describeWith([MEMCACHED], 'a memcached before sqlite', () => {
  const folder = temporaryFolder()
  let port = 0
  const servers: Server[] = []
  beforeAll(async () => {
    const memcached = await startMemcached()
    port = memcached.port
    servers.push(memcached.server)
  })
  afterAll(async () => {
    for (const server of servers) await server.kill()
    rmSync(folder, { recursive: true, force: true })
  })
  describeLostUpdates('tiered', () => ({ module, args: ['memcached', `${port}`, folder, '20s'] }))
})
