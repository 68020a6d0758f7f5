import type { CloseableStore } from '../store.ts'

/** A store on a server, opened by its URL. It closes what it opened, which is all that it needs to reach it. */
export interface ServerStore extends CloseableStore {
  /**
   * What the store needs in its backend and does not find there, such as `table "sessions"`; makes nothing. A store that
   * needs nothing there has no such method.
   */
  missing?(): Promise<string | undefined>
}
