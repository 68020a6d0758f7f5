/** The index that finds the sessions of a user. */
export const USER_INDEX = 'byUser'

/** What the SDK's `CreateTableCommand` and CloudFormation's `AWS::DynamoDB::Table` take. */
export interface DynamoTable {
  TableName: string
  BillingMode: 'PAY_PER_REQUEST'
  AttributeDefinitions: { AttributeName: string; AttributeType: 'S' }[]
  KeySchema: { AttributeName: string; KeyType: 'HASH' }[]
  GlobalSecondaryIndexes: {
    IndexName: string
    KeySchema: { AttributeName: string; KeyType: 'HASH' }[]
    Projection: { ProjectionType: 'KEYS_ONLY' }
  }[]
}

/**
 * The table that the store needs, for `CreateTableCommand` or CloudFormation. Time to live is a setting of its own:
 * `{ AttributeName: 'ttl', Enabled: true }`.
 */
export function dynamoTable(table = 'sessions'): DynamoTable {
  const text = (name: string) => ({ AttributeName: name, AttributeType: 'S' }) as const
  const keyed = (name: string) => [{ AttributeName: name, KeyType: 'HASH' } as const]
  return {
    TableName: tableName(table),
    BillingMode: 'PAY_PER_REQUEST',
    AttributeDefinitions: [text('key'), text('userId')],
    KeySchema: keyed('key'),
    // Keys only: a write that changes neither key nor user then writes nothing to the index.
    GlobalSecondaryIndexes: [
      { IndexName: USER_INDEX, KeySchema: keyed('userId'), Projection: { ProjectionType: 'KEYS_ONLY' } },
    ],
  }
}

/** The commands of the AWS command line that make the table. */
export function dynamoSchema(table = 'sessions'): string {
  const name = tableName(table)
  return `aws dynamodb create-table --cli-input-json '${JSON.stringify(dynamoTable(name), null, 2)}'
aws dynamodb wait table-exists --table-name ${name}
aws dynamodb update-time-to-live --table-name ${name} --time-to-live-specification 'AttributeName=ttl,Enabled=true'
`
}

/** @throws TypeError when no table can have that name. */
export function tableName(name: string): string {
  if (typeof name === 'string' && /^(?:[\w.-]{3,255}|arn:[\w:/.-]+)$/.test(name)) return name
  throw new TypeError(
    '"table" must be the name of a DynamoDB table: 3 to 255 letters, digits, "_", "-" and "."',
  )
}
