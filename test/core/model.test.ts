import fc from 'fast-check'
import { expect, it } from 'vitest'
import { createSessions, type Session, SessionError, type Sessions, type Visit } from '../../src/index.ts'
import { agrees, type Deed, distinct, empty, forget, orders, replay, type State } from './model.ts'
import { SlowStore } from './slow-store.ts'

/*
 * Requests of one session run at the same time, in two processes, over a store that takes effect and answers in any
 * order and sometimes fails, before or after the effect. Whatever happens must be what some order of the requests, one
 * after the other, would have given: an order that keeps a request after those that had been answered before it began.
 */

type Data = Record<string, number>

interface Operation {
  do: keyof typeof PERFORM | 'save' | 'begin save'
  key: string
  user: string
}

interface Request {
  process: number
  operations: Operation[]
}

/** Each operation on the real session, and as a step of the model. A number is used once, so it tells whose it is. */
const PERFORM = {
  set(session: Session<Data>, { key }: Operation, { steps }: Deed, number: number) {
    session.set(key, number)
    steps.push(({ data }) => data.set(key, number))
  },
  add(session: Session<Data>, { key }: Operation, { steps }: Deed) {
    session.update(key, (n = 0) => n + 1)
    steps.push(({ data }) => data.set(key, (data.get(key) ?? 0) + 1))
  },
  delete(session: Session<Data>, { key }: Operation, { steps }: Deed) {
    // It deletes what this request sees; a value that it does not see is another one's.
    if (session.delete(key)) steps.push(({ data }) => data.delete(key))
  },
  insert(session: Session<Data>, { key }: Operation, { steps }: Deed, number: number) {
    if (session.has(key)) return
    session.getOrInsert(key, number)
    steps.push(({ data }) => data.has(key) || data.set(key, number))
  },
  clear(session: Session<Data>, _: Operation, { steps }: Deed) {
    session.clear()
    steps.push(empty)
  },
  flash(session: Session<Data>, _: Operation, { steps }: Deed, number: number) {
    session.flash('f', number)
    steps.push(({ flashes }) => flashes.push(number))
  },
  take(session: Session<Data>, _: Operation, { steps }: Deed) {
    const taken = session.takeFlashes().map(({ value }) => value)
    steps.push((state) => {
      state.flashes = state.flashes.filter((flash) => !taken.includes(flash))
    })
  },
  login(session: Session<Data>, { user }: Operation, deed: Deed) {
    if (session.userId !== undefined && session.userId !== user) deed.steps.push(empty)
    session.login(user)
    deed.changesId = 'login'
    deed.user = user
  },
  regenerateId(session: Session<Data>, _: Operation, deed: Deed) {
    session.regenerateId()
    if (deed.changesId === 'no') deed.changesId = 'rotate'
  },
  destroy(session: Session<Data>, _: Operation, deed: Deed) {
    session.destroy()
    // It ends the session whoever has signed in meanwhile, since its answer takes the cookie out of the browser.
    Object.assign(deed, { changesId: 'no', saw: undefined, destroys: true })
    deed.steps = [
      (state) => {
        state.exists = false
      },
    ]
  },
}

const names = Object.keys(PERFORM) as (keyof typeof PERFORM)[]
const operation: fc.Arbitrary<Operation> = fc.record({
  // The common ones more often than the drastic ones.
  do: fc.constantFrom('set', 'add', 'add', 'insert', 'flash', 'save', 'begin save', 'begin save', ...names),
  key: fc.constantFrom('a', 'b', '__proto__', 'constructor'),
  user: fc.constantFrom('ada', 'grace'),
})
const request: fc.Arbitrary<Request> = fc.record({
  process: fc.nat(1),
  operations: fc.array(operation, { minLength: 1, maxLength: 3 }),
})
const round = fc.record({
  requests: fc.array(request, { minLength: 1, maxLength: 4 }),
  // Which calls of the store fail, by their number in this round: two steps a call, before and after the effect.
  failures: fc.oneof(fc.constant([]), fc.constant([]), fc.array(fc.nat(30), { maxLength: 4 })),
  /** Whether everybody stays away afterwards until the session has expired. */
  expires: fc.boolean(),
})

class World {
  now = 1_000_000
  readonly store: SlowStore
  readonly processes: Sessions<Data>[]
  readonly ids = new Set<string>()
  failing = new Set<number>()
  #steps = 0
  #ticks = 0
  #numbers = 0

  constructor(scheduler: fc.Scheduler) {
    const clock = (): number => this.now
    this.store = new SlowStore(async (label) => {
      const step = this.#steps++
      await scheduler.schedule(Promise.resolve(), label)
      if (this.failing.has(step)) throw new Error('the store is down')
    }, clock)
    const options = { store: this.store, clock, idleTimeout: '1h', onStaleSet: 'allow' } as const
    this.processes = [createSessions<Data>(options), createSessions<Data>(options)]
  }

