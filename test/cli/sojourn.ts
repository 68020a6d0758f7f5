import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll } from 'vitest'
import type { CloseableStore, PurgeableStore } from '../../src/store.ts'
import { fileStore } from '../../src/stores/file.ts'
import { sqliteStore } from '../../src/stores/sqlite.ts'

const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))

export interface Ended {
  code: number | null
  stdout: string
  stderr: string
}

/** Runs the command line as a process of its own; `during` may act on it while it runs. */
export function sojourn(args: string[], during?: (child: ReturnType<typeof spawn>) => void): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [main, ...args])
    const ended: Ended = { code: null, stdout: '', stderr: '' }
    child.stdout.on('data', (chunk) => {
      ended.stdout += chunk
    })
    child.stderr.on('data', (chunk) => {
      ended.stderr += chunk
    })
    child.on('error', reject)
    child.on('close', (code) => resolve({ ...ended, code }))
    during?.(child)
  })
}

/** A folder that is gone after the tests of the file. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'sojourn-cli-'))
  afterAll(() => rmSync(folder, { recursive: true }))
  return folder
}

type EmbeddedStore = PurgeableStore & Partial<CloseableStore>

/** The stores that a command line can open by a path: the scheme of their URL, and how a site opens them. */
export const EMBEDDED: [scheme: string, open: (path: string) => EmbeddedStore][] = [
  ['sqlite', sqliteStore],
  ['file', fileStore],
]
