import { inspect } from 'node:util'
import { CreateTableCommand } from '@aws-sdk/client-dynamodb'
import { DynamoDBDocument } from '@aws-sdk/lib-dynamodb'
import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { createSessions, type SessionError } from '../../src/index.ts'
import { type DynamoDocument, dynamoSchema, dynamoStore, dynamoTable } from '../../src/stores/dynamo.ts'
import { openStoreUrl } from '../../src/stores/from-url.ts'
import { clientOf, Dynalite } from '../servers/dynalite.ts'
import { Wire } from '../servers/wire.ts'

const server = await Dynalite.start()
const client = clientOf(server.port)
const document = DynamoDBDocument.from(client)
afterAll(async () => {
  client.destroy()
  await server.close()
})

const HOUR = 3_600_000
const entry = (value = '{}', userId?: string) => ({ value, expiresAt: Date.now() + HOUR, userId })

let table = ''
beforeEach(async () => {
  table = await server.createTable()
  server.answersItems = true
  server.isLost = () => false
  server.failures.length = 0
})

/** Loses the answer to the next write, after somebody else did something. */
function loseNextWrite(meanwhile: () => Promise<unknown> = async () => undefined): void {
  server.isLost = async (operation) => {
    if (operation !== 'PutItem') return false
    server.isLost = () => false
    await meanwhile()
    return true
  }
}

describe.each([true, false])(
  'a lost answer, and the SDK sends again; conflicts answer the item: %s',
  (items) => {
    beforeEach(() => {
      server.answersItems = items
    })

    it('creates once', async () => {
      const store = dynamoStore(document, { table })
      loseNextWrite()
      const version = await store.create('key', entry('mine'))
      expect(await store.read('key')).toMatchObject({ value: 'mine', version })
    })

    it('updates once', async () => {
      const store = dynamoStore(document, { table })
      const version = (await store.create('key', entry('old'))) ?? ''
      loseNextWrite()
      const result = await store.update('key', entry('new'), version)
      expect(await store.read('key')).toMatchObject({ value: 'new', ...result })
    })

    it('knows its write under those that came since', async () => {
      const store = dynamoStore(document, { table })
      const others = dynamoStore(document, { table })
      const version = (await store.create('key', entry('0'))) ?? ''
      loseNextWrite(async () => {
        for (let i = 2; i < 5; i++) {
          const { version = '' } = (await others.read('key')) ?? {}
          await others.update('key', entry(String(i)), version)
        }
      })
      const result = await store.update('key', entry('1'), version)
      expect(result).toMatchObject({ version: expect.any(String) })
      // And it is no licence to overwrite them.
      const next = await store.update('key', entry('9'), (result as { version: string }).version)
      expect(next).toMatchObject({ current: { value: '4' } })
    })

    it('takes a conflict for what it is', async () => {
      const store = dynamoStore(document, { table })
      const version = (await store.create('key', entry('0'))) ?? ''
      await store.update('key', entry('1'), version)
      loseNextWrite()
      expect(await store.update('key', entry('2'), version)).toMatchObject({ current: { value: '1' } })
    })

    it('does not bring back what was deleted since', async () => {
      const store = dynamoStore(document, { table })
      const version = (await store.create('key', entry('0'))) ?? ''
      loseNextWrite(() => store.delete('key'))
      expect(await store.update('key', entry('1'), version)).toBeUndefined()
      expect(await store.read('key')).toBeUndefined()
    })
  },
)

describe('what is sent', () => {
  it('is an item with its expiry in seconds for DynamoDB, an hour late, and no more than that', async () => {
    const store = dynamoStore(document, { table })
    const expiresAt = Date.now() + 500
    const version = await store.create('key', { value: 'text', expiresAt, userId: undefined })
    const { Item } = await document.get({ TableName: table, Key: { key: 'key' } })
    const ttl = Math.ceil(expiresAt / 1000) + 3600
    expect(Item).toEqual({ key: 'key', value: 'text', version, expiresAt, ttl })
  })

  it('has no empty text, which an index refuses', async () => {
    const store = dynamoStore(document, { table })
    await store.create('key', { ...entry(''), userId: '' })
    const { Item } = await document.get({ TableName: table, Key: { key: 'key' } })
    expect(Item).toMatchObject({ value: '\0', userId: '\0' })
  })

  it('is one question for a conflict where it answers the item, and two where it does not', async () => {
    const store = dynamoStore(document, { table })
    await store.create('key', entry())
    for (const [items, operations] of [
      [true, ['PutItem']],
      [false, ['PutItem', 'GetItem']],
    ] as const) {
      server.answersItems = items
      server.operations.length = 0
      await store.update('key', entry(), 'another version')
      expect(server.operations).toEqual(operations)
    }
  })
})

describe('an index that lags', () => {
  it('lists neither what has ended nor what belongs to somebody else by now', async () => {
    const store = dynamoStore(document, { table })
    const [ended, rebound, live] = ['ended', 'rebound', 'live']
    for (const key of [ended, rebound, live]) await store.create(key, entry('{}', 'alice'))
    const answer = await document.query({
      TableName: table,
      IndexName: 'byUser',
      KeyConditionExpression: 'userId = :userId',
      ExpressionAttributeValues: { ':userId': 'alice' },
    })
    const lagging = {
      get: (input) => document.get(input),
      put: (input) => document.put(input),
      delete: (input) => document.delete(input),
      query: async () => answer,
    } satisfies DynamoDocument
    await store.delete(ended)
    const { version = '' } = (await store.read(rebound)) ?? {}
    await store.update(rebound, entry('{}', 'bob'), version)
    const listed = await dynamoStore(lagging, { table }).ofUser('alice')
    expect(listed.map(({ key }) => key)).toEqual([live])
  })

  it('lists all sessions of a user, page by page', async () => {
    const store = dynamoStore(document, { table })
    const keys = Array.from({ length: 60 }, (_, i) => `key ${i}`)
    for (const key of keys) await store.create(key, entry('{}', 'alice'))
    const listed = await store.ofUser('alice')
    expect(listed.map(({ key }) => key).sort()).toEqual(keys.sort())
  })
})

