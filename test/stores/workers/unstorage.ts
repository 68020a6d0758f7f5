import { createStorage } from 'unstorage'
import fsDriver from 'unstorage/drivers/fs'
import { unstorageStore } from '../../../src/stores/unstorage.ts'
import { storeContractWorker } from '../../../src/testing/store-contract-worker.ts'

const [, , base = ''] = process.argv
await storeContractWorker(unstorageStore(createStorage({ driver: fsDriver({ base }) })))
