import { createSessions, type Session } from 'sojourn'
import { storeFromUrl } from 'sojourn/from-url'
import { openOrRefuse, sessionStore } from './settings.ts'

/** Everything that the site remembers about a visitor. Another key, or another type, does not compile. */
export interface VisitorData {
  /** How often this visitor has seen the home page. */
  num_visits: number
  /** The ids of the copies that the visitor is about to borrow. */
  basket: string[]
  /** The browser and system of the sign-in, for the "your sessions" page. */
  device: string
}

export type VisitorSession = Session<VisitorData>

/** The sessions of this site. One line in server.ts attaches them to Express. */
export const sessions = createSessions<VisitorData>({
  store: await openOrRefuse('SESSION_STORE', () => storeFromUrl(sessionStore)),
})
