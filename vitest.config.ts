import { defineConfig } from 'vitest/config'

// Where a machine wants to read the results, beside the person who reads the terminal.
const report = process.env['TEST_REPORT']

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts', 'examples/*/test/**/*.test.ts'],
    // Processes, not threads: tests change the environment, send signals and load native addons.
    pool: 'forks',
    // Far above what a test takes, since servers and browsers share few cores; a test that hangs still ends.
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // A test that passes at the second try has found something.
    retry: 0,
    unstubEnvs: true,
    unstubGlobals: true,
    restoreMocks: true,
    reporters: report ? ['default', ['json', { outputFile: report }]] : ['default'],
  },
})
