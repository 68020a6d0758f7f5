import type { NatsKv, NatsKvEntry } from '../../src/stores/nats.ts'

/** What becomes of a put, or of a read. Both leaders get a put; only the one that most servers follow can store it. */
export interface Fate {
  /**
   * Who is heard first: the one that leads, the one that did and refuses the put, or nobody. A read that the former leader
   * answers tells what was there `behind` writes ago, but at least the first of them; with `Infinity`, nothing.
   */
  answer: 'leader' | 'former leader' | 'nobody'
  /** Whether the one that leads gets a put at all. */
  arrives: boolean
  /** After so many milliseconds it does, */
  after: number
  /** and so many later the answer is there; less than none, if it is there before. */
  answeredAfter: number
  behind: number
}

const PURGE = { value: new Uint8Array(), operation: 'PURGE' }

/** A bucket in which a server that has just ceased to lead does not know it yet. */
export class TwoLeaders implements NatsKv {
  readonly #states = new Map<string, NatsKvEntry[]>()
  readonly #fate: (key: string) => Fate | undefined
  #revision = 0
  /** How many puts were stored although the first answer to them was a refusal. */
  refusedAndStored = 0

  /** @param fate of the next request; one that the leader alone gets, and answers, if it says nothing */
  constructor(fate: (key: string) => Fate | undefined) {
    this.#fate = fate
  }

  async get(key: string): Promise<NatsKvEntry | null> {
    const { answer, after, behind } = this.#next(key)
    await passes(after)
    if (answer === 'nobody') throw named('TimeoutError')
    const states = this.#states.get(key) ?? []
    if (answer === 'leader') return states.at(-1) ?? null
    return behind === Number.POSITIVE_INFINITY
      ? null
      : (states[Math.max(0, states.length - 1 - behind)] ?? null)
  }

  async put(key: string, value: Uint8Array, { previousSeq }: { previousSeq?: number }): Promise<number> {
    const { answer, arrives, after, answeredAfter } = this.#next(key)
    const stored = arrives ? passes(after).then(() => this.#store(key, value, previousSeq)) : undefined
    if (answer === 'leader' && stored !== undefined) {
      const revision = await stored
      if (answeredAfter > 0) await passes(answeredAfter)
      if (revision === undefined) throw refusal()
      return revision
    }
    await passes(Math.max(0, after + answeredAfter))
    if (answer !== 'former leader') throw named('TimeoutError')
    if (stored !== undefined) void this.#count(stored)
    throw refusal()
  }

  async #count(stored: Promise<number | undefined>): Promise<void> {
    if ((await stored) !== undefined) this.refusedAndStored++
  }

  async purge(key: string): Promise<void> {
    this.#append(key, PURGE)
  }

  /** Other keys are written so many times. */
  pass(revisions: number): void {
    this.#revision += revisions
  }

  async keys(): Promise<AsyncIterable<string>> {
    return ReadableStream.from<string>([])
  }

  async status() {
    return { ttl: 86_400_000, replicas: 3 }
  }

  #next(key: string): Fate {
    return this.#fate(key) ?? { answer: 'leader', arrives: true, after: 0, answeredAfter: 0, behind: 0 }
  }

  #store(key: string, value: Uint8Array, previousSeq = 0): number | undefined {
    const last = this.#states.get(key)?.at(-1)?.revision ?? 0
    return last === previousSeq ? this.#append(key, { value, operation: 'PUT' }) : undefined
  }

  #append(key: string, what: Omit<NatsKvEntry, 'revision'>): number {
    const revision = ++this.#revision
    this.#states.set(key, [...(this.#states.get(key) ?? []), { ...what, revision }])
    return revision
  }
}

function passes(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

function refusal(): Error {
  return Object.assign(new Error('wrong last sequence'), { name: 'JetStreamApiError', code: 10_164 })
}

function named(name: string): Error {
  return Object.assign(new Error('timeout'), { name })
}
