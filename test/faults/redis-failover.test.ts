import { describe, expect, it } from 'vitest'
import { describeWith } from '../servers/program.ts'
import { ofTest, REDIS_7, type RedisServers, until } from '../servers/redis.ts'
import { busiest, GROUPS } from './redis-groups.ts'
import { mixed } from './redis-sources.ts'
import { expectClearErrors, expectEndedByThemselves, expectNothingLost } from './report.ts'
import { Updaters } from './updaters.ts'

const FAILS_OVER_AFTER = 1500
const ON_DISK = ['--appendonly', 'yes', '--appendfsync', 'always']

describeWith([REDIS_7], 'four processes on Redis with replicas', () => {
  describe.each(GROUPS)('$name', ({ start, holds }) => {
    it('lose nothing when a master is killed, where each write waits for a replica', async () => {
      const group = await ofTest(start(FAILS_OVER_AFTER))
      const updaters = await Updaters.start({ sources: mixed(group.target, { waitForReplicas: 1 }) })
      await updaters.each(10)
      const master = await busiest(group)
      await failOver(group, master)
      // In a cluster the replica has none to wait for, until the old master comes back as one.
      if (group.target.kind === 'cluster') await group.servers.get(master)?.start()
      await updaters.each(10)
      const report = await updaters.stop()
      expectNothingLost(report)
      expectClearErrors(report)
      expectEndedByThemselves(report)
    })

    // A master acknowledges what its replicas have not received yet. How much that is depends on the network.
    it('go on when a master is killed, where none waits', async () => {
      const group = await ofTest(start(FAILS_OVER_AFTER))
      const updaters = await Updaters.start({ sources: mixed(group.target) })
      await updaters.each(10)
      await failOver(group, await busiest(group))
      await updaters.each(10)
      const report = await updaters.stop()
      expectClearErrors(report)
      expectEndedByThemselves(report)
      expect(report).toMatchObject({ doubled: 0, invented: 0, gone: 0, wrong: 0 })
    })

    it('lose all that a master had which comes back empty, replicas or not; nothing that it had on its disk', async () => {
      const group = await ofTest(start(undefined, ...ON_DISK))
      const first = await Updaters.start({ sources: mixed(group.target) })
      await first.each(5)
      const master = await busiest(group)
      const server = group.servers.get(master)
      await server?.kill()
      await server?.start()
      await first.each(5)
      const report = await first.stop()
      expectNothingLost(report)
      expectClearErrors(report)
      expectEndedByThemselves(report)

      const second = await Updaters.start({ sources: mixed(group.target) })
      await second.each(5)
      const emptied = await busiest(group)
      const replicas = await group.replicas(emptied)
      await group.servers.get(emptied)?.kill()
      group.wipe(emptied)
      await group.servers.get(emptied)?.start()
      await until(async () => second.gone > 0)
      // They take the empty state for the newest one.
      for (const replica of replicas) await until(async () => (await group.ask(replica, 'DBSIZE')) === '0')
      const after = await second.stop()
      expectClearErrors(after)
      expectEndedByThemselves(after)
      expect(after).toMatchObject({ doubled: 0, invented: 0, wrong: 0 })
      expect(replicas).not.toEqual([])
      expect(after.lost).toBeGreaterThan(0)
      if (holds === 'all') expect(after).toMatchObject({ lost: after.acknowledged, counted: 0 })
    })
  })
})

/** Kills a master, and waits until a replica has taken its place. */
async function failOver({ servers, masters }: RedisServers, master: number): Promise<void> {
  const before = await masters()
  await servers.get(master)?.kill()
  await until(async () => (await masters()).length === before.length)
}
