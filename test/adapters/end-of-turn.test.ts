import { AsyncLocalStorage } from 'node:async_hooks'
import { setImmediate as turn } from 'node:timers/promises'
import { createSessions, type Sessions } from 'sojourn'
import { memoryStore } from 'sojourn/memory'
import { expect, it, onTestFinished, vi } from 'vitest'
import { aroundStore } from '../../src/testing/around-store.ts'

/** Requests of visitors who are all there before. */
async function requests(sessions: Sessions, number: number) {
  const visits = Array.from({ length: number }, () => sessions.open({ cookie: undefined, secure: false }))
  for (const visit of visits) {
    const session = await visit.session()
    session.set('n', 1)
    await visit.commit()
  }
  return visits.map(({ outcome }) =>
    sessions.open({ cookie: outcome.setCookies[0]?.split(';')[0], secure: false }),
  )
}

it('requests that arrive in one turn of the event loop are looked after in one go, at its end', async () => {
  const log: string[] = []
  const store = aroundStore(memoryStore(), (verb, call) => {
    log.push(verb)
    return call()
  })
  const visits = await requests(createSessions({ store }), 3)
  log.length = 0
  for (const visit of visits) {
    log.push('arrived')
    void visit.session().then(() => log.push('found'))
    await Promise.resolve()
  }
  await turn()
  expect(log.join(' ')).toBe('arrived arrived arrived read read read found found found')
})

it('a request is answered while a test has put its own clocks in place', async () => {
  const [visit] = await requests(createSessions({ store: memoryStore() }), 1)
  vi.useFakeTimers()
  onTestFinished(() => void vi.useRealTimers())
  expect((await visit?.session())?.get('n')).toBe(1)
})

it('each call of the store belongs to the request it is for, as tracing wants it', async () => {
  const request = new AsyncLocalStorage<number>()
  const seen: unknown[] = []
  const store = aroundStore(memoryStore(), (_, call) => {
    seen.push(request.getStore())
    return call()
  })
  const visits = await requests(createSessions({ store }), 3)
  seen.length = 0
  await Promise.all(
    visits.map((visit, i) =>
      request.run(i, async () => {
        const session = await visit.session()
        session.set('n', i)
        await visit.commit()
        seen.push(request.getStore())
      }),
    ),
  )
  expect(seen.toSorted()).toEqual([0, 0, 0, 1, 1, 1, 2, 2, 2])
})

it('observers hear of a call that is not answered in time as of the request it was for', async () => {
  const request = new AsyncLocalStorage<number>()
  let answers = true
  const store = aroundStore(memoryStore(), (_, call) => (answers ? call() : new Promise(() => undefined)))
  const sessions = createSessions({ store, storeTimeout: '10ms' })
  const visits = await requests(sessions, 3)
  const heard: unknown[] = []
  sessions.on('storeError', () => heard.push(request.getStore()))
  answers = false
  const loaded = visits.map((visit, i) => request.run(i, () => visit.session()))
  for (const { status } of await Promise.allSettled(loaded)) expect(status).toBe('rejected')
  expect(heard.toSorted()).toEqual([0, 1, 2])
})
