import { type Awaitable, after } from '../awaitable.ts'
import type { Carriage, Carried, Carrier, CarrierContext } from '../carrier.ts'
import { applyJournals } from '../commit-apply.ts'
import { cookieName } from '../cookie.ts'
import type { CookieJar } from '../cookie-jar.ts'
import { SessionError } from '../errors.ts'
import { hashSecret, newKey } from '../id.ts'
import type { Journal } from '../journal.ts'
import { expiryAfterUse, extensionDue, isOver } from '../lifetime.ts'
import { isBlank, newRecord, type SessionRecord } from '../record.ts'
import { chunksOf, clearedChunks, MAX_COOKIES, textOf, textsIn } from './cookie-chunks.ts'
import { decodeSession, encodeSession, newToken, type SealedSession, TOKEN_LENGTH } from './cookie-record.ts'
import { MAX_LIFE, type Revocation } from './cookie-revocation.ts'
import type { CookieSealer } from './cookie-sealer.ts'

/** A session with what its cookie says of it. */
interface SealedCarried extends Carried {
  /** `undefined` while no cookie holds it. */
  readonly sealed: SealedSession | undefined
}

/** Carries sessions by value: each cookie holds its whole session, sealed. */
export class CookieCarrier implements Carrier {
  readonly tellsChanges = true
  readonly tellsEnd: boolean
  readonly #context: CarrierContext
  readonly #sealer: CookieSealer
  readonly #revocation: Revocation | undefined

  constructor(context: CarrierContext, sealer: CookieSealer, revocation: Revocation | undefined) {
    this.#context = context
    this.#sealer = sealer
    this.#revocation = revocation
    this.tellsEnd = revocation === undefined
  }

  load(jar: CookieJar): Awaitable<SealedCarried | undefined> {
    const texts = textsIn(jar)
    const [only] = texts
    if (only !== undefined && texts.length === 1) return this.#open(only, jar.name)
    return this.#first(texts.map((text) => [text, jar.name]))
  }

  resume(value: string): Awaitable<SealedCarried | undefined> {
    const text = textOf(value)
    if (text === undefined) return undefined
    const { cookie } = this.#context
    // Whether it came by https is not known here.
    return this.#first([true, false].map((secure) => [text, cookieName(cookie, secure)]))
  }

  again({ sealed }: SealedCarried): Awaitable<SealedCarried | undefined> {
    return sealed && this.#live(sealed)
  }

  blank(): SealedCarried {
    const record = newRecord(this.#context.now())
    return { handle: newKey(), record, sealed: undefined, secretHash: undefined, expiresAt: undefined }
  }

  extensionDue({ sealed, record }: SealedCarried): boolean {
    const { lifetimes, now } = this.#context
    return sealed !== undefined && extensionDue(record, sealed.expiresAt, lifetimes, now())
  }

  commit(
    carried: SealedCarried,
    journals: readonly Journal[],
    jar: CookieJar,
  ): Awaitable<Carriage | undefined> {
    const { sealed } = carried
    return sealed ? this.#reseal(carried, sealed, journals, jar) : this.#begin(carried, journals, jar)
  }

  async end({ sealed, handle, record }: SealedCarried): Promise<void> {
    if (!sealed) return
    const { lifetimes, now, events } = this.#context
    await this.#revocation?.end(sealed, Math.max(sealed.lastEnd, expiryAfterUse(record, lifetimes, now())))
    events.emit('ended', { handle, reason: 'destroyed' })
  }

  clear(jar: CookieJar): string[] {
    return clearedChunks(jar)
  }

  /** The session of the first text that opens one under its name. */
  #first(texts: readonly (readonly [text: string, name: string])[]): Awaitable<SealedCarried | undefined> {
    const [first, ...others] = texts
    if (!first) return undefined
    return after(this.#open(...first), (carried) => carried ?? this.#first(others))
  }

  #open(text: string, name: string): Awaitable<SealedCarried | undefined> {
    const bytes = this.#sealer.open(text, name)
    const sealed = bytes && this.#decode(bytes)
    return sealed && this.#live(sealed)
  }