describe('a failure', () => {
  const KEY = 'a-key-nobody-may-read-in-logs'

  it.each([
    ['ProvisionedThroughputExceededException', 'has reached its capacity'],
    ['AccessDeniedException', 'AccessDeniedException'],
  ])('says what failed and where, and quotes nothing: %s', async (name, text) => {
    const store = dynamoStore(document, { table })
    server.failures.push(...Array(9).fill(name))
    const error = await store.create(KEY, entry('secret')).catch((error: Error) => error)
    expect(error).toMatchObject({ message: expect.stringContaining(text), cause: { name } })
    expect((error as Error).message).toContain(table)
    expect((error as Error).message).not.toMatch(/secret|a-key/)
    server.failures.length = 0
    expect(await store.create(KEY, entry())).toBeDefined()
  })

  it("that passes is nobody's business: the SDK tries again", async () => {
    const store = dynamoStore(document, { table })
    server.failures.push('ThrottlingException', 'ProvisionedThroughputExceededException')
    expect(await store.create(KEY, entry())).toBeDefined()
  })

  it('says which command makes the table that is missing', async () => {
    const store = dynamoStore(document, { table: 'not-there' })
    await expect(store.read(KEY)).rejects.toThrow('sojourn schema dynamodb')
    await expect(store.create(KEY, entry())).rejects.toThrow('sojourn schema dynamodb')
    await expect(store.ofUser('alice')).rejects.toThrow('sojourn schema dynamodb')
  })

  it('names the index that is missing', async () => {
    const bare = `${table}-bare`
    const { GlobalSecondaryIndexes: _index, ...rest } = dynamoTable(bare)
    const AttributeDefinitions = rest.AttributeDefinitions.slice(0, 1)
    await client.send(new CreateTableCommand({ ...rest, AttributeDefinitions }))
    const store = dynamoStore(document, { table: bare })
    await expect(store.ofUser('alice')).rejects.toThrow('ask the index "byUser"')
  })

  it('to reach the server at all is no more than an error, and over when the server is back', async () => {
    const wire = await Wire.to(server.port)
    const ours = clientOf(wire.port)
    const store = dynamoStore(DynamoDBDocument.from(ours), { table })
    const version = (await store.create(KEY, entry('secret'))) ?? ''
    wire.refuse()
    for (const call of [() => store.read(KEY), () => store.update(KEY, entry('secret'), version)]) {
      const error = await call().catch((error: Error) => error)
      expect((error as Error).message).toMatch(/^DynamoDB failed to (read|write) in the table/)
      expect(inspect(error, { depth: 20 })).not.toContain('secret')
    }
    wire.heal()
    expect(await store.update(KEY, entry('new'), version)).toHaveProperty('version')
    ours.destroy()
    await wire.close()
  })

  it('for size comes before anything is sent, and reaches the handler', async () => {
    const sessions = createSessions({ store: dynamoStore(document, { table }) })
    server.operations.length = 0
    const visit = sessions.open({ cookie: undefined, secure: false })
    const session = await visit.session()
    session.set('picture', 'é'.repeat(205_000))
    const error = (await session.save().catch((error: unknown) => error)) as SessionError
    expect(error.code).toBe('ERR_SESSION_TOO_LARGE')
    expect(server.operations).toEqual([])
  })
})

describe('a URL', () => {
  it('opens the store at an endpoint, and closes what it opened', async () => {
    const store = await openStoreUrl(`dynamodb://127.0.0.1:${server.port}/${table}`)
    await store.create('key', entry('kept'))
    expect(await dynamoStore(document, { table }).read('key')).toMatchObject({ value: 'kept' })
    expect(store).toHaveProperty('ofUser')
    await (store as unknown as { close(): Promise<void> }).close()
  })

  it.each([
    'dynamodb://eu-central-1',
    'dynamodb://me:pass@eu-central-1/sessions',
    'dynamodb://eu/s',
    'dynamodb://eu/a/b',
  ])('is refused without repeating it: %s', async (url) => {
    const error = await openStoreUrl(url).catch((error: unknown) => error)
    expect(error).toBeInstanceOf(TypeError)
    expect((error as Error).message).not.toContain('pass@')
  })
})

describe('the table', () => {
  it('is described for the SDK, and as commands', () => {
    expect(dynamoTable('my-table')).toMatchObject({ TableName: 'my-table' })
    const json = /'(\{.*\})'/s.exec(dynamoSchema('my-table'))?.[1] ?? ''
    expect(JSON.parse(json)).toEqual(dynamoTable('my-table'))
    expect(dynamoSchema()).toContain('AttributeName=ttl,Enabled=true')
  })
})

describe('misuse is refused at once:', () => {
  it.each([
    ['"client"', () => dynamoStore(undefined as never)],
    ['"client"', () => dynamoStore(client as never)],
    ['"table"', () => dynamoStore(document, { table: 'a' })],
    ['"table"', () => dynamoStore(document, { table: 'my "sessions"' })],
    ['"table"', () => dynamoTable("x'; rm -rf")],
    ['"clock"', () => dynamoStore(document, { clock: 5 as never })],
    ['"table"', () => dynamoStore(document, { tabel: 'sessions' } as never)],
  ])('%s', (option, construct) => {
    expect(construct).toThrow(TypeError)
    expect(construct).toThrow(option)
  })
})
