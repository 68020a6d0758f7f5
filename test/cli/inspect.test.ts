import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { createSessions } from '../../src/index.ts'
import type { Store } from '../../src/store.ts'
import { EMBEDDED, sojourn, temporaryFolder } from './sojourn.ts'

const folder = temporaryFolder()

/** A session as a site would leave it in the store. */
async function visit(store: Store, sealed = false): Promise<{ handle: string; cookie: string }> {
  const sessions = createSessions({ store, sealed })
  const first = sessions.open({ cookie: undefined, secure: false })
  const session = await first.session()
  session.set('num_visits', 3)
  session.set('since', new Date(0))
  session.set('\u001B[31mred', 'text with \u001B[31mcolour')
  session.flash('notice', 'Saved')
  session.login('ada')
  await first.commit()
  return { handle: session.handle, cookie: first.outcome.setCookies.join() }
}

describe.each(EMBEDDED)('sojourn inspect on a store of %s', (scheme, open) => {
  let count = 0
  let path: string
  let url: string

  /** A store of its own for a test. */
  function fresh() {
    count += 1
    path = join(folder, `${scheme}-${count}`)
    url = `${scheme}:${path}`
    return open(path)
  }

  it('shows a session, without its secret', async () => {
    const store = fresh()
    const { handle, cookie } = await visit(store)
    const entry = await store.read(handle)
    await store.close?.()
    const hashes = entry?.value.match(/(?<=^1|[ ,:])[\w-]{32,}/g) ?? []
    expect(hashes.length).toBeGreaterThan(0)

    const plain = await sojourn(['inspect', url, handle])
    expect(plain).toMatchObject({ code: 0, stderr: '' })
    for (const text of [handle, 'ada', 'num_visits, since, red', `${entry?.value.length} bytes`]) {
      expect(plain.stdout).toContain(text)
    }
    expect(plain.stdout).not.toContain('1970')

    const full = await sojourn(['inspect', url, handle, '--data'])
    expect(full.stdout).toMatch(/num_visits +3\n/)
    expect(full.stdout).toContain('1970-01-01T00:00:00.000Z')

    const json = await sojourn(['inspect', url, handle, '--json', '--data'])
    expect(JSON.parse(json.stdout)).toEqual({
      handle,
      userId: 'ada',
      createdAt: expect.any(Number),
      authenticatedAt: expect.any(Number),
      lastSeenAt: expect.any(Number),
      expiresAt: entry?.expiresAt,
      size: entry?.value.length,
      sealed: false,
      keys: ['num_visits', 'since', '\u001B[31mred'],
      flashes: 1,
      data: {
        num_visits: 3,
        since: '1970-01-01T00:00:00.000Z',
        '\u001B[31mred': 'text with \u001B[31mcolour',
      },
    })

    const secret = /\.([\w-]{32})/.exec(cookie)?.[1] ?? ''
    expect(secret).not.toBe('')
    for (const { stdout } of [plain, full, json]) {
      for (const hidden of [secret, ...hashes]) expect(stdout).not.toContain(hidden)
    }
    // What a visitor put into a session does not steer the terminal.
    for (const { stdout } of [plain, full]) expect(stdout).not.toContain('\u001B')
  })

  it('says that sealed data is closed to it', async () => {
    const store = fresh()
    const { handle } = await visit(store, true)
    await store.close?.()
    const { code, stdout } = await sojourn(['inspect', url, handle, '--data'])
    expect(code).toBe(0)
    expect(stdout).toContain('sealed')
    expect(stdout).not.toContain('num_visits')
    const json = await sojourn(['inspect', url, handle, '--json'])
    expect(JSON.parse(json.stdout)).toMatchObject({ sealed: true, keys: null })
  })

  it.each(['A'.repeat(22), `-${'A'.repeat(21)}`])('finds nothing under %s', async (handle) => {
    const store = fresh()
    await visit(store)
    await store.close?.()
    const { code, stderr } = await sojourn(['inspect', url, handle])
    expect(stderr).toBe('sojourn: There is no session of that handle: it has ended, or never was\n')
    expect(code).toBe(1)
  })

  it('says when what it finds is no session', async () => {
    const store = fresh()
    const handle = 'B'.repeat(22)
    await store.create(handle, { value: 'not ours', expiresAt: Date.now() + 60_000, userId: undefined })
    await store.close?.()
    const { code, stderr } = await sojourn(['inspect', url, handle])
    expect(stderr).toContain('no session that this version of Sojourn can read')
    expect(stderr).not.toContain('not ours')
    expect(code).toBe(1)
  })
})
