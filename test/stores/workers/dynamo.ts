import { DynamoDBDocument } from '@aws-sdk/lib-dynamodb'
import { dynamoStore } from '../../../src/stores/dynamo.ts'
import { storeContractWorker } from '../../../src/testing/store-contract-worker.ts'
import { clientOf } from '../../servers/dynalite.ts'

const [, , port, table = ''] = process.argv
await storeContractWorker(dynamoStore(DynamoDBDocument.from(clientOf(Number(port))), { table }))
