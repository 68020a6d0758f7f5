import { DynamoDBDocument } from '@aws-sdk/lib-dynamodb'
import { afterAll } from 'vitest'
import { dynamoStore } from '../../src/stores/dynamo.ts'
import { clientOf, Dynalite } from '../servers/dynalite.ts'
import { describeStore } from './contract.ts'
import { tested } from './tested.ts'

const file = new URL('./workers/dynamo.ts', import.meta.url).pathname

const server = await Dynalite.start()
const client = clientOf(server.port)
afterAll(async () => {
  client.destroy()
  await server.close()
})
tested('dynamoStore', '@aws-sdk/lib-dynamodb', server.name)

const harness = {
  prepare: () => server.createTable(),
  dispose: (table: string) => server.removeTable(table),
  expiry: 'given',
  shared: true,
  maxBytes: 409_000,
  abilities: { purge: false, ofUser: true, close: false },
} as const

for (const answersItems of [true, false]) {
  const document = DynamoDBDocument.from(client)
  describeStore(`dynamo, where a conflict answers ${answersItems ? 'the item' : 'no item'}`, {
    ...harness,
    open(table, clock) {
      server.answersItems = answersItems
      return dynamoStore(document, { table, clock })
    },
    worker: (table) => ({ file, args: [String(server.port), table] }),
    breakEntry: (table, key) => document.put({ TableName: table, Item: { key, value: 5, userId: 'alice' } }),
  })
}

// A document client may be told to read and write otherwise than by default.
const converting = DynamoDBDocument.from(client, {
  marshallOptions: { convertEmptyValues: true, removeUndefinedValues: true, convertTopLevelContainer: true },
  unmarshallOptions: { wrapNumbers: true },
})
describeStore('dynamo, with a document client that converts', {
  ...harness,
  open(table, clock) {
    server.answersItems = true
    return dynamoStore(converting, { table, clock })
  },
})
