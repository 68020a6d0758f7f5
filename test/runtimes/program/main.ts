import { storeContractWorker } from '../../../src/testing/index.ts'
import { adapterSuites } from './adapters.ts'
import { coreSuites } from './core.ts'
import type { Extent } from './extent.ts'
import { version } from './native-servers.ts'
import { openStore, storeSuites, type WorkerStore } from './stores.ts'
import { runSuites } from './suite.ts'

// What Node, Bun and Deno run: a line of JSON for each outcome, and one at the end. With arguments it is the other process
// of the store contract.

const [, , kind, path] = process.argv

if (kind) {
  await storeContractWorker(openStore(kind as WorkerStore, path))
} else {
  const print = (line: object) => void process.stdout.write(`${JSON.stringify(line)}\n`)
  const extent = process.env['SOJOURN_EXTENT'] as Extent
  const suites = [...(await coreSuites(extent)), ...adapterSuites(extent), ...storeSuites(extent)]
  await runSuites(suites, print)
  print({ version })
}
