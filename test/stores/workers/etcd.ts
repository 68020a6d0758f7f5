import { etcdStore } from '../../../src/stores/etcd.ts'
import { storeContractWorker } from '../../../src/testing/store-contract-worker.ts'

const [, , prefix = '', ...endpoints] = process.argv
await storeContractWorker(etcdStore(endpoints, { prefix }))
