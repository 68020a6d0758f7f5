import { type Answered, type EtcdGateway, EtcdRefusal } from './etcd-gateway.ts'
import type { EtcdKeys } from './etcd-keys.ts'

/** A key as etcd answers it; key and value are base64, and what is empty is left out. */
export interface EtcdValue {
  readonly key: string
  readonly value?: string
  readonly mod_revision: string
}

/** One step of a transaction, as the gateway takes it. */
export type Operation =
  | { request_put: { key: string; value?: string; lease?: string } }
  | { request_range: { key: string } }
  | { request_delete_range: { key: string } }

interface Compare {
  key: string
  target: 'MOD'
  result: 'EQUAL'
  mod_revision: string
}

interface TransactionAnswer {
  readonly header: { readonly revision: string }
  readonly succeeded?: boolean
  readonly responses?: readonly { readonly response_range?: RangeAnswer }[]
}

interface RangeAnswer {
  readonly kvs?: readonly EtcdValue[]
}

/** What became of a write: its revision, or what is there instead of what it was to replace. */
export type Replaced = { revision: string } | { current: EtcdValue | undefined }

/** An entry that is to be replaced. */
export interface Replacement {
  readonly name: string
  /** What is there now; `'0'` when nothing is. */
  readonly revision: string
  /** What is written if so, the entry first. */
  readonly write: readonly Operation[]
  readonly expiresAt: number
}

export function put(name: string, value?: Buffer): Operation {
  return { request_put: { key: base64(name), ...(value && { value: value.toString('base64') }) } }
}

function range(name: string): Operation {
  return { request_range: { key: base64(name) } }
}

export function deletion(name: string): Operation {
  return { request_delete_range: { key: base64(name) } }
}

function unchanged(name: string, revision: string): Compare {
  return { key: base64(name), target: 'MOD', result: 'EQUAL', mod_revision: revision }
}

const HOUR = 3_600_000
/** So much longer, in seconds, a lease lives than what it is for: the clocks of processes differ, and those of servers. */
const SLACK = 3600
/** The longest lease that etcd grants, in seconds. */
const LONGEST = 9_000_000_000
/** So many operations etcd takes in one transaction, unless it is told otherwise. */
const MOST = 100

/** What expires in one hour shares a lease. */
export function leaseHour(expiresAt: number): number {
  return Math.floor(expiresAt / HOUR)
}

/** The few transactions that the store is made of. */
export class EtcdTransactions {
  readonly #gateway: EtcdGateway
  readonly #keys: EtcdKeys
  readonly #clock: () => number

  constructor(gateway: EtcdGateway, keys: EtcdKeys, clock: () => number) {
    this.#gateway = gateway
    this.#keys = keys
    this.#clock = clock
  }

  async read(name: string): Promise<EtcdValue | undefined> {
    const { answer } = await this.#gateway.post<RangeAnswer>('read', '/v3/kv/range', { key: base64(name) })
    return answer.kvs?.[0]
  }

  async readAll(names: readonly string[]): Promise<(EtcdValue | undefined)[]> {
    const found: (EtcdValue | undefined)[] = []
    for (let i = 0; i < names.length; i += MOST) {
      const success = names.slice(i, i + MOST).map(range)
      const { answer } = await this.#transact('read', { success })
      for (const { response_range } of answer.responses ?? []) found.push(response_range?.kvs?.[0])
    }
    return found
  }

  /** The keys from one to before another, without their values. */
  async list(first: string, end: string): Promise<readonly EtcdValue[]> {
    const request = { key: base64(first), range_end: base64(end), keys_only: true }
    const { answer } = await this.#gateway.post<RangeAnswer>('list', '/v3/kv/range', request)
    return answer.kvs ?? []
  }

  async delete(name: string): Promise<void> {
    await this.#gateway.post('delete', '/v3/kv/deleterange', { key: base64(name) })
  }

  /**
   * Writes, if the entry is as it was; else answers what there is, in the same round trip.
   *
   * A write that had to be sent again conflicts with itself when the first one has arrived after all. So a conflict with
   * these very bytes is none then, and any other one leaves open what became of the write: an error, not a guess.
   */
  async replace({ name, revision, write, expiresAt }: Replacement): Promise<Replaced> {
    const hour = leaseHour(expiresAt)
    const lease = this.#secondsOf(hour) > LONGEST ? undefined : this.#keys.lease(hour)
    const success = lease === undefined ? write : write.map((operation) => leased(operation, lease))
    const request = { compare: [unchanged(name, revision)], success, failure: [range(name)] }
    const { answer, unanswered } = await this.#transactLeased(request, hour)
    if (answer.succeeded) return { revision: answer.header.revision }
    const current = answer.responses?.[0]?.response_range?.kvs?.[0]
    if (!unanswered) return { current }
    const [own] = write
    if (current && own && 'request_put' in own && current.value === own.request_put.value) {
      return { revision: current.mod_revision }
    }
    throw new Error(
      'etcd failed to write: it was not answered, and overtaken, so nobody knows whether it was stored',
      {
        cause: unanswered,
      },
    )
  }

  /** Removes a mark, if neither it nor the entry has changed since it was found to be wrong. */
  async removeMark(mark: EtcdValue, name: string, entry: EtcdValue | undefined): Promise<void> {
    const { key, mod_revision } = mark
    const compare = [{ ...unchanged('', mod_revision), key }, unchanged(name, entry?.mod_revision ?? '0')]
    await this.#transact('list', { compare, success: [{ request_delete_range: { key } }] })
  }

  /** The lease is granted by the first who needs it, and that is known only from the answer: hardly ever. */
  async #transactLeased(request: object, hour: number): Promise<Answered<TransactionAnswer>> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#transact('write', request)
      } catch (error) {
        const { cause, message } = error as Error
        if (attempt === 3 || !(cause instanceof EtcdRefusal) || !/lease not found/.test(message)) throw error
      }
      await this.#grant(hour)
    }
  }

  async #grant(hour: number): Promise<void> {
    const lease = { ID: this.#keys.lease(hour), TTL: String(this.#secondsOf(hour)) }
    try {
      await this.#gateway.post('grant a lease', '/v3/lease/grant', lease)
    } catch (error) {
      // Another process was first.
      if (!/lease already exists/.test((error as Error).message)) throw error
    }
  }

  #secondsOf(hour: number): number {
    return Math.max(0, Math.ceil(((hour + 1) * HOUR - this.#clock()) / 1000)) + SLACK
  }

  #transact(what: string, request: object): Promise<Answered<TransactionAnswer>> {
    return this.#gateway.post(what, '/v3/kv/txn', request)
  }
}

function leased(operation: Operation, lease: string): Operation {
  return 'request_put' in operation ? { request_put: { ...operation.request_put, lease } } : operation
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64')
}
