import { SessionError } from '../errors.ts'

/** What the store uses of a bucket of `@nats-io/kv`. */
export interface NatsKv {
  get(key: string): Promise<NatsKvEntry | null>
  put(key: string, value: Uint8Array, options: { previousSeq?: number; timeout: number }): Promise<number>
  purge(key: string, options?: { previousSeq: number }): Promise<void>
  keys(filter: string): Promise<AsyncIterable<string>>
  status(): Promise<{ ttl: number; replicas: number }>
}

/** What is under a key of a bucket: a value, or the mark that a deletion leaves. */
export interface NatsKvEntry {
  readonly value: Uint8Array
  readonly revision: number
  readonly operation: string
}

/** What became of a write: its revision, or what is there instead of what it was to replace. */
export type Written = { revision: number } | { current: NatsKvEntry | undefined }

// The codes of JetStream, as https://github.com/nats-io/nats-server/blob/main/server/errors.json numbers them.
const WRONG_SEQUENCE = new Set<unknown>([10_071, 10_164])
const TOO_LARGE = new Set<unknown>([10_054])
const NO_LEADER = 10_008

/** How errors are called that the loss of a node brings. */
const PASSING = new Set([
  'TimeoutError',
  'RequestError',
  'NoResponders',
  'ConnectionError',
  'JetStreamNotEnabled',
])

/** What the first attempt may take of the time: a slow disk is no dead server, but some time must be left for another one. */
const SHARE = 0.75

/** Between two attempts, in milliseconds. An election takes seconds. */
const PAUSE = 100

/**
 * A bucket whose calls outlast the loss of a node: what the servers do not answer is sent again, until the time is up.
 */
export class NatsBucket {
  readonly #kv: NatsKv
  readonly #timeout: number
  #ttl: Promise<number> | undefined

  constructor(kv: NatsKv, timeout: number) {
    this.#kv = kv
    this.#timeout = timeout
  }

  /** What is there, unless it is the mark of a deletion. */
  async get(key: string): Promise<NatsKvEntry | undefined> {
    return unlessDeleted(await this.#patiently('read', () => this.#kv.get(key)))
  }

  /**
   * Writes, if the last that happened to the key has that revision; 0 means that nothing has.
   *
   * A write that is sent again conflicts with itself when the first one has arrived after all. So a conflict with these
   * very bytes is none then, and any other one leaves open what became of the write: an error, not a guess.
   */
  async write(key: string, value: Uint8Array, previousSeq: number): Promise<Written> {
    let unanswered = 0
    return this.#patiently('write', async (timeout) => {
      const isRepeated = unanswered > 0
      unanswered++
      const revision = await this.#put(key, value, { previousSeq, timeout }, () => unanswered--)
      if (revision !== undefined) return { revision }
      const current = (await this.#kv.get(key)) ?? undefined
      // Nobody came first, so a write is on its way that the servers have not agreed on.
      if ((current?.revision ?? 0) === previousSeq) throw new OnItsWay()
      if (!isRepeated) return { current }
      if (current && Buffer.compare(current.value, value) === 0) return { revision: current.revision }
      throw new Unknowable()
    })
  }

  /** @param onNothing called when it is certain that nothing was written, and nothing will be */
  async #put(
    key: string,
    value: Uint8Array,
    options: { previousSeq: number; timeout: number },
    onNothing: () => void,
  ): Promise<number | undefined> {
    try {
      return await this.#kv.put(key, value, options)
    } catch (error) {
      const isConflict = WRONG_SEQUENCE.has(codeOf(error))
      if (isConflict || hasNotArrived(error)) onNothing()
      if (!isConflict) throw error
      return undefined
    }
  }

  /** Writes, whatever is there. */
  async put(key: string, value: Uint8Array): Promise<void> {
    await this.#patiently('write', (timeout) => this.#kv.put(key, value, { timeout }))
  }

  /** Removes the value, and what the bucket keeps of older ones. */
  purge(key: string): Promise<void> {
    return this.#patiently('delete', () => this.#kv.purge(key))
  }

  /** Removes what has that revision, if it still has it. */
  async purgeRevision(key: string, previousSeq: number): Promise<void> {
    try {
      await this.#kv.purge(key, { previousSeq })
    } catch (error) {
      if (!WRONG_SEQUENCE.has(codeOf(error))) throw explained('delete', error)
    }
  }

  /** The keys that fit the filter. */
  keys(filter: string): Promise<string[]> {
    return this.#patiently('list', async () => {
      const keys: string[] = []
      for await (const key of await this.#kv.keys(filter)) keys.push(key)
      return keys
    })
  }

  /** How long the bucket keeps what nobody writes, in milliseconds. Asked for once, and refused where nothing would hold. */
  ttl(): Promise<number> {
    this.#ttl ??= this.#ask().catch((error) => {
      this.#ttl = undefined
      throw error
    })
    return this.#ttl
  }

  async #ask(): Promise<number> {
    const { ttl, replicas } = await this.#patiently('ask for the bucket', () => this.#kv.status())
    if (ttl === 0) throw new Error('NATS would keep expired sessions for ever: the bucket has no "ttl"')
    const server = serverOf(this.#kv)
    // https://github.com/nats-io/nats-server/issues/4320, and acknowledged writes were lost when a server was killed.
    if (replicas > 1 && server && isOlder(server, [2, 10, 23])) {
      throw new Error(`NATS ${server} loses updates in a cluster: it takes 2.10.23 or later`)
    }
    return ttl
  }

  #patiently<T>(what: string, attempt: (timeout: number) => Promise<T>): Promise<T> {
    return patiently(what, this.#timeout, attempt)
  }
}

