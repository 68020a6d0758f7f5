import { createRequire } from 'node:module'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import session from 'express-session'
import type { ExpressSessionStore } from '../../src/stores/express-store.ts'

/** What a package that brings no types makes of express-session. */
type Made = new (options: object) => session.Store
const require = createRequire(import.meta.url)
const LruStore: Made = require('memorystore')(session)
const FileStore: Made = require('session-file-store')(session)
const SqliteStore: Made = require('better-sqlite3-session-store')(session)

/** Stores of express-session that need no server, each in a folder of its own. */
export const EMBEDDED: Readonly<Record<string, (folder: string) => ExpressSessionStore>> = {
  'express-session': () => new session.MemoryStore(),
  memorystore: () => new LruStore({ checkPeriod: 3_600_000 }),
  'session-file-store': (folder) =>
    new FileStore({ path: join(folder, 'sessions'), retries: 0, logFn: () => undefined }),
  'better-sqlite3-session-store': (folder) =>
    new SqliteStore({ client: new Database(join(folder, 'sessions.db')) }),
}
