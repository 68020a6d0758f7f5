// The package has no types of its own; this is what its README shows.
declare module 'better-sqlite3-session-store' {
  import type { Store } from 'express-session'

  function sessionStore(session: { Store: typeof Store }): new (options: { client: object }) => Store
  export = sessionStore
}
