import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { describeWith } from '../servers/program.ts'
import { ofTest, REDIS_7 } from '../servers/redis.ts'
import type { Found } from './kept.ts'
import { busiest, GROUPS, Parted } from './redis-groups.ts'
import { mixed, source } from './redis-sources.ts'
import { expectClearErrors, expectEndedByThemselves, expectNothingLost, has } from './report.ts'
import type { Update } from './updater-process.ts'
import { Updaters } from './updaters.ts'

type Sessions = ReadonlyMap<string, Found>

const UNCONFIRMED = '0 of 1 replicas confirmed it'

describeWith([REDIS_7], 'four processes on a Redis that is parted from its replicas, then killed', () => {
  describe.each(GROUPS)('$name', ({ start }) => {
    it('lose each update that it answered in between, and no other', async () => {
      const group = await ofTest(start())
      const updaters = await Updaters.start({ sources: mixed(group.target) })
      await updaters.each(10)
      const parted = await Parted.from(group, await busiest(group), updaters.ids)
      await updaters.each(10)
      await allHeard(updaters, await parted.halt())
      const inBetween = answered(updaters, parted.before)
      await parted.replace()
      await updaters.each(10)

      const report = await updaters.stop()
      expectClearErrors(report)
      expectEndedByThemselves(report)
      expect(report).toMatchObject({ doubled: 0, invented: 0, gone: 0, wrong: 0 })
      expect(inBetween.length).toBeGreaterThan(0)
      expect(report.lostUpdates).toEqual(inBetween)
      expect(report.counted).toBeGreaterThanOrEqual(report.acknowledged - report.lost)
      expect(report.counted).toBeLessThanOrEqual(report.acknowledged - report.lost + report.unknown)
    })

    it('are answered no update in between where each write waits for a replica, and lose none', async () => {
      const group = await ofTest(start())
      // What waits on a connection holds up all that comes after it there.
      const patience = { waitForReplicas: 1, replicaTimeout: '300ms' } as const
      const updaters = await Updaters.start({ sources: mixed(group.target, patience) })
      await updaters.each(10)
      const parted = await Parted.from(group, await busiest(group), updaters.ids)
      await unconfirmedInEach(updaters, parted.before)
      await allHeard(updaters, await parted.halt())
      expect(answered(updaters, parted.before)).toEqual([])
      await parted.replace()
      if (group.target.kind === 'sentinel') await updaters.each(10)
      // In a cluster the new master has no replica itself. When that is what clients hear, they have found it.
      else await unconfirmedInEach(updaters, parted.before)

      const report = await updaters.stop(source('redis', group.target))
      expectNothingLost(report)
      expectClearErrors(report)
      expectEndedByThemselves(report)
      expect(report.unknown).toBeGreaterThan(0)
    })
  })
})

/** The updates of these sessions that were acknowledged and are not in what was kept of them. */
function answered({ heard }: Updaters, kept: Sessions): Update[] {
  return heard.filter((update) => {
    const session = kept.get(update.id)
    return session && update.outcome === 'acknowledged' && !has(session, update)
  })
}

/** Resolves when it is known of each update that was written what its process was told. */
async function allHeard(updaters: Updaters, written: Sessions): Promise<void> {
  for (const [id, { ledgers }] of written) {
    for (const [name, { ranges }] of Object.entries(ledgers)) {
      const last = ranges.at(-1)?.[1] ?? 0
      const process = name.replace('process ', '')
      await until(
        updaters,
        (update) => update.id === id && update.process === process && update.number === last,
      )
    }
  }
}

/** Resolves when each process has heard once more, in each of these sessions that it writes, that no replica has an update. */
async function unconfirmedInEach(updaters: Updaters, sessions: Sessions): Promise<void> {
  const begun = updaters.heard
  const pairs = new Map(begun.map(({ id, process }) => [`${id} ${process}`, { id, process }]))
  for (const { id, process } of pairs.values()) {
    if (!sessions.has(id)) continue
    const isOfPair = (update: Update) => update.id === id && update.process === process
    const last = begun.findLast(isOfPair)?.number ?? 0
    const isUnconfirmed = ({ failure }: Update) => failure?.chain.join().includes(UNCONFIRMED)
    await until(
      updaters,
      (update) => isOfPair(update) && update.number > last && isUnconfirmed(update) === true,
    )
  }
}

async function until(updaters: Updaters, is: (update: Update) => boolean): Promise<void> {
  while (!updaters.heard.some(is)) await sleep(20)
}
