import { postgresStore } from '../../../src/stores/postgres.ts'
import { storeContractWorker } from '../../../src/testing/store-contract-worker.ts'
import { openClient } from '../postgres-clients.ts'

// Opens a store on a client of its own, and closes the client, which the store leaves to whoever opened it.
const [, , name = '', url = '', table = ''] = process.argv
const { client, end } = openClient(name, url)
await storeContractWorker(postgresStore(client, { table }))
await end()
