import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  CreateTableCommand,
  DeleteTableCommand,
  DescribeTableCommand,
  DynamoDBClient,
} from '@aws-sdk/client-dynamodb'
import dynalite from 'dynalite'
import { dynamoTable } from '../../src/stores/dynamo.ts'

/** A client of an emulator on this machine, with the SDK's own defaults otherwise. */
export function clientOf(port: number): DynamoDBClient {
  const credentials = { accessKeyId: 'any', secretAccessKey: 'any' }
  return new DynamoDBClient({ endpoint: `http://127.0.0.1:${port}`, region: 'us-east-1', credentials })
}

/** Marks the questions that the door itself asks. */
const BACK_DOOR = 'x-back-door'

/** An emulator of DynamoDB in this process, behind a door that counts, refuses, and knows what the emulator does not. */
export class Dynalite {
  readonly #server: Server
  /** The operations that were asked for, such as `GetItem`. */
  readonly operations: string[] = []
  /** What is answered instead of the next operations, one each. */
  readonly failures: string[] = []
  /** Asked when an operation is done: whether its answer gets lost, and the connection with it. */
  isLost: (operation: string) => boolean | Promise<boolean> = () => false
  /** Whether a failed condition answers the item, as DynamoDB does, when it is told to; the emulator does not. */
  answersItems = true

  private constructor() {
    this.#server = dynalite({ createTableMs: 0, deleteTableMs: 0 })
    const [emulate] = this.#server.listeners('request') as [RequestListener]
    this.#server.removeAllListeners('request')
    this.#server.on('request', (request, response) => this.#serve(request, response, emulate))
  }

  static async start(): Promise<Dynalite> {
    const started = new Dynalite()
    started.#server.listen(0, '127.0.0.1')
    await once(started.#server, 'listening')
    return started
  }

  /** Name and version, for the table of what was tested. */
  get name(): string {
    const file = new URL('../../node_modules/dynalite/package.json', import.meta.url)
    return `dynalite ${JSON.parse(readFileSync(file, 'utf8')).version} (an emulator)`
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  /** The name of a new table. */
  async createTable(): Promise<string> {
    const name = `sessions-${Math.random().toString(36).slice(2)}`
    const client = clientOf(this.port)
    await client.send(new CreateTableCommand(dynamoTable(name)))
    while (!(await isActive(client, name))) await sleep(5)
    client.destroy()
    return name
  }

  async removeTable(name: string): Promise<void> {
    const client = clientOf(this.port)
    await client.send(new DeleteTableCommand({ TableName: name }))
    client.destroy()
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  #serve(request: IncomingMessage, response: ServerResponse, emulate: RequestListener): void {
    if (request.headers[BACK_DOOR]) {
      emulate(request, response)
      return
    }
    const operation = String(request.headers['x-amz-target']).split('.')[1] ?? ''
    this.operations.push(operation)
    const failure = this.failures.shift()
    if (failure) {
      const error = JSON.stringify({ __type: `com.amazonaws.dynamodb.v20120810#${failure}`, message: '' })
      request.resume()
      response.writeHead(400, { 'content-type': 'application/x-amz-json-1.0' }).end(error)
      return
    }
    const body: Buffer[] = []
    request.on('data', (chunk) => body.push(chunk))
    const end = response.end.bind(response)
    response.end = (text?: unknown) => {
      void this.#pass(request, operation, Buffer.concat(body), String(text)).then((passed) => {
        if (passed === undefined) {
          request.socket.resetAndDestroy()
          return
        }
        // The emulator has set both for its own text.
        response.removeHeader('x-amz-crc32')
        response.setHeader('content-length', Buffer.byteLength(passed))
        end(passed)
      })
      return response
    }
    emulate(request, response)
  }

  /** What becomes of an answer of the emulator; `undefined` when it gets lost. */
  async #pass(request: IncomingMessage, operation: string, body: Buffer, text: string) {
    if (await this.isLost(operation)) return undefined
    if (!this.answersItems || !text.includes('ConditionalCheckFailedException')) return text
    const { TableName, Item, ReturnValuesOnConditionCheckFailure } = JSON.parse(body.toString())
    if (ReturnValuesOnConditionCheckFailure !== 'ALL_OLD') return text
    const found = await this.#item(request, TableName, Item.key)
    return JSON.stringify({ ...JSON.parse(text), ...found })
  }

  async #item({ headers }: IncomingMessage, TableName: string, key: unknown): Promise<{ Item?: unknown }> {
    const answered = await fetch(`http://127.0.0.1:${this.port}`, {
      method: 'POST',
      headers: {
        [BACK_DOOR]: 'open',
        'content-type': 'application/x-amz-json-1.0',
        'x-amz-target': 'DynamoDB_20120810.GetItem',
        'x-amz-date': String(headers['x-amz-date']),
        authorization: String(headers.authorization),
      },
      body: JSON.stringify({ TableName, Key: { key }, ConsistentRead: true }),
    })
    return (await answered.json()) as { Item?: unknown }
  }
}

async function isActive(client: DynamoDBClient, name: string): Promise<boolean> {
  const { Table } = await client.send(new DescribeTableCommand({ TableName: name }))
  return Table?.TableStatus === 'ACTIVE'
}
