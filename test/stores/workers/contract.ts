import { storeContractWorker } from '../../../src/testing/store-contract-worker.ts'
import { openStore } from './open.ts'

const [, , kind, path] = process.argv
await storeContractWorker(await openStore(kind, path))
