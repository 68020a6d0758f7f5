import { createSessions } from '../../../src/index.ts'
import { Browser } from '../../core/browser.ts'
import { openStore } from '../../stores/workers/open.ts'

// One process of a site: many visits of one session, in waves as pages make them.
const [, , kind, path, cookie, own] = process.argv
const WAVES = 10
const TOGETHER = 25

const sessions = createSessions<Record<string, unknown>>({ store: await openStore(kind, path) })
const seen: number[] = []
for (let wave = 0; wave < WAVES; wave++) {
  const visits = Array.from({ length: TOGETHER }, (_, i) => {
    const browser = new Browser(sessions, { cookie })
    return browser.visit(async (session) => {
      session.update('n', (n) => ((n as number | undefined) ?? 0) + 1)
      // 25 keys of its own, each written ten times.
      session.set(`${own}${i}`, wave)
      await session.save()
      seen.push(session.get('n') as number)
    })
  })
  await Promise.all(visits)
}
console.log(JSON.stringify(seen))