/**
 * Tries for so many milliseconds what the loss of a server may keep from succeeding.
 * @param what for the message of an error
 */
export async function patiently<T>(
  what: string,
  ms: number,
  attempt: (timeout: number) => Promise<T>,
): Promise<T> {
  const until = performance.now() + ms
  for (;;) {
    try {
      const timeout = Math.max(1, Math.min(until - performance.now(), ms * SHARE))
      return await within(timeout, attempt(timeout))
    } catch (error) {
      if (!isPassing(error) || performance.now() + PAUSE >= until) throw explained(what, error)
    }
    await new Promise((resolve) => setTimeout(resolve, PAUSE))
  }
}

/** What is there, unless it is the mark of a deletion, which has a revision, too. */
export function unlessDeleted(entry: NatsKvEntry | null | undefined): NatsKvEntry | undefined {
  return entry?.operation === 'PUT' ? entry : undefined
}

/** The version of the server, where the client tells it: the interface of buckets has no name for it. */
function serverOf(kv: NatsKv): string | undefined {
  const { js } = kv as { js?: { nc?: { info?: { version?: unknown } } } }
  const version = js?.nc?.info?.version
  return typeof version === 'string' ? version : undefined
}

function isOlder(version: string, than: readonly number[]): boolean {
  const numbers = version.split(/[.-]/, 3).map(Number)
  const different = than.findIndex((number, i) => numbers[i] !== number)
  return different >= 0 && Number(numbers[different]) < Number(than[different])
}

class OnItsWay extends Error {
  override readonly name = 'TimeoutError'
  constructor() {
    super('the servers have not agreed on a write that came before')
  }
}

class Unknowable extends Error {
  constructor() {
    super('it was not answered, and overtaken, so nobody knows whether it was stored')
  }
}

function isPassing(error: unknown): boolean {
  const { name, cause } = error as { name?: string; cause?: { name?: string } }
  if (cause?.name === 'PermissionViolationError') return false
  return PASSING.has(name ?? '') || codeOf(error) === NO_LEADER
}

/** Whether nobody has got the request. */
function hasNotArrived(error: unknown): boolean {
  const { name, cause } = error as { name?: string; cause?: { name?: string } }
  return name === 'NoResponders' || (name === 'JetStreamNotEnabled' && cause?.name === 'RequestError')
}

function codeOf(error: unknown): unknown {
  return (error as { code?: unknown }).code
}

function explained(what: string, cause: unknown): Error {
  const { name = '', message = '' } = cause as Partial<Error>
  if (TOO_LARGE.has(codeOf(cause)) || /payload.*exceed/i.test(message)) {
    return new SessionError('ERR_SESSION_TOO_LARGE', 'The session is larger than NATS takes', { cause })
  }
  const reason = name === 'JetStreamNotEnabled' ? 'there is no such bucket, or it has no leader now' : message
  return new Error(`NATS failed to ${what}: ${reason}`, { cause })
}

function within<T>(ms: number, promise: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const late = new Promise<never>((_, reject) => {
    const error = Object.assign(new Error(`no answer within ${Math.round(ms)} ms`), { name: 'TimeoutError' })
    timer = setTimeout(reject, ms, error)
  })
  return Promise.race([promise, late]).finally(() => clearTimeout(timer))
}
