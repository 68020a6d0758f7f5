import type { Committed, Committer, Loaded } from './commit.ts'
import { SessionError } from './errors.ts'
import type { Events } from './events.ts'
import { formatId, hashSecret, type Id, newKey, newSecret, parseId } from './id.ts'
import { ignore } from './ignore.ts'
import type { Journal } from './journal.ts'
import { expiryAfterUse, extensionDue, isOver, type Lifetimes } from './lifetime.ts'
import {
  encodeRecord,
  hasSecret,
  isBlank,
  newRecord,
  type Opener,
  type SessionRecord,
  sealed,
  secretHash,
} from './record.ts'
import type { Entry, StoredEntry, Version } from './store.ts'

/** A session on its way: the id that the visitor has or will get, and what the store holds under it. */
export interface Carried {
  readonly id: Id
  /** `undefined` while nothing is stored. */
  readonly loaded: Loaded | undefined
  /** What the visitor's request sees. */
  readonly record: SessionRecord
}

/** What a commit has made of a session. */
export interface Carriage {
  readonly carried: Carried
  /** Whether the visitor has to be told the id: it is new, or its cookie's life has changed. */
  readonly tell: boolean
}

export interface CarrierContext {
  readonly lifetimes: Lifetimes
  readonly events: Events
  readonly sealed: boolean
  now(): number
  read(key: string): Promise<StoredEntry | undefined>
  create(key: string, entry: Entry): Promise<Version | undefined>
  delete(key: string): Promise<void>
  /** The session of an entry; `undefined` when it cannot be read. */
  decode(key: string, entry: StoredEntry, opener: Opener): SessionRecord | undefined
  /** Holds a session against the schema. */
  check(record: SessionRecord): Promise<SessionRecord>
}

// Each costs a read, and a browser sends two or three at the most: the rest is somebody trying.
const MAX_CANDIDATES = 6
const MAX_KEYS = 3

/** Carries sessions by id: the cookie holds `<key>.<secret>`, the store the rest. */
export class IdCarrier {
  readonly #context: CarrierContext
  readonly #committer: Committer

  constructor(context: CarrierContext, committer: Committer) {
    this.#context = context
    this.#committer = committer
  }

  /** The session of the first value that opens one. A value that opens none is never adopted. */
  async load(values: readonly string[]): Promise<Carried | undefined> {
    const ids = [...new Set(values)].map(parseId).filter((id) => id !== undefined)
    for (const id of ids.slice(0, MAX_CANDIDATES)) {
      const carried = await this.#open(id)
      if (carried) return carried
    }
    return undefined
  }

  /** A session that nothing is stored of yet. */
  blank(): Carried {
    return {
      id: { key: newKey(), secret: newSecret() },
      loaded: undefined,
      record: newRecord(this.#context.now()),
    }
  }

  extensionDue({ loaded }: Carried): boolean {
    const { lifetimes, now } = this.#context
    return loaded !== undefined && extensionDue(loaded.record, loaded.expiresAt, lifetimes, now())
  }

  /** Saves the journals, or extends the session's life when there are none. `undefined`: it has ended meanwhile. */
  async commit(carried: Carried, journals: readonly Journal[]): Promise<Carriage | undefined> {
    if (!carried.loaded) return this.#create(carried, journals)
    const { key, secret } = carried.id
    const { loaded, record } = carried
    const committed = await this.#committer.commit(key, {
      base: loaded,
      secret,
      userId: record.userId,
      journals,
    })
    if (!committed) return undefined
    if (journals.length === 0 && committed.stored !== carried.loaded) {
      this.#context.events.emit('renewed', { handle: key })
    }
    return this.#updated(carried, journals, committed)
  }

  /** Ends the session for everybody. */
  async end({ id, loaded }: Carried): Promise<void> {
    if (!loaded) return
    await this.#context.delete(id.key)
    this.#committer.forget(id.key)
    this.#context.events.emit('ended', { handle: id.key, reason: 'destroyed' })
  }

  async #open(id: Id): Promise<Carried | undefined> {
    const { read, decode, check, lifetimes, now } = this.#context
    const at = this.#committer.mark()
    const entry = await read(id.key)
    if (!entry || entry.expiresAt <= now()) return undefined
    const decoded = decode(id.key, entry, { secrets: [id.secret] })
    if (!decoded || !hasSecret(decoded, hashSecret(id.secret)) || isOver(decoded, lifetimes, now()))
      return undefined
    // Not before the secret is known to be right: a fault of the data is no business of who has only seen a handle.
    const record = await check(decoded)
    const readable = this.#context.sealed ? sealed(record, id.key, id.secret) : record
    const loaded = { record: readable, version: entry.version, expiresAt: entry.expiresAt, at }
    return { id, loaded, record: readable }
  }

  async #create(carried: Carried, journals: readonly Journal[], attempt = 1): Promise<Carriage> {
    const { lifetimes, now, create, events } = this.#context
    const { key } = carried.id
    const at = this.#committer.mark()
    const changed = after(journals, carried.record, key)
    // Nothing worth a row, but what was said of its timeouts holds when there is.
    if (isBlank(changed)) return { carried: { ...carried, record: changed }, tell: false }
    const record = this.#first(carried.id, changed)
    const expiresAt = expiryAfterUse(record, lifetimes, now())
    const version = await create(key, { value: encodeRecord(record, key), expiresAt, userId: record.userId })
    if (version !== undefined) {
      events.emit('created', { handle: key, userId: record.userId })
      const loaded = { record, version, expiresAt, at }
      return { carried: { ...carried, loaded, record }, tell: true }
    }
    // Only the request that made a key may create it: a key that is taken belongs to somebody else.
    if (attempt < MAX_KEYS)
      return this.#create({ ...this.blank(), record: carried.record }, journals, attempt + 1)
    throw new SessionError(
      'ERR_SESSION_STORE',
      'The session store says of every new random key that it is taken',
    )
  }

  #first({ key, secret }: Id, record: SessionRecord): SessionRecord {
    const seenAt = this.#context.now()
    const opened = { ...record, seenAt, secrets: [secretHash(secret, key, undefined)] }
    return this.#context.sealed ? sealed(opened, key, secret) : opened
  }

  #updated(carried: Carried, journals: readonly Journal[], { stored, view }: Committed): Carriage {
    const { key } = carried.id
    const opens = (record: SessionRecord, secret: string): boolean => hasSecret(record, hashSecret(secret))
    const secrets = journals.flatMap(({ rotation }) => rotation?.to ?? [])
    const rotated = secrets.findLast((secret) => opens(stored.record, secret))
    const id = rotated === undefined ? carried.id : { key, secret: rotated }
    const retimed = journals.some((journal) => journal.timeouts) && opens(stored.record, id.secret)
    // Whoever holds an id that died meanwhile may be somebody else than who holds the new one. So the changes are kept,
    // and nothing is shown of what came after the id's end.
    const record = opens(view, id.secret) ? view : after(journals, carried.record, key)
    if (rotated !== undefined) this.#context.events.emit('rotated', { handle: key, userId: view.userId })
    return { carried: { id, loaded: stored, record }, tell: rotated !== undefined || retimed }
  }
}

function after(journals: readonly Journal[], record: SessionRecord, key: string): SessionRecord {
  return journals.reduce((base, journal) => journal.applyTo(base, key, ignore), record)
}

export function idText(carried: Carried): string {
  return formatId(carried.id)
}
