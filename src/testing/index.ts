export { type StoreContractCase, storeContract } from './store-contract.ts'
export { storeContractWorker } from './store-contract-worker.ts'
export type { StoreHarness, WorkerProgram } from './store-harness.ts'
