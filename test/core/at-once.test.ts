import { describe, expect, it, vi } from 'vitest'
import { createSessions, type Sessions } from '../../src/index.ts'
import { cookieStore } from '../../src/stores/cookie.ts'
import { memoryStore } from '../../src/stores/memory.ts'
import { newKey } from '../stores/cookie-site.ts'
import { Browser } from './browser.ts'

interface Data {
  n: number
  text: string
}

/** A visit that has changed its session, and what its commit answers. */
async function committed(sessions: Sessions<Data>): Promise<unknown> {
  const visit = sessions.open({ cookie: undefined, secure: false })
  const session = await visit.session()
  session.set('n', 1)
  const answer = visit.commit()
  await answer
  expect(visit.outcome.setCookies).toHaveLength(1)
  return answer
}

it('a session that its cookie carries is saved when commit() returns, and failed when it throws', async () => {
  const sessions = createSessions<Data>({ store: cookieStore({ keys: [newKey()] }) })
  expect(await committed(sessions)).toBeUndefined()
  const ann = new Browser(sessions)
  await ann.visit((session) => session.set('n', 1))
  await expect(ann.visit((session) => session.set('text', 'x'.repeat(9000)))).rejects.toMatchObject({
    code: 'ERR_SESSION_TOO_LARGE',
  })
  expect(await ann.visit((session) => [session.get('n'), session.has('text')])).toEqual([1, false])
})

describe('a store in this process', () => {
  it('has saved when commit() returns, so that no response has to wait', async () => {
    expect(await committed(createSessions<Data>({ store: memoryStore() }))).toBeUndefined()
  })

  it.each(['create', 'update', 'read'] as const)(
    'is asked by the method that somebody has put in the place of its %s',
    async (verb) => {
      const store = memoryStore()
      const spied = vi.spyOn(store, verb)
      const ann = new Browser(createSessions<Data>({ store }))
      await ann.visit((session) => session.set('n', 1))
      await ann.visit((session) => session.update('n', (n = 0) => n + 1))
      expect(spied).toHaveBeenCalledOnce()
    },
  )

  it('fails with the errors of any store, told to observers, whichever verb it was', async () => {
    const store = memoryStore({ maxBytes: 2000 })
    const sessions = createSessions<Data>({ store })
    const failed: string[] = []
    sessions.on('storeError', ({ operation }) => failed.push(operation))
    const ann = new Browser(sessions)
    const tooLarge = { code: 'ERR_SESSION_TOO_LARGE' }
    await expect(ann.visit((session) => session.set('text', 'x'.repeat(2000)))).rejects.toMatchObject(
      tooLarge,
    )
    await ann.visit((session) => session.set('n', 1))
    await expect(ann.visit((session) => session.set('text', 'x'.repeat(2000)))).rejects.toMatchObject(
      tooLarge,
    )
    expect(await ann.visit((session) => [session.get('n'), session.has('text')])).toEqual([1, false])
    expect(failed).toEqual([])
    await store.close()
    const down = { code: 'ERR_SESSION_STORE', cause: { message: 'The memory store is closed' } }
    await expect(ann.visit((session) => session.get('n'))).rejects.toMatchObject(down)
    const bob = new Browser(sessions)
    await expect(bob.visit((session) => session.set('n', 1))).rejects.toMatchObject(down)
    expect(failed).toEqual(['read', 'create'])
  })
})
