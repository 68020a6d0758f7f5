import { DynamoDBDocument } from '@aws-sdk/lib-dynamodb'
import { afterAll, describe, expect, it } from 'vitest'
import { createSessions, type Session } from '../../src/index.ts'
import { dynamoStore } from '../../src/stores/dynamo.ts'
import { Browser } from '../core/browser.ts'
import { type Data, visitor } from '../core/site.ts'
import { expectClearErrors, expectEndedByThemselves, expectNothingLost } from '../faults/report.ts'
import { Updaters } from '../faults/updaters.ts'
import { clientOf, Dynalite } from '../servers/dynalite.ts'
import { describeLostUpdates } from './lost-updates.ts'

const server = await Dynalite.start()
const client = clientOf(server.port)
const document = DynamoDBDocument.from(client)
afterAll(async () => {
  client.destroy()
  await server.close()
})

async function url(): Promise<string> {
  return `dynamodb://127.0.0.1:${server.port}/${await server.createTable()}`
}

describe('what each request asks of DynamoDB', () => {
  const requests: [string, string[], (session: Session<Data>) => unknown][] = [
    ['reads', ['GetItem'], (session) => session.get('began')],
    ['writes', ['GetItem', 'PutItem'], (session) => session.set('n', 1)],
    ['signs in', ['GetItem', 'PutItem'], (session) => session.login('alice')],
    ['signs out', ['GetItem', 'DeleteItem'], (session) => session.destroy()],
  ]

  it.each(requests)('one that %s: %j', async (_what, operations, handler) => {
    const sessions = createSessions<Data>({
      store: dynamoStore(document, { table: await server.createTable() }),
    })
    const browser = await visitor(sessions)
    server.operations.length = 0
    await browser.visit(handler)
    expect(server.operations).toEqual(operations)
  })

  it('a first visit: one PutItem; one that ignores its session: nothing; a list: a query, and each session', async () => {
    const sessions = createSessions<Data>({
      store: dynamoStore(document, { table: await server.createTable() }),
    })
    const browser = new Browser(sessions)
    server.operations.length = 0
    await browser.visit((session) => session.set('n', 1))
    expect(server.operations.splice(0)).toEqual(['PutItem'])
    await sessions.open({ cookie: browser.cookie, secure: false }).commit()
    expect(server.operations.splice(0)).toEqual([])
    await browser.visit((session) => session.login('alice'))
    server.operations.length = 0
    expect(await sessions.ofUser('alice')).toHaveLength(1)
    expect(server.operations.splice(0)).toEqual(['Query', 'GetItem'])
  })
})

const shared = await url()
describeLostUpdates('DynamoDB', () => ({ url: shared }))

describe('four processes', () => {
  it('lose no update, and write none twice, while answers get lost and capacity runs out', async () => {
    const updaters = await Updaters.start({ sources: [{ url: await url() }], storeTimeout: '10s' })
    await updaters.each(2)
    server.isLost = (operation) => operation === 'PutItem' && Math.random() < 0.2
    await updaters.each(6)
    server.isLost = () => false
    server.failures.push(...Array(60).fill('ProvisionedThroughputExceededException'))
    await updaters.each(3)
    const report = await updaters.stop()
    expectNothingLost(report)
    expectClearErrors(report)
    expectEndedByThemselves(report)
    expect(report.acknowledged).toBeGreaterThanOrEqual(4 * 2 * 10)
  })
})
