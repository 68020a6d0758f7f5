/**
 * One state of an item: the compare-and-set id that the server gave it, and the connection on which it did. Servers count
 * these ids from one again when they restart, so that an id says nothing on another connection.
 */
export interface Mark {
  readonly cas: string
  /** `undefined` when the client does not show its connections: then an id is good for nothing but an immediate write. */
  readonly connection: object | undefined
}

/** What was written. The mark is unknown with clients that do not answer it. */
export interface Written {
  readonly mark: Mark | undefined
}

/** What the store asks of a client, whichever it is. Each is one command, and rejects when its outcome is unknown. */
export interface Items {
  get(key: string): Promise<string | undefined>
  gets(key: string): Promise<{ data: string; mark: Mark } | undefined>
  /** Answers `undefined` when the key is taken. */
  add(key: string, data: string, exptime: number): Promise<Written | undefined>
  /** Answers `undefined` when the item is not, or cannot be known to be, in the marked state any more. */
  cas(key: string, data: string, exptime: number, mark: Mark): Promise<Written | undefined>
  delete(key: string): Promise<void>
  /** How many bytes of an item's size this data makes up. */
  size(data: string): number
}
