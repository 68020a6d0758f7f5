import { mysqlStore } from '../../../src/stores/mysql.ts'
import { storeContractWorker } from '../../../src/testing/store-contract-worker.ts'
import { openClient } from '../mysql-clients.ts'

const [, , name = '', port, table = ''] = process.argv
const { client, end } = openClient(name, { port: Number(port) })
await storeContractWorker(mysqlStore(client, { table }))
await end()
