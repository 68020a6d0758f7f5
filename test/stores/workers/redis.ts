import { redisStore } from '../../../src/stores/redis.ts'
import { storeContractWorker } from '../../../src/testing/store-contract-worker.ts'
import { CLIENTS } from '../redis-clients.ts'

// What the store contract wants done in a process of its own, by the client and on the server that the arguments say.
const [, , name = '', target = '', prefix = ''] = process.argv
const opened = await CLIENTS[name]?.(JSON.parse(target))
if (!opened) throw new Error('No such client')
await storeContractWorker(redisStore(opened.client, { prefix }))
await opened.close()
