import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { findNode20 } from '../package/node20.ts'

// The contracts on the oldest Node that the library runs on. The tools of the other tests do not run there.

const folder = fileURLToPath(new URL('.', import.meta.url))
const node = findNode20()

describe.skipIf(!node)('on Node 20', () => {
  it.each(['stores', 'adapters'])(
    'the contract of %s holds',
    async (name) => {
      const child = spawn(node ?? '', ['--test', '--test-reporter=spec', `${folder}${name}.mjs`], {
        cwd: folder,
      })
      let output = ''
      const collect = (chunk: Buffer) => {
        output += chunk
      }
      child.stdout.on('data', collect)
      child.stderr.on('data', collect)
      const [code] = await once(child, 'close')

      expect(output).toMatch(/^ℹ fail 0$/m)
      // A run of no tests would have no failures either.
      expect(Number(/^ℹ pass (\d+)$/m.exec(output)?.[1])).toBeGreaterThan(40)
      expect(code).toBe(0)
    },
    180_000,
  )
})
