import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Attempt, attempt } from './lost-attempt.ts'

import { surroundings } from './machine.ts'
import { meetingSites } from './meeting-sites.ts'
import { show, spread, table } from './statistics.ts'

export interface LostUpdatesOptions {
  /** How often everything is done with each kind of session. */
  rounds: number
  json: string | undefined
}

/** Prints, as a Markdown table, what becomes of parallel requests with each kind of session. */
export async function lostUpdates({ rounds, json }: LostUpdatesOptions): Promise<void> {
  console.log(
    `${surroundings()}\n100 parallel requests of one session, ${rounds} repetitions: median (lowest–highest).\n`,
  )
  const rows: string[][] = []
  const figures: Record<string, Attempt[]> = {}
  for (const site of meetingSites) {
    const attempts: Attempt[] = []
    for (let i = 0; i < rounds; i++) {
      const folder = await mkdtemp(join(tmpdir(), 'sojourn-lost-'))
      try {
        attempts.push(await attempt(site, folder))
      } finally {
        await rm(folder, { recursive: true, force: true })
      }
    }
    figures[site.title] = attempts
    rows.push([
      site.title,
      show(spread(attempts.map(({ keys }) => keys)), 0),
      show(spread(attempts.map(({ counter }) => counter)), 0),
      said(attempts.map(({ aliveAfterLogout }) => aliveAfterLogout)),
      said(attempts.map(({ redirectSeesLogin }) => redirectSeesLogin)),
      said(attempts.map(({ savedRedirectSeesLogin }) => savedRedirectSeesLogin)),
    ])
  }
  const head = [
    'sessions',
    'keys left of 100',
    'counter after 100 × +1',
    'alive after a logout that a slow request overtook',
    'the page after the login redirect knows the login',
    '... with an explicit `save()` before the redirect',
  ]
  console.log(table(head, rows, 'left'))
  if (json) await writeFile(json, JSON.stringify({ surroundings: surroundings(), rounds, figures }, null, 2))
}

function said(answers: boolean[]): string {
  const yes = answers.filter(Boolean).length
  if (yes === 0) return 'no'
  return yes === answers.length ? 'yes' : `${yes} of ${answers.length} times`
}
