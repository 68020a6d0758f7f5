import type { Verbs } from './at-once.ts'
import type { Awaitable } from './awaitable.ts'
import type { Carried, CarrierContext } from './carrier.ts'
import type { Committer } from './commit.ts'
import { hashSecret, type Id, parseId } from './id.ts'
import { isOver } from './lifetime.ts'
import type { Loaded } from './loaded.ts'
import { hasSecret, type Opener, type SessionRecord, sealed } from './record.ts'
import type { StoredEntry } from './store.ts'

/** A session with the id that the visitor has or will get, and what the store holds under it. */
export class IdCarried implements Carried {
  readonly id: Id
  readonly record: SessionRecord
  readonly secretHash: string | undefined
  /** `undefined` while nothing is stored. */
  readonly loaded: Loaded | undefined

  constructor(id: Id, record: SessionRecord, secretHash?: string, loaded?: Loaded) {
    this.id = id
    this.record = record
    this.secretHash = secretHash
    this.loaded = loaded
  }

  get handle(): string {
    return this.id.key
  }

  get expiresAt(): number | undefined {
    return this.loaded?.expiresAt
  }
}

/** What the carrier needs of its surroundings. */
export interface IdContext extends CarrierContext, Pick<Verbs, 'read' | 'create'> {
  delete(key: string): Promise<void>
  /** The session of an entry; `undefined` when it cannot be read. */
  decode(key: string, entry: StoredEntry, opener: Opener): SessionRecord | undefined
}

// Each costs a read, and a browser sends two or three at the most: the rest is somebody trying.
const MAX_CANDIDATES = 6

/** Finds the session that a cookie's value opens. */
export class IdOpener {
  readonly #context: IdContext
  readonly #committer: Committer

  constructor(context: IdContext, committer: Committer) {
    this.#context = context
    this.#committer = committer
  }

  /** The session of the first value that opens one. */
  open(values: readonly string[]): Awaitable<IdCarried | undefined> {
    const only = values[0]
    if (only === undefined) return undefined
    if (values.length > 1) return this.#firstOf(values)
    const id = parseId(only)
    return id && this.openId(id)
  }

  async #firstOf(values: readonly string[]): Promise<IdCarried | undefined> {
    const ids = [...new Set(values)].map(parseId).filter((id) => id !== undefined)
    for (const id of ids.slice(0, MAX_CANDIDATES)) {
      const carried = await this.openId(id)
      if (carried) return carried
    }
    return undefined
  }

  openId(id: Id): Awaitable<IdCarried | undefined> {
    const at = this.#committer.mark()
    const entry = this.#context.read(id.key)
    // Bound, not closures: those keep what they see on the heap even where none is made.
    return entry instanceof Promise
      ? entry.then(this.#opened.bind(this, id, at))
      : this.#opened(id, at, entry)
  }

  #opened(id: Id, at: number, entry: StoredEntry | undefined): Awaitable<IdCarried | undefined> {
    const { decode, check, lifetimes } = this.#context
    const now = this.#context.now()
    if (!entry || entry.expiresAt <= now) return undefined
    const known = this.#committer.recent.known(id.key, entry)
    const decoded = known?.record ?? decode(id.key, entry, { secrets: [id.secret] })
    const hash = hashSecret(id.secret)
    if (!decoded || !hasSecret(decoded, hash) || isOver(decoded, lifetimes, now)) return undefined
    const { value, version, expiresAt } = entry
    const loaded = known ?? { record: decoded, value, version, expiresAt, at }
    if (!known) this.#committer.recent.read(id.key, loaded)
    // Not before the secret is known to be right: a fault of the data is no business of who has only seen a handle.
    const record = check(decoded)
    return record instanceof Promise
      ? record.then(this.#loaded.bind(this, id, hash, loaded))
      : this.#loaded(id, hash, loaded, record)
  }

  /** @param checked - What the schema has left of what was read. */
  #loaded(id: Id, hash: string, read: Loaded, checked: SessionRecord): IdCarried {
    const record = this.#context.sealed ? sealed(checked, id.key, id.secret) : checked
    return new IdCarried(id, record, hash, record === read.record ? read : { ...read, record })
  }
}
