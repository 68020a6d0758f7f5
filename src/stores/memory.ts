import { AT_ONCE, type StoreAtOnce, type VerbsAtOnce } from '../at-once.ts'
import { checkClock, known } from '../check-options.ts'
import { SessionError } from '../errors.ts'
import type {
  CloseableStore,
  Entry,
  KeyedEntry,
  PurgeableStore,
  StoredEntry,
  UpdateResult,
  UserIndexedStore,
  Version,
} from '../store.ts'
import { Deadlines, Groups, type Node, Recency } from './memory-entries.ts'

/** What {@link memoryStore} may be told. */
export interface MemoryStoreOptions {
  /** The most entries kept; the least recently used one makes room for a new one. @defaultValue `100_000` */
  maxEntries?: number
  /**
   * The most memory used, in bytes, as an upper estimate: two bytes for every character and 400 for the bookkeeping of
   * an entry. The least recently used entries make room; a single entry above it is refused. @defaultValue 64 MiB
   */
  maxBytes?: number
  /** The current instant in milliseconds since 1970; for tests. @defaultValue `Date.now` */
  clock?: () => number
}

/** The store that {@link memoryStore} makes. */
export interface MemoryStore extends PurgeableStore, UserIndexedStore, CloseableStore {}

/**
 * Keeps sessions in the memory of this process, within bounds: for development, tests and a single process whose
 * sessions may end with it.
 */
export function memoryStore(options: MemoryStoreOptions = {}): MemoryStore {
  known(options, ['maxEntries', 'maxBytes', 'clock'], 'memoryStore')
  const { maxEntries = 100_000, maxBytes = 64 * 1024 * 1024, clock = Date.now } = options
  checkClock(clock)
  return new BoundedMap(limit('maxEntries', maxEntries), limit('maxBytes', maxBytes), clock)
}

function limit(option: string, value: number): number {
  if (Number.isSafeInteger(value) && value > 0) return value
  throw new TypeError(`"${option}" must be a whole number above zero; got ${String(value)}`)
}

const BOOKKEEPING = 400
/** Rarely enough to cost nothing, often enough that memory follows the traffic. */
const SWEEP_EVERY = 30_000
/** Well below a millisecond of work. */
const SWEEP_AT_ONCE = 500

class BoundedMap implements MemoryStore, StoreAtOnce {
  readonly #maxEntries: number
  readonly #maxBytes: number
  readonly #clock: () => number
  readonly #nodes = new Map<string, Node>()
  readonly #byUser = new Groups<string>()
  readonly #deadlines = new Deadlines()
  readonly #recency = new Recency()
  #bytes = 0
  // One counter for all entries, so that no version of an ended entry fits a later one under the same key.
  #version = 0
  #timer: { unref?(): unknown } | undefined
  #closed = false

  constructor(maxEntries: number, maxBytes: number, clock: () => number) {
    this.#maxEntries = maxEntries
    this.#maxBytes = maxBytes
    this.#clock = clock
  }

  get [AT_ONCE](): VerbsAtOnce | undefined {
    const { read, create, update } = BoundedMap.prototype
    if (this.read !== read || this.create !== create || this.update !== update) return undefined
    return {
      read: (key) => this.#read(key),
      create: (key, entry) => this.#create(key, entry),
      update: (key, entry, version) => this.#update(key, entry, version),
    }
  }

  async read(key: string): Promise<StoredEntry | undefined> {
    const node = this.#read(key)
    return node && stored(node)
  }

  async create(key: string, entry: Entry): Promise<Version | undefined> {
    return this.#create(key, entry)
  }

  async update(key: string, entry: Entry, version: Version): Promise<UpdateResult | undefined> {
    return this.#update(key, entry, version)
  }

