import type { UserIndexedStore } from '../store.ts'
import { dynamoStore } from './dynamo.ts'
import { tableName } from './dynamo-table.ts'
import type { ServerStore } from './server-store.ts'

const FORM = '"dynamodb://<region>/<table>" or "dynamodb://<host>:<port>/<table>"'

/**
 * Opens the store that `dynamodb://<region>/<table>` names, with the credentials that the SDK finds by itself; or
 * `dynamodb://<host>:<port>/<table>`, an emulator or another server that speaks the language of DynamoDB.
 * @throws TypeError when the URL has another form
 */
export async function openDynamoUrl(url: string): Promise<ServerStore & UserIndexedStore> {
  const { place, table } = parse(url)
  const { DynamoDBClient, DescribeTableCommand, DynamoDBDocument } = await loadSdk()
  const client = new DynamoDBClient(place)
  const store = dynamoStore(DynamoDBDocument.from(client), { table })
  async function missing(): Promise<string | undefined> {
    try {
      await client.send(new DescribeTableCommand({ TableName: table }))
      return undefined
    } catch (error) {
      if ((error as Error).name === 'ResourceNotFoundException') return `table "${table}"`
      throw error
    }
  }
  return Object.assign(store, { missing, close: async () => client.destroy() })
}

interface Place {
  region: string
  endpoint?: string
  credentials?: { accessKeyId: string; secretAccessKey: string }
}

function parse(url: string): { place: Place; table: string } {
  const [, host = '', port, table = ''] = /^dynamodb:\/\/([\w.-]+)(:\d+)?\/([\w.-]+)$/.exec(url) ?? []
  if (host === '') throw new TypeError(`The URL of a DynamoDB table must be ${FORM}`)
  const place = port === undefined ? { region: host } : serverAt(`http://${host}${port}`)
  return { place, table: tableName(table) }
}

/** Emulators want a region and a signature, and look at neither. */
function serverAt(endpoint: string): Place {
  const { AWS_REGION: region = 'local', AWS_ACCESS_KEY_ID } = process.env
  if (AWS_ACCESS_KEY_ID) return { region, endpoint }
  return { region, endpoint, credentials: { accessKeyId: 'any', secretAccessKey: 'any' } }
}

async function loadSdk() {
  try {
    const [client, document] = await Promise.all([
      import('@aws-sdk/client-dynamodb'),
      import('@aws-sdk/lib-dynamodb'),
    ])
    const { DynamoDBClient, DescribeTableCommand } = client
    return { DynamoDBClient, DescribeTableCommand, DynamoDBDocument: document.DynamoDBDocument }
  } catch (cause) {
    throw new Error(
      'A "dynamodb:" URL needs the AWS SDK: npm install @aws-sdk/client-dynamodb @aws-sdk/lib-dynamodb',
      { cause },
    )
  }
}
