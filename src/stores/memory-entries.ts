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

/** The minute that an instant is in. */
export function minute(instant: number): number {
  return Math.floor(instant / 60_000)
}