  #read(key: string): Node | undefined {
    const node = this.#live(key)
    if (node) this.#recency.use(node)
    return node
  }

  #create(key: string, entry: Entry): Version | undefined {
    if (this.#live(key)) return undefined
    const bytes = this.#measure(key, entry)
    const expired = this.#nodes.get(key)
    if (expired) this.#remove(expired)
    const { expiresAt, userId } = entry
    const version = ++this.#version
    const value = inOnePiece(entry.value)
    const node: Node = {
      key: inOnePiece(key),
      value,
      expiresAt,
      userId,
      version,
      bytes,
      newer: undefined,
      older: undefined,
    }
    this.#nodes.set(node.key, node)
    this.#bytes += bytes
    this.#deadlines.put(node)
    if (userId !== undefined) this.#byUser.put(userId, node)
    this.#recency.push(node)
    this.#makeRoom()
    if (!this.#timer) this.#sweepAfter(SWEEP_EVERY)
    return version
  }

  #update(key: string, entry: Entry, version: Version): UpdateResult | undefined {
    const node = this.#live(key)
    if (!node) return undefined
    if (node.version !== version) return { current: stored(node) }
    const bytes = this.#measure(key, entry)
    this.#recency.use(node)
    this.#bytes += bytes - node.bytes
    node.bytes = bytes
    node.value = inOnePiece(entry.value)
    node.version = ++this.#version
    this.#deadlines.move(node, entry.expiresAt)
    this.#rebind(node, entry.userId)
    this.#makeRoom()
    return { version: node.version }
  }

  async delete(key: string): Promise<void> {
    this.#checkOpen()
    const node = this.#nodes.get(key)
    if (node) this.#remove(node)
  }

  async purge(limit: number): Promise<number> {
    this.#checkOpen()
    return this.#sweep(limit)
  }

  async ofUser(userId: string): Promise<KeyedEntry[]> {
    this.#checkOpen()
    const now = this.#clock()
    const entries: KeyedEntry[] = []
    for (const node of this.#byUser.get(userId) ?? []) {
      if (now < node.expiresAt) entries.push({ key: node.key, ...stored(node) })
    }
    return entries
  }

  async close(): Promise<void> {
    this.#closed = true
    for (const node of this.#nodes.values()) this.#remove(node)
  }

  #checkOpen(): void {
    if (this.#closed) throw new Error('The memory store is closed')
  }

  #live(key: string): Node | undefined {
    const node = this.#nodes.get(key)
    if (node) return this.#clock() < node.expiresAt ? node : undefined
    this.#checkOpen()
    return undefined
  }

  #measure(key: string, { value, userId }: Entry): number {
    const bytes = BOOKKEEPING + 2 * (key.length + value.length + (userId?.length ?? 0))
    if (bytes <= this.#maxBytes) return bytes
    throw new SessionError(
      'ERR_SESSION_TOO_LARGE',
      `The session takes ${bytes} bytes, and "maxBytes" of the memory store is ${this.#maxBytes}`,
    )
  }

  // What was written last fits alone and is the newest, so it never makes room for itself.
  #makeRoom(): void {
    while (this.#nodes.size > this.#maxEntries || this.#bytes > this.#maxBytes)
      this.#remove(this.#recency.oldest as Node)
  }

  #remove(node: Node): void {
    this.#nodes.delete(node.key)
    this.#bytes -= node.bytes
    this.#deadlines.take(node)
    if (node.userId !== undefined) this.#byUser.take(node.userId, node)
    this.#recency.pull(node)
    if (this.#nodes.size > 0) return
    clearTimeout(this.#timer as number | undefined)
    this.#timer = undefined
  }

  #sweep(limit: number): number {
    return this.#deadlines.expire(this.#clock(), limit, (node) => this.#remove(node))
  }

  #sweepAfter(delay: number): void {
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      const more = this.#sweep(SWEEP_AT_ONCE) === SWEEP_AT_ONCE
      if (this.#nodes.size > 0) this.#sweepAfter(more ? 1 : SWEEP_EVERY)
    }, delay)
    // Where a timer is a plain number it keeps no process alive.
    this.#timer.unref?.()
  }

  #rebind(node: Node, userId: string | undefined): void {
    if (node.userId === userId) return
    if (node.userId !== undefined) this.#byUser.take(node.userId, node)
    node.userId = userId
    if (userId !== undefined) this.#byUser.put(userId, node)
  }
}

/** A copy, so that nobody outside holds what the store keeps. */
function stored({ value, expiresAt, userId, version }: Node): StoredEntry {
  return { value, expiresAt, userId, version }
}

/** What was put together of many texts keeps them all, at three times its size, until somebody looks through it. */
function inOnePiece(text: string): string {
  return text.includes('\0') ? `${text}` : text
}
