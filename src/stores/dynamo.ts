import { checkClock, known } from '../check-options.ts'
import type { Entry, KeyedEntry, StoredEntry, UpdateResult, UserIndexedStore, Version } from '../store.ts'
import {
  type DynamoItem,
  entryOf,
  escaped,
  includesWrite,
  itemOf,
  newVersion,
  plainItem,
} from './dynamo-item.ts'
import { tableName, USER_INDEX } from './dynamo-table.ts'

export { type DynamoTable, dynamoSchema, dynamoTable } from './dynamo-table.ts'

/** An item as the document client answers it. */
type Item = Readonly<Record<string, unknown>>
interface Key {
  key: string
}

/** What is used of the `DynamoDBDocument` of `@aws-sdk/lib-dynamodb`. */
export interface DynamoDocument {
  get(input: { TableName: string; Key: Key; ConsistentRead: true }): Promise<{ Item?: Item | undefined }>
  put(input: {
    TableName: string
    Item: DynamoItem
    ConditionExpression: string
    ExpressionAttributeNames: Record<string, string>
    ExpressionAttributeValues: Record<string, string | number>
    ReturnValuesOnConditionCheckFailure: 'ALL_OLD'
  }): Promise<unknown>
  delete(input: { TableName: string; Key: Key }): Promise<unknown>
  query(input: {
    TableName: string
    IndexName: string
    KeyConditionExpression: string
    ExpressionAttributeNames: Record<string, string>
    ExpressionAttributeValues: Record<string, string>
    Limit: number
    ExclusiveStartKey?: Record<string, unknown>
  }): Promise<{ Items?: Item[] | undefined; LastEvaluatedKey?: Record<string, unknown> | undefined }>
}

/** What {@link dynamoStore} may be told. */
export interface DynamoStoreOptions {
  /** The table, which must be there: see `dynamoTable`. @defaultValue `'sessions'` */
  table?: string
  /** The current instant in milliseconds since 1970; for tests. @defaultValue `Date.now` */
  clock?: () => number
}

/** The store that {@link dynamoStore} makes. */
export interface DynamoStore extends UserIndexedStore {}

/**
 * Keeps sessions in a table of Amazon DynamoDB, which `dynamoTable` or `sojourn schema dynamodb` describes.
 *
 * It takes the `DynamoDBDocument` of `@aws-sdk/lib-dynamodb`, as in `DynamoDBDocument.from(new DynamoDBClient())`, with
 * your region, credentials and retries. DynamoDB removes expired items by the attribute `ttl`.
 */
export function dynamoStore(client: DynamoDocument, options: DynamoStoreOptions = {}): DynamoStore {
  known(options, ['table', 'clock'], 'dynamoStore')
  const { table = 'sessions', clock = Date.now } = options
  checkClock(clock)
  return new Dynamo(checked(client), tableName(table), clock)
}

function checked(client: DynamoDocument): DynamoDocument {
  const verbs: readonly (keyof DynamoDocument)[] = ['get', 'put', 'delete', 'query']
  if (verbs.every((verb) => typeof client?.[verb] === 'function')) return client
  throw new TypeError(
    '"client" must be a DynamoDBDocument of @aws-sdk/lib-dynamodb: DynamoDBDocument.from(new DynamoDBClient())',
  )
}

/** So many sessions of a user are read at once. */
const AT_ONCE = 25

/** What stands in expressions for names, since DynamoDB reserves hundreds of words; and for values. */
interface Names {
  ExpressionAttributeNames: Record<string, string>
  ExpressionAttributeValues: Record<string, string | number>
}

/** What is kept under the key instead of what was to be written. */
interface Conflict {
  there: StoredEntry | undefined
}

const THROTTLED = ': the table or the account has reached its capacity'
const HINTS: Readonly<Record<string, string>> = {
  ResourceNotFoundException:
    ': there is no such table; "sojourn schema dynamodb" prints the commands that make it',
  ProvisionedThroughputExceededException: THROTTLED,
  RequestLimitExceeded: THROTTLED,
  ThrottlingException: THROTTLED,
}

class Dynamo implements DynamoStore {
  readonly #client: DynamoDocument
  readonly #table: string
  readonly #clock: () => number

  constructor(client: DynamoDocument, table: string, clock: () => number) {
    this.#client = client
    this.#table = table
    this.#clock = clock
  }

