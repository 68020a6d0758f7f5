import { storeContractWorker } from '../../../src/testing/store-contract-worker.ts'
import { openTiered } from '../tiered-clients.ts'

const [, , kind = '', port = '', folder = ''] = process.argv
const { store, close } = await openTiered(kind, Number(port), folder)
await storeContractWorker(store)
await close()
