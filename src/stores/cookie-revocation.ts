import { fromBase64Url, toBase64Url } from '../base64url.ts'
import type { CarrierContext } from '../carrier.ts'
import { SessionError } from '../errors.ts'
import { hashSecret } from '../id.ts'
import { type PurgeOptions, Purger } from '../purge.ts'
import type { CloseableStore, Entry, Store, StoredEntry } from '../store.ts'
import { newToken, type SealedSession } from './cookie-record.ts'

/** What is kept of a session: which of its ids still open it. None: it has ended. */
interface SessionWord {
  live: string[]
  /** Who signed in last, as `userKey` names them. */
  user?: string
}

/** What is kept of a user: sessions that were sealed under another epoch have ended. */
interface UserWord {
  epoch: string
  /** The session that was spared, and the epochs under which it still opens; none when any does. */
  except?: [handle: string, ...epochs: string[]]
}

/** What became of a change of id. */
export type Rotation = 'changed' | 'late' | 'taken over'

const DAY = 86_400_000
/**
 * How long a copy of a session may open at most: browsers keep a cookie for 400 days (RFC 6265bis section 5.6.2). So that
 * long must be remembered what was said of sessions of which nothing but the name is known.
 */
export const MAX_LIFE: number = 400 * DAY
// Clocks of a site's machines differ, and a request may be under way for a while.
const MARGIN = DAY
// A sign-in form submitted more often than this at once leaves the browser with the latest answers.
const MAX_LIVE = 8
// Every lost race means that another process's write succeeded.
const MAX_ATTEMPTS = 50

/**
 * Remembers in a store which sealed sessions open no more: of a session that changed its id or ended, and of a user whose
 * sessions were revoked, one entry each. A session of which nothing is kept is live.
 */
export class Revocation {
  readonly #store: Store
  readonly #context: CarrierContext
  readonly #purger: Purger
  /**
   * What was kept of a session when a request looked: none, or the entry. Its change begins from there, without looking
   * again; the version, or the key being free, tells whether that is still so.
   */
  readonly #seen = new WeakMap<SealedSession, StoredEntry | undefined>()

  constructor(store: Store, context: CarrierContext) {
    this.#store = store
    this.#context = context
    this.#purger = new Purger(store, context.events, context.now)
  }

  /** Whether this copy of the session still opens: one read, and one more when somebody has signed in. */
  async isLive(session: SealedSession): Promise<boolean> {
    return (await this.admit(session, session.record.userId, false)) !== undefined
  }

  /**
   * The epoch to seal the next copy under; `undefined` when this one opens no more.
   * @param userId - Whose session it is going to be.
   * @param rotates - Whether it gets a new id, so that `rotate` looks at the old one.
   */
  async admit(
    session: SealedSession,
    userId: string | undefined,
    rotates: boolean,
  ): Promise<{ epoch: string | undefined } | undefined> {
    const { generation, record } = session
    const stays = userId === record.userId
    const [word, user, next] = await Promise.all([
      rotates ? undefined : this.#look(session),
      this.#userWord(record.userId),
      stays ? undefined : this.#userWord(userId),
    ])
    const opens = word?.live.includes(generation) ?? true
    return opens && accepts(user, session) ? { epoch: (stays ? user : next)?.epoch } : undefined
  }

