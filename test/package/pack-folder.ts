import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'

declare module 'vitest' {
  interface ProvidedContext {
    /** Where the test files of one run share the packed package. */
    packFolder: string
  }
}

let folder: string

export function setup(project: TestProject): void {
  folder = mkdtempSync(join(tmpdir(), 'sojourn-pack-'))
  project.provide('packFolder', folder)
}

export function teardown(): void {
  rmSync(folder, { recursive: true })
}
