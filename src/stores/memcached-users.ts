import { createHash } from 'node:crypto'
import type { Items } from './memcached-items.ts'
import { decode, encode, exptime, newToken } from './memcached-text.ts'

/** That a session belongs to a user's list. Instants in milliseconds since 1970. */
export interface Membership {
  readonly since: number
  /** The list may forget the session from then on. */
  readonly until: number
}

export type Members = ReadonlyMap<string, Membership>

/** A user's list is read with each of his sessions, so it must not grow without a bound. */
const MAX_MEMBERS = 1000
/** A list with so many is rid of the dead before it grows. */
export const MANY_MEMBERS = 50
const MAX_ATTEMPTS = 30

const NOBODY: Members = new Map()

/**
 * The lists of sessions by user, one item each. A session that its user's list does not name does not exist: when memcached
 * drops the list, the user's sessions end with it. So whoever ends the sessions of a list ends all there are.
 */
export class UserLists {
  readonly #items: Items
  readonly #prefix: string
  readonly #clock: () => number

  constructor(items: Items, prefix: string, clock: () => number) {
    this.#items = items
    this.#prefix = prefix
    this.#clock = clock
  }

  /** The sessions that the user's list names, be they alive or not. */
  async read(userId: string): Promise<Members> {
    return this.#members(await this.#items.get(this.#name(userId)))
  }

  /** Names a session in its user's list, for at least so long. */
  async add(
    userId: string,
    key: string,
    expiresAt: number,
  ): Promise<{ membership: Membership; count: number }> {
    const membership = this.#membership(expiresAt, this.#clock())
    let count = 0
    await this.#change(userId, (members) => {
      const more = new Map(members).set(key, membership)
      count = more.size
      return more
    })
    return { membership, count }
  }

  /** Lets the list name a session for longer. `undefined`: it does not name it any more, and the session has ended. */
  async extend(userId: string, key: string, expiresAt: number): Promise<Membership | undefined> {
    let membership: Membership | undefined
    await this.#change(userId, (members) => {
      const before = members.get(key)
      membership = before && this.#membership(expiresAt, before.since)
      return membership && new Map(members).set(key, membership)
    })
    return membership
  }

  /** Lets the list forget sessions that are gone. */
  async remove(userId: string, keys: readonly string[]): Promise<void> {
    await this.#change(userId, (members) => {
      const left = new Map(members)
      for (const key of keys) left.delete(key)
      return left
    })
  }

  /** Twice as long as needed, so that a session in use seldom costs a write of the list. */
  #membership(expiresAt: number, since: number): Membership {
    return { since, until: expiresAt + Math.max(0, expiresAt - this.#clock()) }
  }

  /** @param change answers the members as they are to be; `undefined`: leave them as they are */
  async #change(userId: string, change: (members: Members) => Members | undefined): Promise<void> {
    const name = this.#name(userId)
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      if (attempt > 0) await pause(attempt)
      const found = await this.#items.gets(name)
      const members = change(this.#members(found?.data))
      if (!members) return
      const [data, seconds] = this.#list(members)
      const written = found
        ? await this.#items.cas(name, data, seconds, found.mark)
        : await this.#items.add(name, data, seconds)
      if (written) return
    }
    throw new Error(`Others changed the list of a user's sessions first, ${MAX_ATTEMPTS} times in a row`)
  }

  #members(data: string | undefined): Members {
    const list = data === undefined ? undefined : decode(data)
    const now = this.#clock()
    if (!list || list.expiresAt <= now) return NOBODY
    const members = JSON.parse(list.value) as [string, number, number][]
    return new Map(
      members.filter(([, , until]) => now < until).map(([key, since, until]) => [key, { since, until }]),
    )
  }

  /** The item of a list, and its life. */
  #list(members: Members): [data: string, exptime: number] {
    const newest = [...members].sort(([, a], [, b]) => b.since - a.since).slice(0, MAX_MEMBERS)
    const expiresAt = newest.reduce((latest, [, { until }]) => Math.max(latest, until), 0)
    const value = JSON.stringify(newest.map(([key, { since, until }]) => [key, since, until]))
    const data = encode({ token: newToken(), expiresAt, userId: undefined, value })
    return [data, exptime(expiresAt, this.#clock())]
  }

  /** No key of a session has a dot in it; and what a user is called may be long, have spaces, and is nobody's business. */
  #name(userId: string): string {
    return `${this.#prefix}.${createHash('sha256').update(userId).digest('base64url')}`
  }
}

/** Random, so that those who met once do not meet again. */
function pause(attempt: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.random() * Math.min(2 ** attempt, 50)))
}