  /** The epoch to seal the first copy of a session under. */
  async epochOf(userId: string | undefined): Promise<string | undefined> {
    return (await this.#userWord(userId))?.epoch
  }

  /**
   * Lets the session open by a new id alone. When another request has changed the id first, a plain change is late, and a
   * sign-in goes on beside that of the same user or else takes the session over.
   * @param until - When no copy with an older id opens any more.
   */
  async rotate(
    session: SealedSession,
    to: string,
    login: string | undefined,
    until: number,
  ): Promise<Rotation> {
    const { handle, generation, record } = session
    const userId = login ?? record.userId
    const next: SessionWord = { live: [to], ...(userId !== undefined && { user: userKey(userId) }) }
    let outcome: Rotation = 'changed'
    const seen = await this.#entryOf(session)
    await this.#change<SessionWord>(handle, seen, until, (word) => {
      outcome = 'changed'
      if (!word || word.live.includes(generation)) return next
      // An earlier attempt has done it, and its answer got lost.
      if (word.live.includes(to)) return undefined
      outcome = login === undefined || word.live.length === 0 ? 'late' : 'taken over'
      if (outcome === 'late') return undefined
      if (word.user !== next.user) return next
      outcome = 'changed'
      return { ...next, live: [...word.live, to].slice(-MAX_LIVE) }
    })
    return outcome
  }

  /** Ends the session. @param until - When no copy opens any more. */
  async end(session: SealedSession, until: number): Promise<void> {
    await this.#end(session.handle, await this.#entryOf(session), until)
  }

  /** Ends a session of which nothing but the name is known, so that it may have any lifetime. */
  async endByHandle(handle: string): Promise<void> {
    await this.#end(handle, await this.#entry(handle), this.#context.now() + MAX_LIFE)
  }

  async #end(handle: string, seen: StoredEntry | undefined, until: number): Promise<void> {
    await this.#change<SessionWord>(handle, seen, until, (word) =>
      word?.live.length === 0 ? undefined : { live: [] },
    )
  }

  /** Ends all sessions of the user, except one. */
  async endUser(userId: string, except: string | undefined): Promise<void> {
    const epoch = newToken()
    const key = userKey(userId)
    const seen = await this.#entry(key)
    await this.#change<UserWord>(key, seen, this.#context.now() + MAX_LIFE, (word) => {
      if (except === undefined) return { epoch }
      // Only what opened before is spared: an older revocation stays in force.
      const [spared, ...epochs] = word?.except ?? []
      if (!word || (spared === except && epochs.length === 0)) return { epoch, except: [except] }
      const before = spared === except ? epochs : []
      return { epoch, except: [except, word.epoch, ...before.slice(0, MAX_LIVE)] }
    })
  }

  purge(options: PurgeOptions): Promise<number> {
    return this.#purger.purge(options)
  }

  async close(): Promise<void> {
    if ('close' in this.#store) await (this.#store as CloseableStore).close()
  }

  async #userWord(userId: string | undefined): Promise<UserWord | undefined> {
    const entry = userId === undefined ? undefined : await this.#entry(userKey(userId))
    return entry && this.#wordOf<UserWord>(entry)
  }

  async #look(session: SealedSession): Promise<SessionWord | undefined> {
    const entry = await this.#entry(session.handle)
    this.#seen.set(session, entry)
    return entry && this.#wordOf<SessionWord>(entry)
  }

  /** What is kept of the session, perhaps as it was a while ago. */
  async #entryOf(session: SealedSession): Promise<StoredEntry | undefined> {
    return this.#seen.has(session) ? this.#seen.get(session) : this.#entry(session.handle)
  }

  async #entry(key: string): Promise<StoredEntry | undefined> {
    const { call, now } = this.#context
    const entry = await call('read', () => this.#store.read(key))
    return entry && entry.expiresAt > now() ? entry : undefined
  }

  /**
   * Writes what the function makes of what is kept; nothing when it answers `undefined`.
   * @param seen - What was kept when somebody looked. When that has changed since, it begins anew from what there is.
   */
  async #change<Word>(
    key: string,
    seen: StoredEntry | undefined,
    until: number,
    next: (word: Word | undefined) => Word | undefined,
  ): Promise<void> {
    let current = seen
    for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
      const word = next(current && this.#wordOf<Word>(current))
      if (!word) return
      const expiresAt = Math.max(until + MARGIN, current?.expiresAt ?? 0)
      const entry = { value: JSON.stringify(word), expiresAt, userId: undefined }
      const other = await this.#write(key, entry, current)
      if (other === 'written') return
      current = other
    }
    throw new SessionError(
      'ERR_SESSION_CONFLICT',
      `Other processes changed what is kept of the session first, ${MAX_ATTEMPTS} times in a row`,
    )
  }

  /** Answers what stands in the way, if anything does. */
  async #write(
    key: string,
    entry: Entry,
    current: StoredEntry | undefined,
  ): Promise<StoredEntry | undefined | 'written'> {
    const { call } = this.#context
    if (!current) {
      this.#purger.afterCreate()
      const version = await call('create', () => this.#store.create(key, entry))
      return version === undefined ? this.#entry(key) : 'written'
    }
    const result = await call('update', () => this.#store.update(key, entry, current.version))
    if (!result) return undefined
    return 'version' in result ? 'written' : result.current
  }

  /** What cannot be read lets nobody in. */
  #wordOf<Word>({ value }: StoredEntry): Word {
    try {
      return JSON.parse(value)
    } catch {
      const error = new SessionError('ERR_SESSION_STORE', 'An entry of the revocation store cannot be read')
      this.#context.events.emit('storeError', { operation: 'decode', error })
      return CLOSED as Word
    }
  }
}

const CLOSED: SessionWord & UserWord = { live: [], epoch: '' }

function accepts(word: UserWord | undefined, { handle, epoch }: SealedSession): boolean {
  if (!word || epoch === word.epoch) return true
  const [spared, ...epochs] = word.except ?? []
  return spared === handle && (epochs.length === 0 || (epoch !== undefined && epochs.includes(epoch)))
}

/** The key of what is kept of a user: of the form that session keys have, and without the user's id. */
function userKey(userId: string): string {
  return toBase64Url(fromBase64Url(hashSecret(`sojourn user ${userId}`)).subarray(0, 16))
}
