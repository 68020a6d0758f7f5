import { fileURLToPath } from 'node:url'
import { rolldown } from 'rolldown'

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url))

const STANDS_FOR_VITEST = /^(vitest$|@vitest\/|chai$|tinyrainbow$)/

/**
 * Makes one file of JavaScript of a program, the sources and the tests, for runtimes that know no types or no vitest.
 * Packages stay outside, but for those that stand for vitest.
 */
export function bundleProgram(file: string): Promise<void> {
  return bundle('program/main.ts', file, (id) => /^[a-z@]/.test(id) && !STANDS_FOR_VITEST.test(id))
}

/** Makes one module of a Worker, with all that it imports but for the modules of the runtime. */
export function bundleWorker(input: string, file: string): Promise<void> {
  return bundle(input, file, (id) => /^(node|cloudflare):/.test(id))
}

async function bundle(input: string, file: string, external: (id: string) => boolean): Promise<void> {
  const made = await rolldown({
    input: here(input),
    platform: 'node',
    external,
    resolve: { alias: { vitest: here('program/vitest.ts') } },
  })
  await made.write({ file, format: 'esm', codeSplitting: false, sourcemap: 'inline' })
  await made.close()
}
