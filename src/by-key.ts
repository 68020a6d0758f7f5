/** One of the things in a `ByKey`. */
export interface Keyed<Item> {
  readonly key: string
  /** The one that came after it. */
  next: Item | undefined
}

/** So many are gone through one by one: that is no slower than a map. */
const FEW = 8

/**
 * Things by their keys, in the order in which they came. A request has one or two of a kind mostly, so they are a chain,
 * which takes a fifth of the memory of a `Map`; where they are many, there is a map beside it. A base class, since an object
 * of its own would take as much again.
 */
export class ByKey<Item extends Keyed<Item>> {
  first: Item | undefined
  #last: Item | undefined
  #map: Map<string, Item> | undefined

  /** The one of that key. */
  of(key: string): Item | undefined {
    let passed = 0
    let item = this.first
    while (item && item.key !== key && passed++ < FEW) item = item.next
    return passed > FEW ? this.#mapped.get(key) : item
  }

  /** @param item - One whose key is new. */
  add(item: Item): void {
    if (this.#last) this.#last.next = item
    else this.first = item
    this.#last = item
    this.#map?.set(item.key, item)
  }

  /** Forgets them all. */
  forget(): void {
    this.first = this.#last = this.#map = undefined
  }

  get #mapped(): Map<string, Item> {
    if (!this.#map) {
      this.#map = new Map()
      for (let item = this.first; item; item = item.next) this.#map.set(item.key, item)
    }
    return this.#map
  }
}
