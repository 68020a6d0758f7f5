import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { POSTGRES_PROGRAMS, Postgres } from '../servers/postgres.ts'
import { describeWith } from '../servers/program.ts'
import { Wire } from '../servers/wire.ts'
import { expectClearErrors, expectEndedByThemselves, expectNothingLost } from './report.ts'
import { Updaters } from './updaters.ts'

/** Nothing is taken for written that is not on the disk. */
const DURABLE = { fsync: 'on', full_page_writes: 'on', synchronous_commit: 'on' }

async function wireTo(server: Postgres): Promise<Wire> {
  const wire = await Wire.to(server.port)
  onTestFinished(() => wire.close())
  return wire
}

/** How many updates have been acknowledged, once no more of them are heard: those of a server that is gone may be on the way. */
async function silence(updaters: Updaters): Promise<number> {
  for (;;) {
    const { acknowledged } = updaters
    await sleep(500)
    if (updaters.acknowledged === acknowledged) return acknowledged
  }
}

describeWith(POSTGRES_PROGRAMS, 'PostgreSQL', () => {
  describe('one server', () => {
    let server: Postgres
    beforeAll(async () => {
      server = await Postgres.start(DURABLE)
    })
    afterAll(() => server?.remove())

    it('is killed three times and restarted: nothing is lost', async () => {
      const updaters = await Updaters.start({ sources: [{ url: server.url }] })
      for (let kills = 0; kills < 3; kills++) {
        await updaters.each(10)
        await server.kill()
        await sleep(200)
        await server.start()
      }
      await updaters.each(10)
      const report = await updaters.stop()
      expectNothingLost(report)
      expectClearErrors(report)
      expectEndedByThemselves(report)
      expect(report.acknowledged).toBeGreaterThanOrEqual(4 * 2 * 40)
    })

    it('stands still twice, and goes on: nothing is lost, and who waits is told', async () => {
      const updaters = await Updaters.start({ sources: [{ url: server.url }] })
      for (let pauses = 0; pauses < 2; pauses++) {
        await updaters.each(3)
        server.pause()
        await updaters.eachFails()
        server.resume()
      }
      await updaters.each(3)
      const report = await updaters.stop()
      expectNothingLost(report)
      expectClearErrors(report)
      expectEndedByThemselves(report)
      expect(report.errors).toContainEqual(expect.stringContaining('did not answer'))
    })

    it('answers into the void: no update is lost, none comes twice', async () => {
      const wire = await wireTo(server)
      const updaters = await Updaters.start({ sources: [{ url: server.urlBy(wire) }] })
      // Until an update was among what was lost.
      for (let cuts = 0; cuts < 3 || updaters.unknown === 0; cuts++) {
        await updaters.each(3)
        wire.loseAnswers()
        await sleep(300)
        wire.heal()
        await updaters.each(3)
        wire.cut()
      }
      await updaters.each(3)
      const report = await updaters.stop({ url: server.url })
      expectNothingLost(report)
      expectClearErrors(report)
      expectEndedByThemselves(report)
      expect(report.unknown).toBeGreaterThan(0)
    })
  })

  describe('a replica that is promoted', () => {
    async function pair(settings: Record<string, string>) {
      const primary = await Postgres.start({ ...DURABLE, ...settings })
      onTestFinished(() => primary.remove())
      const stream = await wireTo(primary)
      const replica = await primary.replica(stream.port, { ...DURABLE, synchronous_standby_names: '' })
      onTestFinished(() => replica.remove())
      const streaming = "SELECT FROM pg_stat_replication WHERE state = 'streaming'"
      while ((await primary.query(streaming)).length === 0) await sleep(50)
      return { primary, replica, stream, wire: await wireTo(primary) }
    }

    it('has every update where the primary waits for it', async () => {
      const { primary, replica, wire } = await pair({ synchronous_standby_names: 'replica' })
      const updaters = await Updaters.start({ sources: [{ url: primary.urlBy(wire) }] })
      await updaters.each(20)
      await primary.kill()
      await replica.promote()
      wire.redirect(replica.port)
      await updaters.each(10)
      const report = await updaters.stop({ url: replica.url })
      expectNothingLost(report)
      expectClearErrors(report)
      expectEndedByThemselves(report)
    })

    it('lacks what it had not received, and nothing else, where the primary does not wait', async () => {
      const { primary, replica, stream, wire } = await pair({})
      const updaters = await Updaters.start({ sources: [{ url: primary.urlBy(wire) }] })
      await updaters.each(20)
      const safe = updaters.acknowledged
      const [[written]] = (await primary.query('SELECT pg_current_wal_flush_lsn()')) as [[string]]
      const received = `SELECT pg_last_wal_receive_lsn() >= '${written}'`
      while (!(await replica.query(received))[0]?.[0]) await sleep(20)
      // The two lose touch for a while, so that there is something to lose.
      stream.refuse()
      await updaters.each(5)
      await primary.kill()
      const inDanger = (await silence(updaters)) - safe
      await replica.promote()
      wire.redirect(replica.port)
      await updaters.each(10)
      const report = await updaters.stop({ url: replica.url })
      expectClearErrors(report)
      expectEndedByThemselves(report)
      expect(report).toMatchObject({ doubled: 0, invented: 0, gone: 0, wrong: 0 })
      expect(report.lost).toBeGreaterThan(0)
      expect(report.lost).toBeLessThanOrEqual(inDanger)
      expect(report.counted).toBeGreaterThanOrEqual(report.acknowledged - report.lost)
    })
  })
})
