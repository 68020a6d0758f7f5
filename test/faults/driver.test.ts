import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { folderOfTest } from '../stores/temporary.ts'
import { expectClearErrors, expectEndedByThemselves, expectNothingLost, type Report } from './report.ts'
import type { StoreSource } from './source.ts'
import { Updaters, type UpdatersOptions } from './updaters.ts'

const PLANTED = new URL('./workers/planted.ts', import.meta.url).pathname

describe.each(['sqlite:sessions.db', 'file:sessions'])('four processes on %s', (form) => {
  it('lose nothing when processes are killed, and end by themselves', async () => {
    const [scheme, name = ''] = form.split(':')
    const url = `${scheme}:${join(folderOfTest(), name)}`
    // No call may fail, however busy the machine is.
    const updaters = await Updaters.start({ sources: [{ url }], storeTimeout: '100s' })
    for (let kills = 0; kills < 3; kills++) {
      await updaters.each(5)
      await updaters.kill()
      await updaters.add()
    }
    await updaters.each(5)
    const report = await updaters.stop()
    expectNothingLost(report)
    expectClearErrors(report)
    expectEndedByThemselves(report)
    expect(report.codes).toEqual({})
    expect(report.acknowledged).toBeGreaterThanOrEqual(4 * 2 * 5)
  })
})

describe('the four processes find', () => {
  it('an update that was acknowledged and not written', async () => {
    const report = await reportOf('lost')
    expect(report.lost).toBeGreaterThan(0)
    expect(report.counted).toBeLessThan(report.acknowledged)
    expect(() => expectNothingLost(report)).toThrow()
  })

  it('an update that was written twice', async () => {
    const report = await reportOf('doubled')
    expect(report.lost).toBe(0)
    expect(report.doubled).toBeGreaterThan(0)
    expect(report.counted).toBe(report.acknowledged + report.doubled)
    expect(() => expectNothingLost(report)).toThrow()
  })

  it('an update that was written and called a failure', async () => {
    const report = await reportOf('invented')
    expect(report).toMatchObject({ lost: 0, doubled: 0 })
    expect(report.invented).toBeGreaterThan(0)
    expect(() => expectNothingLost(report)).toThrow()
  })

  it.each(['leaking', 'logging'])('an error that tells what a session holds: %s', async (fault) => {
    const report = await reportOf(fault)
    expectNothingLost(report)
    expect(report.codes['ERR_SESSION_STORE']).toBeGreaterThan(0)
    expect(report.leaks).toContain('data of the shared session in the printed error')
    expect(() => expectClearErrors(report)).toThrow()
  })

  it('a process that does not end', async () => {
    const report = await reportOf('restless', { processes: 1, endsWithin: 3000 })
    expect(report.restless).toEqual(['0'])
    expect(() => expectEndedByThemselves(report)).toThrow()
  })

  it('a service that does not come back', async () => {
    const source: StoreSource = { url: `sqlite:${join(folderOfTest(), 'sessions.db')}` }
    const updaters = await Updaters.start({ sources: [source], processes: 1 })
    await updaters.each(1)
    await expect(updaters.each(1_000_000, 500)).rejects.toThrow('had not come back')
  })
})

async function reportOf(fault: string, options: Partial<UpdatersOptions> = {}): Promise<Report> {
  const path = join(folderOfTest(), 'sessions.db')
  const sources = [{ module: PLANTED, args: [fault, path] }]
  const updaters = await Updaters.start({ sources, storeTimeout: '100s', ...options })
  await updaters.each(20)
  return updaters.stop()
}
