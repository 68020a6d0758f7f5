import type { Entry } from '../store.ts'

/** One entry, in the list of recent use: `newer` and `older` are its neighbours there. */
export interface Node extends Entry {
  readonly key: string
  version: number
  bytes: number
  newer: Node | undefined
  older: Node | undefined
}

/** Nodes by something they have in common. No empty group stays behind. */
export class Groups<K> extends Map<K, Set<Node>> {
  put(key: K, node: Node): void {
    const group = this.get(key)
    if (group) group.add(node)
    else this.set(key, new Set([node]))
  }

  take(key: K, node: Node): void {
    const group = this.get(key)
    group?.delete(node)
    if (group?.size === 0) this.delete(key)
  }
}

/** All entries by when they were last used. */
export class Recency {
  #newest: Node | undefined
  #oldest: Node | undefined

  /** The one that nobody has used for the longest time. */
  get oldest(): Node | undefined {
    return this.#oldest
  }

  /** It was used just now. */
  use(node: Node): void {
    if (node === this.#newest) return
    this.pull(node)
    this.push(node)
  }

  /** A new one. */
  push(node: Node): void {
    node.older = this.#newest
    if (this.#newest) this.#newest.newer = node
    this.#newest = node
    this.#oldest ??= node
  }

  pull(node: Node): void {
    if (node.newer) node.newer.older = node.older
    else this.#newest = node.older
    if (node.older) node.older.newer = node.newer
    else this.#oldest = node.newer
    node.newer = node.older = undefined
  }
}

/** Entries by the minute in which they expire: extending one seldom moves it, and a purge need not search. */
export class Deadlines {
  readonly #byMinute = new Groups<number>()
  /** Nothing expires before this minute. */
  #earliest = Number.POSITIVE_INFINITY

  put(node: Node): void {
    const at = minute(node.expiresAt)
    this.#byMinute.put(at, node)
    if (at < this.#earliest) this.#earliest = at
  }

  take(node: Node): void {
    this.#byMinute.take(minute(node.expiresAt), node)
  }

  move(node: Node, expiresAt: number): void {
    if (minute(node.expiresAt) === minute(expiresAt)) {
      node.expiresAt = expiresAt
      return
    }
    this.take(node)
    node.expiresAt = expiresAt
    this.put(node)
  }

  /**
   * Hands over those that have expired.
   * @param limit - the most that are handed over
   * @param remove - takes the one it is given out of here
   * @returns how many were handed over
   */
  expire(now: number, limit: number, remove: (node: Node) => void): number {
    if (this.#earliest > minute(now)) return 0
    let removed = 0
    this.#earliest = Number.POSITIVE_INFINITY
    for (const [at, group] of this.#byMinute) {
      if (at <= minute(now)) removed += expireGroup(group, now, limit - removed, remove)
      if (group.size > 0) this.#earliest = Math.min(this.#earliest, at)
    }
    return removed
  }
}

function expireGroup(group: Set<Node>, now: number, limit: number, remove: (node: Node) => void): number {
  let removed = 0
  for (const node of group) {
    if (removed === limit) break
    if (now < node.expiresAt) continue
    remove(node)
    removed++
  }
  return removed
}

/** The minute that an instant is in. */
function minute(instant: number): number {
  return Math.floor(instant / 60_000)
}
