import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'
import { LongestFirst } from './test/longest-first.ts'

// Hundreds of small processes are started, and most load the same modules: compiled once, and kept from run to run.
process.env['NODE_COMPILE_CACHE'] ??= fileURLToPath(new URL('node_modules/.cache/node', import.meta.url))

// Where a machine wants to read the results, beside the person who reads the terminal.
const report = process.env['TEST_REPORT']

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts', 'examples/*/test/**/*.test.ts'],
    // The folder that test files share the packed package in, which the first of them makes.
    globalSetup: 'test/package/pack-folder.ts',
    // Processes, not threads: tests change the environment, send signals and load native addons.
    pool: 'forks',
    // More than there are cores: tests of servers wait most of the time, for a restart, a failover, a lifetime to end.
    maxWorkers: 3,
    sequence: { sequencer: LongestFirst },
    // Far above what a test takes, since servers and browsers share few cores, and any step may be late by many seconds.
    // A test that hangs still ends. No test has a limit of its own below this one.
    testTimeout: 300_000,
    hookTimeout: 300_000,
    // The same for a state that is waited for.
    expect: { poll: { timeout: 120_000, interval: 50 } },
    // A test that passes at the second try has found something.
    retry: 0,
    unstubEnvs: true,
    unstubGlobals: true,
    restoreMocks: true,
    reporters: report ? ['default', ['json', { outputFile: report }]] : ['default'],
  },
})
