import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { createSessions } from '../../src/index.ts'
import { Browser } from '../core/browser.ts'
import { folderOfTest } from '../stores/temporary.ts'
import { openStore } from '../stores/workers/open.ts'
import { run, STORES } from './workers.ts'

describe.each(STORES)('four processes with one session in a store: $kind', ({ kind, name }) => {
  it('1,000 updates leave exactly 1,000, each seen once, and 100 keys that all keep their last value', async () => {
    const path = join(folderOfTest(), name)
    const sessions = createSessions<Record<string, unknown>>({ store: await openStore(kind, path) })
    const browser = new Browser(sessions)
    await browser.visit((session) => session.set('began', true))
    const cookie = browser.cookie ?? ''
    const outputs = await Promise.all(
      ['a', 'b', 'c', 'd'].map((own) => run('visits', [kind, path, cookie, own])),
    )
    const seen = outputs.flatMap((output) => JSON.parse(output) as number[])
    expect(new Set(seen).size).toBe(1000)
    const { began, n, ...keys } = await browser.visit((session) => Object.fromEntries(session))
    expect({ began, n }).toEqual({ began: true, n: 1000 })
    expect(Object.keys(keys)).toHaveLength(100)
    expect(new Set(Object.values(keys))).toEqual(new Set([9]))
    await sessions.close()
  })
})
