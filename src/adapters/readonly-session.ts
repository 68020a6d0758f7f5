import type { KeyOf, Session, ValueOf } from '../session.ts'

/** A value that nobody is to change, in its parts either. */
export type Immutable<Value> = Value extends string | number | bigint | boolean | symbol | null | undefined
  ? Value
  : Value extends Date | URL | RegExp | ArrayBuffer | ArrayBufferView
    ? Value
    : Value extends ReadonlyMap<infer Key, infer Item>
      ? ReadonlyMap<Immutable<Key>, Immutable<Item>>
      : Value extends ReadonlySet<infer Item>
        ? ReadonlySet<Immutable<Item>>
        : { readonly [Name in keyof Value]: Immutable<Value[Name]> }

/** What a key shows when it holds something. */
export type ShownOf<Data, Key extends keyof Data> = Immutable<ValueOf<Data, Key>>

type Facts =
  | 'size'
  | 'isNew'
  | 'isEmpty'
  | 'userId'
  | 'createdAt'
  | 'authenticatedAt'
  | 'expiresAt'
  | 'handle'

/**
 * A visitor's session where it can only be read. What it hands out is not to be changed either: objects and arrays are
 * frozen, since a change inside them would be lost.
 */
export interface ReadonlySession<Data extends object = Record<string, unknown>>
  extends Pick<Session<Data>, Facts>,
    Iterable<[KeyOf<Data>, ShownOf<Data, KeyOf<Data>>]> {
  /** The value of a key, or `undefined`. */
  get<Key extends KeyOf<Data>>(key: Key): ShownOf<Data, Key> | undefined
  /** The value of a key, or the fallback when there is none. */
  get<Key extends KeyOf<Data>>(key: Key, fallback: ShownOf<Data, Key>): ShownOf<Data, Key>
  get<Key extends KeyOf<Data>, Fallback>(key: Key, fallback: Fallback): ShownOf<Data, Key> | Fallback
  /** Whether there is a value. */
  has(key: KeyOf<Data>): boolean
  keys(): IterableIterator<KeyOf<Data>>
  values(): IterableIterator<ShownOf<Data, KeyOf<Data>>>
  entries(): IterableIterator<[KeyOf<Data>, ShownOf<Data, KeyOf<Data>>]>
}

/** How a value is handed out. */
type Show = <Value>(value: Value) => Value

/**
 * The session without what changes it.
 * @param show - What becomes of each value on its way out.
 */
export function readonlySession<Data extends object>(
  session: Session<Data>,
  show: Show,
): ReadonlySession<Data> {
  // The typed face: what the class does with any key, Data narrows to its own.
  return new SessionView(session as unknown as Session, show) as unknown as ReadonlySession<Data>
}

/** The value itself, frozen in all its plain parts: a change inside it throws. */
export function frozen<Value>(value: Value): Value {
  if (!isPlain(value) || Object.isFrozen(value)) return value
  // Before its parts: they may lead back here.
  Object.freeze(value)
  for (const part of Object.values(value)) frozen(part)
  return value
}

/** Whether freezing stops all changes: not those of a Map, a Set or a Date, and bytes cannot be frozen. */
function isPlain(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === Array.prototype || prototype === null
}

class SessionView implements Pick<ReadonlySession, Facts> {
  readonly #session: Session
  readonly #show: Show

  constructor(session: Session, show: Show) {
    this.#session = session
    this.#show = show
  }

  get(key: string, fallback?: unknown): unknown {
    return this.#session.has(key) ? this.#show(this.#session.get(key)) : fallback
  }

  has(key: string): boolean {
    return this.#session.has(key)
  }

  keys(): IterableIterator<string> {
    return this.#session.keys()
  }

  values(): IterableIterator<unknown> {
    return Array.from(this.#session.values(), this.#show).values()
  }

  entries(): IterableIterator<[string, unknown]> {
    return Array.from(this.#session, ([key, value]): [string, unknown] => [key, this.#show(value)]).values()
  }

  [Symbol.iterator](): IterableIterator<[string, unknown]> {
    return this.entries()
  }

  get size(): number {
    return this.#session.size
  }

  get isNew(): boolean {
    return this.#session.isNew
  }

  get isEmpty(): boolean {
    return this.#session.isEmpty
  }

  get userId(): string | undefined {
    return this.#session.userId
  }

  get createdAt(): number {
    return this.#session.createdAt
  }

  get authenticatedAt(): number | undefined {
    return this.#session.authenticatedAt
  }

  get expiresAt(): number {
    return this.#session.expiresAt
  }

  get handle(): string {
    return this.#session.handle
  }
}
