import { setTimeout as sleep } from 'node:timers/promises'
import { createSessions, type Session, SessionError } from '../../src/index.ts'
import { Browser } from '../core/browser.ts'
import type { Ledger } from './ledger.ts'
import { open, type StoreSource } from './source.ts'

/** What the store holds of one session: a counter, and the updates of each process. */
export interface Found {
  n: number
  ledgers: Readonly<Record<string, Ledger>>
}

interface Data {
  whose: string
  n: number
  judged: string
  [process: `process ${string}`]: Ledger
}

/** A session that was begun, by a word that is in it. */
export interface Begun {
  id: string
  whose: string
}

/** Below the limit of a test, so that it is told what could not be read. */
const PATIENCE = 200_000

export async function begin(source: StoreSource, count: number): Promise<Begun[]> {
  const { store, close } = await open(source)
  const sessions = createSessions<Data>({ store, storeTimeout: '20s' })
  const begun = await Promise.all(
    Array.from({ length: count }, async () => {
      const browser = new Browser(sessions)
      const whose = crypto.randomUUID()
      await browser.visit((session) => session.set('whose', whose))
      return { id: browser.id, whose }
    }),
  )
  await close()
  return begun
}

/**
 * What the store holds of each session, as a write finds it: a read may be answered by a server that was cut off from the others and does
 * not know yet what they have written since. Nothing is written on top of that.
 */
export async function find(source: StoreSource, ids: readonly string[]): Promise<Map<string, Found>> {
  const { store, close } = await open(source)
  const sessions = createSessions<Data>({ store, storeTimeout: '20s' })
  const found = ids.map(async (id) => {
    const session = await patiently(async () => {
      const resumed = await sessions.resume(id)
      await resumed?.set('judged', crypto.randomUUID()).save()
      return resumed
    })
    return [id, foundIn(session)] as const
  })
  const all = new Map(await Promise.all(found))
  await close()
  return all
}

/** What one node of a cluster holds, or a server that takes no writes; the sessions of other nodes are left out. */
export async function look(node: StoreSource, ids: readonly string[]): Promise<Map<string, Found>> {
  const { store, close } = await open(node)
  const sessions = createSessions<Data>({ store, storeTimeout: '100s' })
  const found = ids.map(async (id) => {
    try {
      return [[id, foundIn(await sessions.resume(id))] as const]
    } catch (error) {
      if (isElsewhere(error)) return []
      throw error
    }
  })
  const all = new Map((await Promise.all(found)).flat())
  await close()
  return all
}

function foundIn(session: Session<Data> | undefined): Found {
  const { whose: _whose, judged: _judged, n = 0, ...ledgers } = Object.fromEntries(session ?? [])
  return { n: n as number, ledgers: ledgers as Record<string, Ledger> }
}

function isElsewhere(error: unknown): boolean {
  return error instanceof SessionError && String(error.cause).includes('MOVED')
}

/** A connection that is made anew for this may find a server that has just come back. */
async function patiently<T>(read: () => Promise<T>): Promise<T> {
  const until = performance.now() + PATIENCE
  for (;;) {
    try {
      return await read()
    } catch (error) {
      if (performance.now() > until) throw error
      await sleep(100)
    }
  }
}