  #live(sealed: SealedSession): Awaitable<SealedCarried | undefined> {
    const { lifetimes, now, check } = this.#context
    if (sealed.expiresAt <= now() || isOver(sealed.record, lifetimes, now())) return undefined
    return after(
      this.#revocation?.isLive(sealed) ?? true,
      (isLive) => (isLive || undefined) && after(check(sealed.record), (record) => carriedOf(sealed, record)),
    )
  }

  /** The visitor of a cookie that is ours and cannot be read begins anew, and observers hear of it. */
  #decode(bytes: Uint8Array): SealedSession | undefined {
    try {
      return decodeSession(bytes)
    } catch (cause) {
      const error = new SessionError('ERR_SESSION_STORE', 'A sealed session cannot be read', { cause })
      this.#context.events.emit('storeError', { operation: 'decode', error })
      return undefined
    }
  }

  #begin(blank: SealedCarried, journals: readonly Journal[], jar: CookieJar): Awaitable<Carriage> {
    const { handle } = blank
    const record = applyJournals(journals, blank.record, handle)
    // Nothing worth a cookie, but what was said of its timeouts holds when there is.
    if (isBlank(record)) return { carried: { ...blank, record }, setCookies: [] }
    return after(this.#revocation?.epochOf(record.userId), (epoch) => {
      const carriage = this.#seal({ handle, generation: newToken(), lastEnd: 0, epoch, record }, jar)
      this.#context.events.emit('created', { handle, userId: record.userId })
      return carriage
    })
  }

  #reseal(
    { record, handle }: SealedCarried,
    sealed: SealedSession,
    journals: readonly Journal[],
    jar: CookieJar,
  ): Awaitable<Carriage | undefined> {
    const rotation = journals.findLast((journal) => journal.rotation)?.rotation
    const changed = applyJournals(journals, record, handle)
    const generation = rotation ? hashSecret(rotation.to).slice(0, TOKEN_LENGTH) : sealed.generation
    return after(
      this.#revocation ? this.#revocation.admit(sealed, changed.userId, rotation !== undefined) : sealed,
      (admitted) => {
        if (!admitted) return undefined
        const draft = { ...sealed, generation, epoch: admitted.epoch, record: changed }
        // Before anything is kept of it: one that is too large changes nothing.
        const carriage = this.#seal(draft, jar)
        if (rotation) return this.#rotate(sealed, record, draft, carriage, journals, jar)
        if (journals.length === 0) this.#context.events.emit('renewed', { handle })
        return carriage
      },
    )
  }

  /** Lets the session open by its new id alone, which the carriage has. */
  #rotate(
    before: SealedSession,
    record: SessionRecord,
    draft: Draft,
    carriage: SealedCarriage,
    journals: readonly Journal[],
    jar: CookieJar,
  ): Awaitable<Carriage | undefined> {
    const { handle, generation } = draft
    const login = journals.findLast((journal) => journal.login)?.login?.userId
    const { lastEnd } = carriage.carried.sealed
    return after(this.#revocation?.rotate(before, generation, login, lastEnd), (became) => {
      if (became === 'late') return undefined
      this.#context.events.emit('rotated', { handle, userId: draft.record.userId })
      if (became !== 'taken over') return carriage
      // Who changed the id first may be somebody else: as in a store, nothing of theirs is handed over.
      const stranger = applyJournals(journals, { ...record, userId: undefined, secrets: [] }, handle)
      return this.#seal({ ...draft, record: stranger }, jar)
    })
  }

  #seal(draft: Draft, jar: CookieJar): SealedCarriage {
    const { lifetimes, now } = this.#context
    const { generation } = draft
    const secrets = [{ hash: generation, wrap: undefined }]
    const record = { ...draft.record, seenAt: now(), secrets }
    const expiresAt = Math.min(expiryAfterUse(record, lifetimes, now()), now() + MAX_LIFE)
    const lastEnd = Math.max(draft.lastEnd, expiresAt)
    const sealed = { ...draft, expiresAt, lastEnd, record }
    const text = this.#sealer.seal(encodeSession(sealed), jar.name)
    const setCookies = chunksOf(text, jar, record)
    if (!setCookies) throw tooLarge(text.length, record)
    return { carried: carriedOf(sealed, record), setCookies }
  }
}

/** A session that is about to be sealed. */
type Draft = Omit<SealedSession, 'expiresAt'>

type SealedCarriage = Carriage & { readonly carried: { readonly sealed: SealedSession } }

function carriedOf(sealed: SealedSession, record: SessionRecord): SealedCarried & { sealed: SealedSession } {
  const { handle, generation, expiresAt } = sealed
  return { handle, record, sealed, secretHash: generation, expiresAt }
}

const NAMED_VALUES = 3

/** Names what takes the most room, and never shows it. */
function tooLarge(size: number, { data, flashes }: SessionRecord): SessionError {
  const sizes = [
    ...Array.from(data, ([key, slot]) => ({ name: JSON.stringify(key), size: bytesOf(slot.json) })),
    ...flashes.map(({ key, slot }) => ({
      name: `the flash ${JSON.stringify(key)}`,
      size: bytesOf(slot.json),
    })),
  ]
  const biggest = sizes.sort((a, b) => b.size - a.size).slice(0, NAMED_VALUES)
  const names = biggest.map(({ name, size: bytes }) => `${name} (${bytes} bytes)`).join(', ')
  return new SessionError(
    'ERR_SESSION_TOO_LARGE',
    `The sealed session is ${size} bytes, and all of its cookies may take ${MAX_COOKIES} with their names and attributes. ` +
      `Its biggest values: ${names}`,
  )
}

function bytesOf(text: string): number {
  return new TextEncoder().encode(text).length
}
