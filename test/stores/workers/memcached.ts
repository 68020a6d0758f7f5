import { storeContractWorker } from '../../../src/testing/store-contract-worker.ts'
import { openClient } from '../memcached-clients.ts'

const [, , name = '', addresses = '', prefix = ''] = process.argv
const client = openClient(name, addresses.split(','))
await storeContractWorker(client.store({ prefix }))
await client.close()
