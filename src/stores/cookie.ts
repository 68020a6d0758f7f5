import type { Administration, CarrierContext, Carrying, CarryingStore, Supports } from '../carrier.ts'
import { known } from '../check-options.ts'
import { isKey } from '../id.ts'
import type { PurgeOptions } from '../purge.ts'
import type { SessionInfo } from '../session.ts'
import type { Store } from '../store.ts'
import { CookieCarrier } from './cookie-carrier.ts'
import { sealingKeys } from './cookie-keys.ts'
import { Revocation } from './cookie-revocation.ts'
import { CookieSealer } from './cookie-sealer.ts'

/** What {@link cookieStore} has to be told. */
export interface CookieStoreOptions {
  /**
   * Keys as `npx sojourn secret` prints them: 32 random bytes, base64url. The first one seals, all of them open, so that a
   * new one can be put in front.
   */
  keys: readonly string[]
  /**
   * Where it is remembered which sessions have ended before their time, so that `revoke`, `revokeUser` and signing out
   * hold for every copy of a cookie: any `Store`. Costs a read for each session that is loaded, and one more for those
   * who have signed in.
   * @defaultValue none: a copy of a cookie opens until it expires
   */
  revocation?: Store
}

/** The store that {@link cookieStore} makes. It is no `Store`: nothing is kept under any key. */
export interface CookieStore extends CarryingStore {}

/**
 * Keeps each session in its visitor's own cookie, encrypted and authenticated: nothing is kept on the server. Of parallel
 * responses the browser keeps the last, so changes of the others are lost.
 * @example
 * createSessions({ store: cookieStore({ keys: (process.env['SESSION_KEYS'] ?? '').split(',') }) })
 * @throws TypeError when a key could be guessed or an option is wrong. No message shows a key.
 */
export function cookieStore(options: CookieStoreOptions): CookieStore {
  known(options, ['keys', 'revocation'], 'cookieStore')
  const { keys, revocation } = options
  const sealer = new CookieSealer(sealingKeys(keys))
  if (revocation !== undefined && !VERBS.every((verb) => typeof revocation?.[verb] === 'function')) {
    throw new TypeError(
      '"revocation" must be a Store, such as sqliteStore("revoked.db") from "sojourn/sqlite"',
    )
  }
  return { carry: (context) => carrySealed(sealer, revocation, context) }
}

const VERBS = ['read', 'create', 'update', 'delete'] as const

function carrySealed(sealer: CookieSealer, store: Store | undefined, context: CarrierContext): Carrying {
  if (context.sealed) {
    throw new TypeError(
      '"sealed" is for stores on the server: cookieStore seals each session, so leave it out',
    )
  }
  const revocation = store && new Revocation(store, context)
  return {
    carrier: new CookieCarrier(context, sealer, revocation),
    administration: new CookieAdministration(context, revocation),
  }
}

class CookieAdministration implements Administration {
  readonly supports: Supports
  readonly #context: CarrierContext
  readonly #revocation: Revocation | undefined

  constructor(context: CarrierContext, revocation: Revocation | undefined) {
    this.#context = context
    this.#revocation = revocation
    const revokes = revocation !== undefined
    this.supports = { ofUser: false, revoke: revokes, revokeUser: revokes }
  }

  async ofUser(_userId: string): Promise<SessionInfo[]> {
    throw new TypeError('Sessions of cookieStore are in the browsers, so nobody can list them')
  }

  async revoke(handle: string): Promise<void> {
    const revocation = this.#needed('revoke')
    if (!isKey(handle)) return
    await revocation.endByHandle(handle)
    this.#context.events.emit('ended', { handle, reason: 'revoked' })
  }

  async revokeUser(userId: string, except: string | undefined): Promise<number> {
    await this.#needed('revokeUser').endUser(userId, except)
    return Number.NaN
  }

  async purge(options: PurgeOptions): Promise<number> {
    return (await this.#revocation?.purge(options)) ?? 0
  }

  async close(): Promise<void> {
    await this.#revocation?.close()
  }

  #needed(call: string): Revocation {
    if (this.#revocation) return this.#revocation
    throw new TypeError(`${call}() needs a store that remembers it: give cookieStore "revocation"`)
  }
}
