import { expect } from 'vitest'
import type { Attempt } from './job.ts'
import type { Found } from './kept.ts'
import { holds } from './ledger.ts'
import type { Update, UpdaterProcess } from './updater-process.ts'

/** What the processes were told, beside what is in the store. */
export interface Report {
  /** Updates whose `save()` resolved. */
  acknowledged: number
  /** Updates of which nobody knows whether they were written: the store failed, or the process was killed. */
  unknown: number
  /** Updates that failed before anything was written. */
  refused: number
  /** Acknowledged updates that are not in the store: how many, and which. */
  lost: number
  lostUpdates: Update[]
  /** Updates that are in the store more than once. */
  doubled: number
  /** Updates that are in the store although the process was told that they were not. */
  invented: number
  /** The counters in the store, of all sessions; an update adds one. */
  counted: number
  /** Requests that found no session, or somebody else's. */
  gone: number
  wrong: number
  /** How many errors there were of each code; those that are no SessionError under `other`. */
  codes: Record<string, number>
  /** The distinct errors: their messages and those of their causes. */
  errors: string[]
  /** What errors told that they must not tell. */
  leaks: string[]
  /** The longest time, in milliseconds, in which one process could not update one session. */
  longestPause: number
  /** Processes that did not end by themselves when they had nothing left to do. */
  restless: string[]
}

/** @param find what the store holds of a session, by its id; nothing when it is gone */
export function reportOn(processes: readonly UpdaterProcess[], find: (id: string) => Found): Report {
  const attempts = processes.flatMap((process) => process.attempts)
  const failures = attempts.flatMap(({ failure }) => failure ?? [])
  const count = (outcome: Attempt['outcome']) => attempts.filter((other) => other.outcome === outcome).length
  const ids = new Set(processes.flatMap(({ job }) => Object.values(job.ids)))
  const fates = processes.flatMap((process) => [
    fateOf(process, 'shared', find),
    fateOf(process, 'own', find),
  ])
  const sum = (of: 'doubled' | 'invented') => fates.reduce((total, fate) => total + fate[of], 0)
  const lostUpdates = processes
    .flatMap(({ updates }) => updates)
    .filter((update) => update.outcome === 'acknowledged' && !has(find(update.id), update))
  return {
    acknowledged: count('acknowledged'),
    // A process that was killed has begun an update of each session, at most.
    unknown: count('unknown') + 2 * processes.filter(({ isKilled }) => isKilled).length,
    refused: count('refused'),
    lost: lostUpdates.length,
    lostUpdates,
    doubled: sum('doubled'),
    invented: sum('invented'),
    counted: [...ids].reduce((total, id) => total + find(id).n, 0),
    gone: count('gone'),
    wrong: count('wrong'),
    codes: tally(failures.map(({ code }) => code ?? 'other')),
    errors: [...new Set(failures.map(({ chain }) => chain.join(' <- ')))],
    leaks: [...new Set(failures.flatMap(({ leaks }) => leaks))],
    longestPause: Math.max(
      ...processes.flatMap((one) => [one.longestPause('shared'), one.longestPause('own')]),
    ),
    restless: processes.filter(({ endedByItself }) => !endedByItself).map(({ job }) => job.name),
  }
}

/** Whether the update is in what the store holds of its session. */
export function has({ ledgers }: Found, { process, number }: Pick<Update, 'process' | 'number'>): boolean {
  const ledger = ledgers[`process ${process}`]
  return ledger !== undefined && holds(ledger, number)
}

function fateOf({ job, attempts }: UpdaterProcess, of: Attempt['of'], find: (id: string) => Found) {
  const found = find(job.ids[of])
  return {
    doubled: found.ledgers[`process ${job.name}`]?.twice.length ?? 0,
    invented: attempts
      .filter((attempt) => attempt.of === of)
      .filter(({ outcome }) => outcome !== 'acknowledged' && outcome !== 'unknown')
      .filter(({ number }) => has(found, { process: job.name, number })).length,
  }
}

function tally(names: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1
  return counts
}

/** Every acknowledged update is there, once, and no other than those of which nobody can know. */
export function expectNothingLost(report: Report): void {
  const { lost, doubled, invented, gone, wrong } = report
  // Alone, for a failure to tell all of them.
  expect({ lost, doubled, invented, gone, wrong }).toEqual({
    lost: 0,
    doubled: 0,
    invented: 0,
    gone: 0,
    wrong: 0,
  })
  expect(report.counted).toBeGreaterThanOrEqual(report.acknowledged)
  expect(report.counted).toBeLessThanOrEqual(report.acknowledged + report.unknown)
}

/** Whatever failed was a SessionError with a code, and told nothing that does not belong into a log. */
export function expectClearErrors({ codes, leaks }: Report): void {
  expect(codes).not.toHaveProperty('other')
  expect(leaks).toEqual([])
}

/** Processes whose store is closed, and the clients of it that were opened for them, end. */
export function expectEndedByThemselves({ restless }: Report): void {
  expect(restless).toEqual([])
}
