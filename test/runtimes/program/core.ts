import { type Extent, LONG } from './extent.ts'
import type { Suite } from './suite.ts'
import { testsOf } from './vitest.ts'

// Each import is written out, since a bundler must see it.
const FILES: Record<string, () => Promise<unknown>> = {
  administration: () => import('../../core/administration.test.ts'),
  'aes-siv': () => import('../../core/aes-siv.test.ts'),
  'at-once': () => import('../../core/at-once.test.ts'),
  base64url: () => import('../../core/base64url.test.ts'),
  'by-key': () => import('../../core/by-key.test.ts'),
  calls: () => import('../../core/calls.test.ts'),
  concurrency: () => import('../../core/concurrency.test.ts'),
  cookies: () => import('../../core/cookies.test.ts'),
  events: () => import('../../core/events.test.ts'),
  failures: () => import('../../core/failures.test.ts'),
  fixation: () => import('../../core/fixation.test.ts'),
  ids: () => import('../../core/ids.test.ts'),
  lifetime: () => import('../../core/lifetime.test.ts'),
  'live-values': () => import('../../core/live-values.test.ts'),
  'lost-answers': () => import('../../core/lost-answers.test.ts'),
  members: () => import('../../core/members.test.ts'),
  model: () => import('../../core/model.test.ts'),
  options: () => import('../../core/options.test.ts'),
  outcome: () => import('../../core/outcome.test.ts'),
  recent: () => import('../../core/recent.test.ts'),
  saves: () => import('../../core/saves.test.ts'),
  schema: () => import('../../core/schema.test.ts'),
  sealed: () => import('../../core/sealed.test.ts'),
  session: () => import('../../core/session.test.ts'),
  values: () => import('../../core/values.test.ts'),
}

/** The tests of the core, a suite for each of their files, if wanted; those that take long only when all are. */
export async function coreSuites(extent: Extent): Promise<Suite[]> {
  const suites: Suite[] = []
  if (extent === 'contracts') return suites
  for (const [subject, load] of Object.entries(FILES)) {
    if (extent !== 'all' && LONG.includes(subject)) continue
    suites.push({ kind: 'core', subject, rules: await testsOf(load) })
  }
  return suites
}
