import type { SessionsOptions } from '../options.ts'
import type { Session } from '../session.ts'
import { createSessions, type Sessions } from '../sessions.ts'
import type { Store } from '../store.ts'
import { memoryStore } from '../stores/memory.ts'
import { Browser } from './browser.ts'
import type { Rule } from './contract-case.ts'

/** What the contract's pages keep in their sessions: numbers by name, and who knows what. */
export type Data = Record<string, unknown>

/** A request, as a page of the contract sees it. */
export interface PageVisit {
  /** The session, as the framework's handlers get it: `sessions.of(...)`. */
  session(): Promise<Session<Data>>
  readonly query: URLSearchParams
}

/** What a page answers. */
export interface PageAnswer {
  /** @defaultValue 200 */
  status?: number
  /** A name may occur several times. */
  headers?: readonly (readonly [name: string, value: string])[]
  /** Text is sent at once; chunks are sent as they come. @defaultValue no body */
  body?: string | AsyncIterable<string>
}

export type Page = (visit: PageVisit) => PageAnswer | Promise<PageAnswer>

/** What the adapter under test has to serve. */
export interface Site {
  readonly sessions: Sessions<Data>
  /** By path, for every method. */
  readonly pages: Readonly<Record<string, Page>>
  /** What the framework's own error handling must answer, for what a page throws and for a session that was not saved. */
  errorPage(error: unknown): PageAnswer
}

/** A site that is being served. */
export interface ServedSite {
  /** Such as `http://localhost:40123`. */
  readonly origin: string
  /** Stops serving, open connections included. */
  close(): Promise<void>
}

/** Serves a site with the adapter under test, on a free port. */
export type Serve = (site: Site) => Promise<ServedSite>

/** What the cases run on. */
export interface Stage {
  readonly serve: Serve
  /** Makes what carries the site's sessions of the store that a case has for it. */
  carriedBy(store: Store): NonNullable<SessionsOptions['store']>
}

/** Options of a case's sessions, with a store that others may be made of. */
export type SiteOptions = Omit<SessionsOptions, 'store'> & { store?: Store }

/** What a case needs of its site, made anew for each run. */
export interface Setup {
  options?: SiteOptions
  pages?: Record<string, Page>
}

/** A served site, for one case. */
export interface Visited {
  readonly origin: string
  /** A browser without cookies. */
  browser(): Browser
}

export const ERROR_PAGE = 'This is the error page.'

/** Makes a case that has a site to itself, and that fails, too, when a rejection was not handled meanwhile. */
export function siteCase<S extends Setup>(
  { serve, carriedBy }: Stage,
  name: string,
  setup: () => S,
  run: (visited: Visited & S) => Promise<void>,
): Rule {
  return {
    name,
    async run() {
      const site = setup()
      const { store = memoryStore(), ...options } = site.options ?? {}
      const sessions = createSessions<Data>({ ...options, store: carriedBy(store) })
      const served = await serve({ sessions, pages: { ...PAGES, ...site.pages }, errorPage })
      const { origin } = served
      try {
        await handlingRejections(() => run({ ...site, origin, browser: () => new Browser(origin) }))
      } finally {
        await served.close()
        await sessions.close()
      }
    },
  }
}

/** A site of the pages that all cases share. */
export function plain(): Setup {
  return {}
}

function errorPage(error: unknown): PageAnswer {
  const status = error instanceof Error && 'status' in error ? Number(error.status) : 500
  return { status, headers: [['Content-Type', 'text/plain']], body: ERROR_PAGE }
}

async function handlingRejections(run: () => Promise<void>): Promise<void> {
  const unhandled: unknown[] = []
  const listener = (reason: unknown): void => void unhandled.push(reason)
  globalThis.process?.on?.('unhandledRejection', listener)
  try {
    await run()
    await pause(0)
  } finally {
    globalThis.process?.off?.('unhandledRejection', listener)
  }
  if (unhandled.length > 0) throw new Error('A rejection was not handled', { cause: unhandled[0] })
}

const PAGES: Record<string, Page> = {
  '/nothing': () => ({ body: 'nothing' }),
  '/read': async (visit) => {
    const session = await visit.session()
    return { body: JSON.stringify({ user: session.userId, ...Object.fromEntries(session) }) }
  },
  '/set': async (visit) => {
    const session = await visit.session()
    session.set(visit.query.get('key') ?? 'key', 1)
    return { body: 'set' }
  },
  '/count': async (visit) => ({ body: String(count(await visit.session())) }),
  '/login': async (visit) => {
    const session = await visit.session()
    session.login(visit.query.get('user') ?? 'ann')
    return { status: 303, headers: [['Location', '/read']] }
  },
  '/logout': async (visit) => {
    const session = await visit.session()
    session.destroy()
    return { status: 303, headers: [['Location', '/read']] }
  },
  '/redirect': async (visit) => {
    count(await visit.session())
    return { status: 303, headers: [['Location', '/read']] }
  },
  '/stream': async (visit) => {
    count(await visit.session())
    return { headers: [['Content-Type', 'text/plain']], body: chunks() }
  },
}

/** Counts in the session, and answers the count. */
export function count(session: Session<Data>): number {
  return Number(session.update('n', (n = 0) => Number(n) + 1))
}

export const STREAMED = 'first second third'

async function* chunks(): AsyncIterable<string> {
  for (const chunk of ['first ', 'second ', 'third']) {
    await pause(5)
    yield chunk
  }
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

/**
 * Lets those who call it wait until so many have: requests that really run at the same time. Each looks for itself, since
 * Cloudflare's runtime ends a request that waits for another one only.
 */
export function barrier(size: number): () => Promise<void> {
  let waiting = 0
  return async () => {
    waiting++
    while (waiting < size) await pause(5)
  }
}
