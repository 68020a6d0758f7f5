import { expressStore } from '../../../src/stores/express-store.ts'
import { storeContractWorker } from '../../../src/testing/store-contract-worker.ts'
import { EMBEDDED } from '../express-stores.ts'

const [, , name = '', folder = ''] = process.argv
const open = EMBEDDED[name]
if (!open) throw new Error(`There is no store of express-session "${name}"`)
await storeContractWorker(expressStore(open(folder)))
