import type { Store } from '../store.ts'

/** What the store contract has to know of a store: how to open it, and how to do to its backend what fate may do. */
export interface StoreHarness<Backend = unknown> {
  /** Makes an empty backend for one case: a temporary folder, a table of its own, a prefix nobody uses. */
  prepare(): Backend | Promise<Backend>
  /**
   * Opens the store on that backend. It is called several times for one backend when `shared` is true.
   * @param clock what the store has to take for the current instant
   */
  open(backend: Backend, clock: () => number): Store | Promise<Store>
  /** Removes what `prepare` made, after the stores were closed. */
  dispose?(backend: Backend): unknown
  /**
   * By which clock an entry expires: `'given'` when the store compares every `expiresAt` with the clock it was given, at
   * the exact millisecond; `'backend'` when it hands a lifetime to a backend that counts by itself.
   */
  expiry: 'given' | 'backend'
  /** Whether two stores that were opened on one backend have the same entries. */
  shared: boolean
  /**
   * Among whom a check and the write that depends on it are one step: `'everybody'`, or only the callers in one process,
   * for a store whose backend knows no condition. @defaultValue `'everybody'`
   */
  atomic?: 'everybody' | 'process'
  /** The most bytes of UTF-8 that a value may have, for a store whose backend takes less than a million. */
  maxBytes?: number
  /** Which of the further interfaces the store has. */
  abilities: {
    /** `PurgeableStore` */
    purge: boolean
    /** `UserIndexedStore` */
    ofUser: boolean
    /** `CloseableStore` */
    close: boolean
  }
  /** Damages what the backend keeps under the key, so that no entry can be made of it. */
  breakEntry?(backend: Backend, key: string): unknown
  /** Removes what the store needs in its backend: the table, the folder, the index. */
  removeSchema?(backend: Backend): unknown
  /** A program that opens the store on that backend, by the real clock, and calls `storeContractWorker` with it. */
  worker?(backend: Backend): WorkerProgram
}

/** A program for the Node.js, Bun or Deno that runs the contract. */
export interface WorkerProgram {
  /** The path of the program. */
  file: string
  /** What it finds in `process.argv` from the third place on. */
  args?: string[]
  /** What the runtime is to be told, such as `--no-warnings`. */
  execArgv?: string[]
}
