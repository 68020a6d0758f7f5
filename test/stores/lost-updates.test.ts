import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll } from 'vitest'
import { describeLostUpdates } from './lost-updates.ts'
import { temporaryFolder } from './temporary.ts'

const folder = temporaryFolder()
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describeLostUpdates('SQLite', () => ({ url: `sqlite:${join(folder, 'sessions.db')}` }))
describeLostUpdates('files', () => ({ url: `file:${join(folder, 'sessions')}` }))
