import { memoryStore } from '../../../src/stores/memory.ts'
import { storeContractWorker } from '../../../src/testing/store-contract-worker.ts'

// A store whose timer keeps the process alive.
setInterval(() => process.uptime(), 1000)
await storeContractWorker(memoryStore())
