import { existsSync } from 'node:fs'
import { describe, it } from 'vitest'
import type { Runtime } from './runtimes.ts'

/** Describes tests of a runtime. npm has no binary of it for every machine: a failure with `CI=true`, else they are skipped. */
export function describeOn({ name, binary }: Runtime, body: () => void): void {
  const needs = `needs ${name}: npm ci --ignore-scripts in test/runtimes, on a machine that npm has a binary for`
  if (existsSync(binary)) describe(`on ${name}`, body)
  else if (process.env['CI'] !== 'true') describe.skip(`on ${name} (${needs})`, body)
  else {
    it(`on ${name}`, () => {
      throw new Error(needs)
    })
  }
}
