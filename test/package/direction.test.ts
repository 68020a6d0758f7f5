import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const root = new URL('../..', import.meta.url).pathname

const RESTRICTED = 'lint/style/noRestrictedImports'
const CYCLE = 'lint/suspicious/noImportCycles'
const INLINE = 'plugin'

/** Files that break a rule of direction: where, what, and the rule that must find it. */
const REFUSED: [file: string, code: string, rule: string][] = [
  ['src/core-node.ts', "import 'node:crypto'", RESTRICTED],
  ['src/core-node-type.ts', "import type { IncomingMessage } from 'node:http'", RESTRICTED],
  ['src/core-framework.ts', "import type { Request } from 'express'", RESTRICTED],
  ['src/core-inline.ts', "export type Request = import('express').Request", INLINE],
  ['src/core-lazy.ts', "export const lazy = () => import('better-sqlite3')", RESTRICTED],
  ['src/core-store.ts', "import { sqliteStore } from './stores/sqlite.ts'", RESTRICTED],
  ['src/core-memory.ts', "import { memoryStore } from './stores/memory.ts'", RESTRICTED],
  ['src/core-again.ts', "export { expressSession } from './adapters/express.ts'", RESTRICTED],
  ['src/core-cli.ts', "import './cli/main.ts'", RESTRICTED],
  ['src/core-itself.ts', "import { createSessions } from 'sojourn'", RESTRICTED],
  ['src/sessions.ts', "import { fileStore } from './stores/file.ts'", RESTRICTED],
  ['src/stores/uses-core.ts', "import { createSessions } from '../sessions.ts'", RESTRICTED],
  ['src/stores/uses-adapter.ts', "import '../adapters/node.ts'", RESTRICTED],
  ['src/stores/cookie-own.ts', "import { createHmac } from 'node:crypto'", RESTRICTED],
  ['src/stores/cookie-other.ts', "import { memoryStore } from './memory.ts'", RESTRICTED],
  ['src/core-cookie.ts', "import { cookieStore } from './stores/cookie.ts'", RESTRICTED],
  ['src/stores/lazy-client.ts', "export const lazy = () => import('better-sqlite3')", RESTRICTED],
  ['src/stores/uses-client.ts', "import type { Pool } from 'pg'", RESTRICTED],
  ['src/stores/own-url.ts', "import { createSessions } from '../sessions.ts'", RESTRICTED],
  ['src/stores/from-url.ts', "import { isKey } from '../id.ts'", RESTRICTED],
  ['src/stores/memory.ts', "import { EventEmitter } from 'node:events'", RESTRICTED],
  ['src/adapters/uses-store.ts', "import { memoryStore } from '../stores/memory.ts'", RESTRICTED],
  ['src/adapters/uses-framework.ts', "import express from 'express'", RESTRICTED],
  ['src/adapters/uses-types.ts', "import type { Request } from 'express'", RESTRICTED],
  ['src/testing/uses-runner.ts', "import { it } from 'vitest'", RESTRICTED],
  ['src/testing/uses-store.ts', "import { sqliteStore } from '../stores/sqlite.ts'", RESTRICTED],
  ['src/cli/uses-adapter.ts', "import '../adapters/express.ts'", RESTRICTED],
  ['src/cli/uses-package.ts', "import chalk from 'chalk'", RESTRICTED],
  ['src/one.ts', "export { two } from './two.ts'", CYCLE],
  ['src/two.ts', "import type { one } from './one.ts'\nexport type two = typeof one", CYCLE],
]

/** Files that keep the rules. */
const ALLOWED: [file: string, code: string][] = [
  [
    'src/core.ts',
    "import { sha256 } from '@noble/hashes/sha2.js'\nimport { milliseconds } from './duration.ts'",
  ],
  ['src/stores/cookie-part.ts', "import type { Carrier } from '../carrier.ts'\nimport './cookie-keys.ts'"],
  ['src/stores/sqlite.ts', "import { stat } from 'node:fs/promises'\nimport './sqlite-table.ts'"],
  [
    'src/stores/own.ts',
    "import type { Store } from '../store.ts'\nimport { milliseconds } from '../duration.ts'",
  ],
  [
    'src/stores/lazy-url.ts',
    "import { own } from './own.ts'\nexport const lazy = () => import('better-sqlite3')",
  ],
  [
    'src/adapters/own.ts',
    "import type { ServerResponse } from 'node:http'\nimport { x } from '../sessions.ts'",
  ],
  ['src/cli/own.ts', "import { memoryStore } from '../stores/memory.ts'\nimport { isKey } from '../id.ts'"],
  ['src/testing/own.ts', "import type { Store } from '../store.ts'\nimport assert from 'node:assert/strict'"],
]

describe('the linter holds the rules of direction', () => {
  let folder: string
  let found: Map<string, Set<string>>

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'sojourn-direction-'))
    for (const path of ['biome.json', 'scripts/lint']) {
      cpSync(join(root, path), join(folder, path), { recursive: true })
    }
    for (const [file, code] of [...REFUSED, ...ALLOWED]) {
      mkdirSync(dirname(join(folder, file)), { recursive: true })
      writeFileSync(join(folder, file), `${code}\n`)
    }
    found = lint(folder)
  })
  afterAll(() => rmSync(folder, { recursive: true }))

  it.each(REFUSED)('%s may not contain: %s', (file, _code, rule) => {
    expect([...(found.get(file) ?? [])]).toContain(rule)
  })

  it.each(ALLOWED)('%s may contain: %s', (file) => {
    const rules = [...(found.get(file) ?? [])]
    expect(rules.filter((rule) => [RESTRICTED, CYCLE, INLINE].includes(rule))).toEqual([])
  })
})

/** The rules that each file of the folder breaks. */
function lint(folder: string): Map<string, Set<string>> {
  const { stdout, stderr } = spawnSync(
    process.execPath,
    [
      join(root, 'node_modules/@biomejs/biome/bin/biome'),
      'lint',
      '--vcs-enabled=false',
      '--max-diagnostics=none',
      '--reporter=json',
    ],
    { cwd: folder, encoding: 'utf8' },
  )
  if (!stdout.startsWith('{')) throw new Error(`The linter gave no report: ${stdout}${stderr}`)
  const report: { diagnostics: { category: string; location: { path: string } }[] } = JSON.parse(stdout)
  const rules = new Map<string, Set<string>>()
  for (const { category, location } of report.diagnostics) {
    const known = rules.get(location.path) ?? new Set()
    rules.set(location.path, known.add(category))
  }
  return rules
}