  failAt(numbers: readonly number[]): void {
    this.failing = new Set(numbers.map((number) => number + this.#steps))
  }

  /** A first request that starts the session. */
  async begin(): Promise<string> {
    const visit = this.#process(0).open({ cookie: undefined, secure: false })
    ;(await visit.session()).set('a', 1)
    await visit.commit()
    return this.#told(visit.outcome.setCookies[0]) ?? ''
  }

  /** Deeds of requests that have been told, by an earlier save, that their session had ended. */
  readonly #lost = new Set<Deed>()

  /** Runs one request and answers what it did, commit by commit. */
  async run({ process, operations }: Request, from: string): Promise<Deed[]> {
    const deeds = [this.#deed(from)]
    const last = (): Deed => deeds.at(-1) as Deed
    const visit = this.#process(process).open({ cookie: `sid=${from}`, secure: false })
    try {
      const session = await visit.session()
      last().saw = session.userId
      for (const op of operations) {
        // What a dead id and a destroyed session give is a session of its own, and none of this one's.
        if (session.isNew) break
        if (op.do === 'save') {
          await session.save()
          this.#settle(last(), visit)
          deeds.push(this.#deed(last().to ?? last().from, session.userId))
        } else if (op.do === 'begin save') {
          await this.#beginSave(visit, session, deeds)
        } else {
          PERFORM[op.do](session, op, last(), ++this.#numbers)
          if (this.#lost.has(last()) && !last().destroys) forget(last())
        }
      }
      await visit.commit()
      this.#settle(last(), visit)
    } catch (error) {
      this.#fail(last(), error)
    }
    return deeds
  }

  /** A `save()` that is not waited for: one at a time, and none that may fail and then be repeated by the next. */
  async #beginSave(visit: Visit<Data>, session: Session<Data>, deeds: Deed[]): Promise<void> {
    const deed = deeds.at(-1) as Deed
    if (this.failing.size > 0 || deed.after?.ended === Number.POSITIVE_INFINITY) return
    const next = this.#deed(deed.from, session.userId, deed)
    deeds.push(next)
    session.save().then(
      () => {
        this.#settle(deed, visit)
        next.from = deed.to ?? deed.from
      },
      (error: unknown) => {
        this.#fail(deed, error)
        // What it has done and does afterwards is lost with it, but not that it signs out.
        for (const one of deeds.slice(deeds.indexOf(next))) {
          this.#lost.add(one)
          if (!one.destroys) forget(one)
        }
      },
    )
    // What is changed in the same breath is still saved with it.
    for (let i = 0; i < 9; i++) await Promise.resolve()
  }

  #settle(deed: Deed, visit: Visit<Data>): void {
    deed.to = this.#told(visit.outcome.setCookies[0])
    deed.ended = this.#ticks++
  }

  #fail(deed: Deed, error: unknown): void {
    if (!(error instanceof SessionError)) throw error
    // Ended meanwhile: the model has ended it too. Anything else leaves open what was written.
    deed.unsure = error.code !== 'ERR_SESSION_ENDED'
    deed.ended = this.#ticks++
  }

  /** What the ids that were ever told open. */
  async observe(): Promise<State> {
    const state: State = { exists: false, data: new Map(), user: undefined, ids: new Set(), flashes: [] }
    for (const id of this.ids) {
      const session = await this.#process(0).resume(id)
      if (!session) continue
      state.exists = true
      state.ids.add(id)
      state.data = new Map(session)
      state.user = session.userId
      state.flashes = session.takeFlashes().map(({ value }) => value as number)
    }
    return state
  }

  #deed(from: string, saw?: string, after?: Deed): Deed {
    const began = this.#ticks++
    return {
      began,
      ended: Number.POSITIVE_INFINITY,
      steps: [],
      unsure: false,
      from,
      to: undefined,
      changesId: 'no',
      user: undefined,
      saw,
      after,
      destroys: false,
    }
  }

  #process(number: number): Sessions<Data> {
    return this.processes[number] as Sessions<Data>
  }

  #told(setCookie: string | undefined): string | undefined {
    const id = /sid=([^;]+)/.exec(setCookie ?? '')?.[1]
    if (id) this.ids.add(id)
    return id
  }
}

it('behaves as if the requests had come one after the other, whatever their interleaving', async () => {
  const rounds = fc.array(round, { minLength: 1, maxLength: 3 })
  const property = fc.asyncProperty(fc.scheduler(), rounds, async (scheduler, history) => {
    const world = new World(scheduler)
    let id = await scheduler.waitFor(world.begin())
    let states: State[] = [
      { exists: true, data: new Map([['a', 1]]), user: undefined, ids: new Set([id]), flashes: [] },
    ]
    for (const { requests, failures, expires } of history) {
      world.failAt(failures)
      const done = await scheduler.waitFor(Promise.all(requests.map((one) => world.run(one, id))))
      world.failAt([])
      const ends = states.flatMap((state) => Array.from(orders(done.flat()), (order) => replay(state, order)))
      const observed = await scheduler.waitFor(world.observe())
      states = distinct(ends).filter((state) => agrees(state, observed))
      expect(states, `no order of the requests gives ${JSON.stringify(observed)}`).not.toHaveLength(0)
      if (expires) {
        world.now += 3_600_000
        expect(await scheduler.waitFor(world.observe())).toMatchObject({ exists: false })
        return
      }
      id = done.flat().findLast((deed) => deed.to)?.to ?? id
    }
  })
  await fc.assert(property, { numRuns: 4000 })
})
