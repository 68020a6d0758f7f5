import type session from 'express-session'
import { createSessions, type Store } from 'sojourn'

/** What each session of a measurement holds: a few things, as a shop would remember them. */
export const DATA = {
  num_visits: 17,
  cart: ['9780141439518', '9780199535569'],
  theme: 'dark',
  lastSearch: 'the adventures of',
  since: '2026-01-31T09:00:00.000Z',
}

/** Makes a session of that data as a site does, and answers its key. */
export async function makeOurs(store: Store): Promise<string> {
  const sessions = createSessions<typeof DATA>({ store })
  const visit = sessions.open({ cookie: undefined, secure: true })
  const session = await visit.session()
  for (const [key, value] of Object.entries(DATA)) session.set(key as keyof typeof DATA, value as never)
  await visit.commit()
  return session.handle
}

/** The same by a store of express-session, under that id. */
export function makePeers(store: session.Store, id: string): Promise<void> {
  return new Promise((resolve, reject) => {
    store.set(id, peerData(), (error: unknown) => (error ? reject(error) : resolve()))
  })
}

export function peerData(): session.SessionData {
  const cookie = {
    originalMaxAge: DAYS_14,
    expires: new Date(Date.now() + DAYS_14),
    httpOnly: true,
    path: '/',
  }
  return { cookie, ...DATA } as unknown as session.SessionData
}

const DAYS_14 = 14 * 86_400_000