  async read(key: string): Promise<StoredEntry | undefined> {
    return this.#live(await this.#readAny(key))
  }

  async create(key: string, entry: Entry): Promise<Version | undefined> {
    const item = itemOf(key, entry, newVersion(undefined))
    const conflict = await this.#put(item, 'attribute_not_exists(#key) OR #expiresAt <= :now', {
      ExpressionAttributeNames: { '#key': 'key', '#expiresAt': 'expiresAt' },
      ExpressionAttributeValues: { ':now': this.#clock() },
    })
    return conflict ? undefined : item.version
  }

  async update(key: string, entry: Entry, version: Version): Promise<UpdateResult | undefined> {
    const item = itemOf(key, entry, newVersion(version))
    const conflict = await this.#put(item, '#version = :version AND #expiresAt > :now', {
      ExpressionAttributeNames: { '#version': 'version', '#expiresAt': 'expiresAt' },
      ExpressionAttributeValues: { ':version': version, ':now': this.#clock() },
    })
    if (!conflict) return { version: item.version }
    const current = this.#live(conflict.there)
    return current && { current }
  }

  async delete(key: string): Promise<void> {
    await this.#ask('delete', () => this.#client.delete({ TableName: this.#table, Key: { key } }))
  }

  /**
   * The index lags behind, and holds keys alone. So each entry is read for itself: what has ended, or belongs to somebody
   * else by now, is never listed. What was bound a moment ago may be missing.
   */
  async ofUser(userId: string): Promise<KeyedEntry[]> {
    const entries: KeyedEntry[] = []
    for await (const keys of this.#keysOf(userId)) {
      const found = await Promise.all(keys.map(async (key) => ({ key, entry: await this.read(key) })))
      for (const { key, entry } of found) {
        if (entry?.userId === userId) entries.push({ key, ...entry })
      }
    }
    return entries
  }

  async *#keysOf(userId: string): AsyncGenerator<string[]> {
    let start: Record<string, unknown> | undefined
    do {
      const input = {
        TableName: this.#table,
        IndexName: USER_INDEX,
        KeyConditionExpression: '#userId = :userId',
        ExpressionAttributeNames: { '#userId': 'userId' },
        ExpressionAttributeValues: { ':userId': escaped(userId) },
        Limit: AT_ONCE,
        ...(start && { ExclusiveStartKey: start }),
      }
      const { Items = [], LastEvaluatedKey } = await this.#ask(`ask the index "${USER_INDEX}"`, () =>
        this.#client.query(input),
      )
      yield Items.map(({ key }) => String(key))
      start = LastEvaluatedKey
    } while (start)
  }

  /** Writes the item on a condition; when that is not met, answers what is there instead. */
  async #put(item: DynamoItem, condition: string, names: Names): Promise<Conflict | undefined> {
    const input = {
      TableName: this.#table,
      Item: item,
      ConditionExpression: condition,
      ...names,
      ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
    } as const
    try {
      await this.#client.put(input)
      return undefined
    } catch (error) {
      const { name, Item } = error as { name?: unknown; Item?: Item }
      if (name !== 'ConditionalCheckFailedException') throw this.#explain('write', error)
      // Some that speak DynamoDB's language do not answer the item; then it takes another question.
      const there = Item ? entryOf(plainItem(Item)) : await this.#readAny(item.key)
      return there && includesWrite(there.version, item.version) ? undefined : { there }
    }
  }

  async #readAny(key: string): Promise<StoredEntry | undefined> {
    const input = { TableName: this.#table, Key: { key }, ConsistentRead: true } as const
    const { Item } = await this.#ask('read', () => this.#client.get(input))
    return entryOf(Item)
  }

  #live(entry: StoredEntry | undefined): StoredEntry | undefined {
    return entry && this.#clock() < entry.expiresAt ? entry : undefined
  }

  async #ask<T>(what: string, ask: () => Promise<T>): Promise<T> {
    try {
      return await ask()
    } catch (error) {
      throw this.#explain(what, error)
    }
  }

  /** Without the client's message, which may quote what was asked. */
  #explain(what: string, cause: unknown): Error {
    const name = cause instanceof Error ? cause.name : 'Error'
    const hint = HINTS[name] ?? ''
    return new Error(`DynamoDB failed to ${what} in the table "${this.#table}": ${name}${hint}`, { cause })
  }
}
