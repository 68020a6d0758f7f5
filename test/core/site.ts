import { onTestFinished } from 'vitest'
import {
  createSessions,
  type SessionEventName,
  type SessionEvents,
  type Sessions,
  type SessionsOptions,
} from '../../src/index.ts'
import { Browser } from './browser.ts'
import { SlowStore } from './slow-store.ts'

export type Data = Record<string, unknown>

/** A site of one or more processes over one store, at an instant that the test sets. */
export class Site {
  now = Date.UTC(2026, 0, 1)
  readonly clock = (): number => this.now
  readonly store = new SlowStore(undefined, this.clock)
  readonly #options: SessionsOptions

  constructor(options: SessionsOptions = {}) {
    this.#options = options
  }

  /** A process of the site. */
  process(options: SessionsOptions = {}): Sessions<Data> {
    return createSessions<Data>({ store: this.store, clock: this.clock, ...this.#options, ...options })
  }

  /** As many processes as the test is about. */
  processes(count: number): Sessions<Data>[] {
    return Array.from({ length: count }, () => this.process())
  }

  /** Stops the next call that comes to that point, until it is released. */
  hold(point: string): { reached: Promise<void>; release: () => void } {
    let release = (): void => undefined
    const reached = new Promise<void>((resolve) => {
      this.store.delay = (label) => {
        if (label !== point) return Promise.resolve()
        this.store.delay = () => Promise.resolve()
        resolve()
        return new Promise((resolveCall) => {
          release = resolveCall
        })
      }
    })
    return { reached, release: () => release() }
  }

  /** Everything that a thief of the store gets. */
  dump(): string {
    return JSON.stringify([...this.store.entries])
  }
}

/** A browser whose session holds something. */
export async function visitor(
  sessions: Sessions<Data>,
  data: Data = { began: true },
): Promise<Browser<Data>> {
  const browser = new Browser(sessions)
  await browser.visit((session) => {
    for (const [key, value] of Object.entries(data)) session.set(key, value)
  })
  return browser
}

/** A browser whose user has signed in. */
export async function signedIn(
  sessions: Sessions<Data>,
  userId: string,
  data: Data = {},
): Promise<Browser<Data>> {
  const browser = await visitor(sessions, data)
  await browser.visit((session) => session.login(userId))
  return browser
}

/** What a page shows that prints the whole session. */
export function contents(browser: Browser<Data>): Promise<Data> {
  return browser.visit((session) => Object.fromEntries(session))
}

const NAMES: readonly SessionEventName[] = [
  'created',
  'renewed',
  'rotated',
  'ended',
  'conflict',
  'discarded',
  'storeError',
]

/** All events of those sessions, in order, as `[name, payload]`. */
export function eventsOf(...all: Sessions<Data>[]): [SessionEventName, SessionEvents[SessionEventName]][] {
  const events: [SessionEventName, SessionEvents[SessionEventName]][] = []
  for (const sessions of all) {
    for (const name of NAMES) onTestFinished(sessions.on(name, (event) => events.push([name, event])))
  }
  return events
}

/** As many numbers as that, from 1. */
export function upTo(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i + 1)
}
