import Database from 'better-sqlite3'
import openPeerStore from 'better-sqlite3-session-store'
import session from 'express-session'

/** A database of better-sqlite3 with the settings that Sojourn gives to one that it opens itself. */
export function withWal(path: string): Database.Database {
  const database = new Database(path)
  database.pragma('journal_mode = WAL')
  database.pragma('synchronous = NORMAL')
  return database
}

/** A database as SQLite opens it: rollback journal, a full sync for each write. */
export function asInReadme(path: string): Database.Database {
  return new Database(path)
}

/** The usual SQLite store of express-session. */
export function peerStore(client: Database.Database): session.Store {
  const PeerStore = openPeerStore(session)
  return new PeerStore({ client })
}
