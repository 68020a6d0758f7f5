import type { Awaitable } from './awaitable.ts'
import type { Carriage, Carrier } from './carrier.ts'
import type { Committer } from './commit.ts'
import { applyJournals } from './commit-apply.ts'
import { type Committed, Job } from './commit-job.ts'
import type { CookieJar } from './cookie-jar.ts'
import { SessionError } from './errors.ts'
import { formatId, hashSecret, newKey, newSecret } from './id.ts'
import { IdCarried, type IdContext, IdOpener } from './id-opener.ts'
import type { Journal } from './journal.ts'
import { expiryAfterUse, extensionDue } from './lifetime.ts'
import {
  encodeRecord,
  hasSecret,
  isBlank,
  newMark,
  newRecord,
  type SessionRecord,
  sealed,
  secretHash,
} from './record.ts'
import type { Entry, Version } from './store.ts'

interface IdCarriage extends Carriage {
  readonly carried: IdCarried
}

/** A new session on its way to the store. */
interface Creation {
  readonly first: IdCarried
  readonly journals: readonly Journal[]
  readonly jar: CookieJar
  readonly attempt: number
  /** The mark of what is about to be known. */
  readonly at: number
  readonly record: SessionRecord
  readonly entry: Entry
}

const MAX_KEYS = 3

const NO_COOKIES: readonly string[] = []

/** Carries sessions by id: the cookie holds `<key>.<secret>`, the store the rest. */
export class IdCarrier implements Carrier {
  // A stored session is changed and ended where it is stored.
  readonly tellsChanges = false
  readonly tellsEnd = false
  readonly #context: IdContext
  readonly #committer: Committer
  readonly #opener: IdOpener

  constructor(context: IdContext, committer: Committer) {
    this.#context = context
    this.#committer = committer
    this.#opener = new IdOpener(context, committer)
  }

  load(jar: CookieJar): Awaitable<IdCarried | undefined> {
    return this.#opener.open(jar.values())
  }

  resume(value: string): Awaitable<IdCarried | undefined> {
    return this.#opener.open([value])
  }

  again({ id }: IdCarried): Awaitable<IdCarried | undefined> {
    return this.#opener.openId(id)
  }

  blank(): IdCarried {
    return blank(newRecord(this.#context.now()))
  }

  extensionDue({ loaded }: IdCarried): boolean {
    const { lifetimes, now } = this.#context
    return loaded !== undefined && extensionDue(loaded.record, loaded.expiresAt, lifetimes, now())
  }

  commit(
    carried: IdCarried,
    journals: readonly Journal[],
    jar: CookieJar,
  ): Awaitable<IdCarriage | undefined> {
    const { loaded, id, record } = carried
    if (!loaded) return this.#create(carried, journals, jar)
    const job = new Job(loaded, id.secret, record.userId, journals, this.#context.onStale)
    const committed = this.#committer.commit(id.key, job)
    return committed instanceof Promise
      ? committed.then(this.#updated.bind(this, carried, journals, jar))
      : this.#updated(carried, journals, jar, committed)
  }

  async end({ id, loaded }: IdCarried): Promise<void> {
    if (!loaded) return
    await this.#context.delete(id.key)
    this.#committer.recent.forget(id.key)
    this.#context.events.emit('ended', { handle: id.key, reason: 'destroyed' })
  }

  clear(jar: CookieJar): string[] {
    return jar.values().length > 0 ? [jar.clear()] : []
  }

  #create(
    first: IdCarried,
    journals: readonly Journal[],
    jar: CookieJar,
    attempt = 1,
  ): Awaitable<IdCarriage | undefined> {
    const { lifetimes, now } = this.#context
    const { key, secret } = first.id
    const at = this.#committer.mark()
    const changed = applyJournals(journals, first.record, key)
    // Nothing worth a row, but what was said of its timeouts holds when there is.
    if (isBlank(changed)) return { carried: new IdCarried(first.id, changed), setCookies: NO_COOKIES }
    changed.seenAt = now()
    changed.mark = newMark()
    changed.secrets = [secretHash(secret, key, undefined)]
    const record = this.#context.sealed ? sealed(changed, key, secret) : changed
    const expiresAt = expiryAfterUse(record, lifetimes, now())
    const entry = { value: encodeRecord(record, key), expiresAt, userId: record.userId }
    const creation = { first, journals, jar, attempt, at, record, entry }
    const created = this.#context.create(key, entry)
    return created instanceof Promise
      ? created.then(this.#created.bind(this, creation), this.#notCreated.bind(this, creation))
      : this.#created(creation, created)
  }

  #notCreated({ journals, record }: Creation, error: unknown): never {
    this.#committer.attempts.note(journals, record.mark, undefined)
    throw error
  }

  #created(creation: Creation, version: Version | undefined): Awaitable<IdCarriage | undefined> {
    if (version === undefined) return this.#taken(creation)
    const { first, jar, at, record, entry } = creation
    this.#context.events.emit('created', { handle: first.handle, userId: record.userId })
    const { value, expiresAt } = entry
    const loaded = { record, value, version, expiresAt, at }
    return told(new IdCarried(first.id, record, record.secrets[0]?.hash, loaded), jar)
  }

  /**
   * Only the request that made a key may create it. One that is taken belongs to somebody else, unless its secret opens
   * it: then an earlier attempt has created it, and its answer got lost.
   */
  async #taken({ first, journals, jar, attempt, record }: Creation): Promise<IdCarriage | undefined> {
    const { mark } = record
    const own = await this.#opener.openId(first.id)
    if (own) {
      if (own.record.mark === mark) this.#committer.attempts.note(journals, mark, undefined)
      this.#context.events.emit('created', { handle: own.id.key, userId: own.record.userId })
      const saved = await this.commit(own, journals, jar)
      return saved && told(saved.carried, jar)
    }
    if (attempt < MAX_KEYS) return this.#create(blank(first.record), journals, jar, attempt + 1)
    throw new SessionError(
      'ERR_SESSION_STORE',
      'The session store says of every new random key that it is taken',
    )
  }

  #updated(
    before: IdCarried,
    journals: readonly Journal[],
    jar: CookieJar,
    committed: Committed | undefined,
  ): IdCarriage | undefined {
    if (!committed) return undefined
    const { stored, view } = committed
    const { key } = before.id
    let { id, secretHash: hash } = before
    let isRetimed = false
    for (let i = 0; i < journals.length; i++) {
      const { rotation, timeouts } = journals[i] as Journal
      if (timeouts) isRetimed = true
      const rotated = rotation && hashSecret(rotation.to)
      if (!rotated || !hasSecret(stored.record, rotated)) continue
      id = { key, secret: rotation.to }
      hash = rotated
    }
    // Whoever holds an id that died meanwhile may be somebody else than who holds the new one. So the changes are kept,
    // and nothing is shown of what came after the id's end.
    const record = opens(hash, view) ? view : applyJournals(journals, before.record, key)
    const isRotated = id !== before.id
    const { events } = this.#context
    if (isRotated) events.emit('rotated', { handle: key, userId: view.userId })
    if (journals.length === 0 && stored !== before.loaded) events.emit('renewed', { handle: key })
    const now = new IdCarried(id, record, hash, stored)
    const tells = isRotated || (isRetimed && opens(hash, stored.record))
    return tells ? told(now, jar) : { carried: now, setCookies: NO_COOKIES }
  }
}

/** A session that gets a new id. */
function blank(record: SessionRecord): IdCarried {
  return new IdCarried({ key: newKey(), secret: newSecret() }, record)
}

/** With the cookie that tells the visitor the id: it is new, or the cookie's life has changed. */
function told(carried: IdCarried, jar: CookieJar): IdCarriage {
  return { carried, setCookies: [jar.set(formatId(carried.id), carried.record)] }
}

function opens(hash: string | undefined, record: SessionRecord): boolean {
  return hash !== undefined && hasSecret(record, hash)
}
