import fs from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import type {
  Entry,
  KeyedEntry,
  PurgeableStore,
  StoredEntry,
  UpdateResult,
  UserIndexedStore,
  Version,
} from '../store.ts'
import {
  dataFile,
  isHash,
  NO_PARENT,
  newState,
  parseData,
  parseToken,
  type State,
  sha256,
  tokenFile,
} from './file-state.ts'
import { leave, list, NOTHING, readData, syncFolder, unlessMissing, writeData } from './file-system.ts'
import { FileUsers } from './file-users.ts'

/** What {@link fileStore} may be told. */
export interface FileStoreOptions {
  /**
   * What a power loss may take: with `'normal'` sessions that changed in the last half minute or so, with `'full'`
   * nothing that was answered, for a sync of the disk with each write. A crash of the process takes nothing in either
   * case. @defaultValue `'normal'`
   */
  synchronous?: 'normal' | 'full'
  /** The current instant in milliseconds since 1970; for tests. @defaultValue `Date.now` */
  clock?: () => number
}

/** The store that {@link fileStore} makes. */
export interface FileStore extends PurgeableStore, UserIndexedStore {}

/**
 * Keeps sessions as files in a folder of their own on a local disk, which several processes of one host may share.
 *
 * Each entry has a folder, named by the hash of its key, with two files. The _data_ file of a state holds the value and
 * never changes. The empty _token_ file says by its name which state is the current one, when it expires and whose it
 * is. To replace a state is to write the next data file and to rename the token: of several processes one finds the old
 * name, the others find nothing and have lost. So there is no lock that a crash could leave behind.
 */
export function fileStore(folder: string, options: FileStoreOptions = {}): FileStore {
  const { synchronous = 'normal', clock = Date.now } = options
  if (typeof folder !== 'string' || folder === '')
    throw new TypeError('"folder" must be the path of a folder')
  if (synchronous !== 'normal' && synchronous !== 'full') {
    throw new TypeError('"synchronous" must be "normal" or "full"')
  }
  if (typeof clock !== 'function') {
    throw new TypeError('"clock" must be a function that answers milliseconds since 1970')
  }
  const path = resolve(folder)
  try {
    fs.mkdirSync(join(path, 'new'), { recursive: true, mode: 0o700 })
    fs.accessSync(path, fs.constants.R_OK | fs.constants.W_OK | fs.constants.X_OK)
  } catch (cause) {
    throw new Error(`Sessions cannot be kept in "${path}": ${(cause as Error).message}`, { cause })
  }
  return new Files(path, synchronous === 'full', clock)
}

/** How a rename fails when there is a folder already (on Windows an empty one, too), or no folder above it yet. */
const IN_THE_WAY = new Set(['ENOTEMPTY', 'EEXIST', 'EPERM', 'ENOENT'])
/** Nothing that still runs left files for so long without using them. */
const LEFT_BEHIND = 3_600_000
/** So many folders take well below a millisecond. */
const PURGE_SLICE = 32

class Files implements FileStore {
  readonly #path: string
  readonly #flush: boolean
  readonly #clock: () => number
  readonly #users: FileUsers
  #purgeNext = 0

  constructor(path: string, flush: boolean, clock: () => number) {
    this.#path = path
    this.#flush = flush
    this.#clock = clock
    this.#users = new FileUsers(join(path, 'users'), flush, (hash) => this.#state(this.#folder(hash))?.user)
  }

  async read(key: string): Promise<StoredEntry | undefined> {
    return this.#read(this.#folder(sha256(key)))
  }

  async create(key: string, entry: Entry): Promise<Version | undefined> {
    const hash = sha256(key)
    const state = newState(NO_PARENT, entry)
    this.#users.mark(state.user, hash)
    // The folder appears with all that is in it, or not at all: one that holds something is never replaced.
    const made = join(this.#path, 'new', state.id)
    try {
      fs.mkdirSync(made, { recursive: true, mode: 0o700 })
      writeData(dataFile(made, state), key, entry, this.#flush)
      fs.writeFileSync(tokenFile(made, state), '', { flag: 'wx', mode: 0o600 })
      if (this.#flush) syncFolder(made)
      if (!this.#install(made, this.#folder(hash))) return undefined
    } finally {
      fs.rmSync(made, { recursive: true, force: true })
    }
    this.#users.mark(state.user, hash)
    return state.name
  }

  async update(key: string, entry: Entry, version: Version): Promise<UpdateResult | undefined> {
    const hash = sha256(key)
    const folder = this.#folder(hash)
    const state = parseToken(`token.${version}`)
    if (!state || state.expiresAt <= this.#clock()) return this.#conflict(folder)
    const next = newState(state.id, entry)
    if (next.user !== state.user) this.#users.mark(next.user, hash)
    if (!this.#replace(folder, state, next, key, entry)) return this.#conflict(folder)
    leave(() => fs.unlinkSync(dataFile(folder, state)))
    if (next.user !== state.user) {
      this.#users.mark(next.user, hash)
      this.#users.unmark(state.user, hash)
    }
    return { version: next.name }
  }

  async delete(key: string): Promise<void> {
    const folder = this.#folder(sha256(key))
    let state = this.#state(folder)
    while (state && !this.#kill(folder, state)) state = this.#state(folder)
  }

  async ofUser(userId: string): Promise<KeyedEntry[]> {
    const user = sha256(userId)
    const entries: KeyedEntry[] = []
    for (const hash of this.#users.marked(user)) {
      const entry = this.#load(this.#folder(hash))
      if (entry?.userId === userId) entries.push(entry)
      else this.#users.unmark(user, hash)
    }
    return entries
  }

  async purge(limit: number): Promise<number> {
    let removed = 0
    let steps = 0
    for (let shards = 0; shards < 256; shards++) {
      const shard = this.#purgeNext.toString(16).padStart(2, '0')
      for (const hash of list(join(this.#path, shard))) {
        // The next call goes on in this shard.
        if (removed === limit) return removed
        if (isHash(hash) && this.#purgeEntry(join(this.#path, shard, hash))) removed++
        if (++steps % PURGE_SLICE === 0) await othersFirst()
      }
      for (const [user, hash] of this.#users.marks(shard)) {
        if (this.#state(this.#folder(hash))?.user !== user) this.#users.unmark(user, hash)
        if (++steps % PURGE_SLICE === 0) await othersFirst()
      }
      this.#purgeNext = (this.#purgeNext + 1) % 256
    }
    this.#purgeNew()
    return removed
  }

  #folder(hash: string): string {
    return join(this.#path, hash.slice(0, 2), hash)
  }

  #read(folder: string): StoredEntry | undefined {
    const found = this.#load(folder)
    if (!found) return undefined
    const { value, expiresAt, userId, version } = found
    return { value, expiresAt, userId, version }
  }

  #conflict(folder: string): UpdateResult | undefined {
    const current = this.#read(folder)
    return current && { current }
  }

  #load(folder: string): KeyedEntry | undefined {
    let last: State | undefined
    for (;;) {
      const state = this.#state(folder)
      if (!state || state.expiresAt <= this.#clock()) return undefined
      const data = readData(dataFile(folder, state))
      if (data) return { ...data, expiresAt: state.expiresAt, version: state.name }
      // Either it was replaced between the two steps, or its data is damaged: then there is no session any more.
      if (state.name === last?.name) return undefined
      last = state
    }
  }

  /** The current state, expired or not. */
  #state(folder: string): State | undefined {
    let states: State[] = []
    // Some file systems show neither name, or both, to one who lists the folder during a rename.
    for (let attempt = 0; attempt < 3 && states.length !== 1; attempt++) {
      const names = list(folder)
      if (names === NOTHING) return undefined
      states = names.flatMap((name) => parseToken(name) ?? [])
    }
    return states[0]
  }

  /** The one step that decides is the rename. Answers false when the state is not the current one any more. */
  #replace(folder: string, state: State, next: State, key: string, entry: Entry): boolean {
    const data = dataFile(folder, next)
    if (!unlessMissing(() => writeData(data, key, entry, this.#flush))) return false
    let replaced = false
    try {
      replaced = unlessMissing(() => fs.renameSync(tokenFile(folder, state), tokenFile(folder, next)))
    } finally {
      if (!replaced) this.#tidy(folder, [basename(data)])
    }
    if (replaced && this.#flush) syncFolder(folder)
    return replaced
  }

  /** Answers false when there is a live entry. */
  #install(made: string, folder: string): boolean {
    for (let attempt = 1; ; attempt++) {
      try {
        fs.renameSync(made, folder)
        if (this.#flush) syncFolder(dirname(folder))
        return true
      } catch (error) {
        if (!IN_THE_WAY.has((error as NodeJS.ErrnoException).code ?? '') || attempt === 100) throw error
      }
      // Listed before the look at the state, so that it holds nothing that came afterwards.
      const names = list(folder)
      if (this.#load(folder)) return false
      const state = this.#state(folder)
      if (state) this.#kill(folder, state)
      else this.#tidy(folder, names)
      fs.mkdirSync(dirname(folder), { recursive: true, mode: 0o700 })
      if (this.#flush) syncFolder(this.#path)
    }
  }

  /** Ends an entry, if that is its state. What another process is about to replace this state with ends with it. */
  #kill(folder: string, state: State): boolean {
    const names = list(folder)
    if (!unlessMissing(() => fs.unlinkSync(tokenFile(folder, state)))) return false
    if (this.#flush) syncFolder(folder)
    this.#tidy(folder, names)
    this.#users.unmark(state.user, basename(folder))
    return true
  }

  /** Removes the data of states that are over or never were, and the folder when nothing else is in it. */
  #tidy(folder: string, names: readonly string[]): void {
    for (const name of names) if (parseData(name)) leave(() => fs.unlinkSync(join(folder, name)))
    leave(() => fs.rmdirSync(folder))
  }

  #purgeEntry(folder: string): boolean {
    // Again listed first.
    const names = list(folder)
    const state = this.#state(folder)
    if (!state) this.#tidy(folder, names)
    else if (state.expiresAt <= this.#clock()) return this.#kill(folder, state)
    else if (names.length > 2) this.#purgeLosers(folder, names, state)
    return false
  }

  /** Removes the data of those who came second: it is not current, nor can it follow what is. */
  #purgeLosers(folder: string, names: readonly string[], current: State): void {
    for (const name of names) {
      const data = parseData(name)
      if (!data || data.id === current.id || data.parent === current.id) continue
      leave(() => fs.unlinkSync(join(folder, name)))
    }
  }

  /** Entries that were never installed: a crash left them. */
  #purgeNew(): void {
    const folder = join(this.#path, 'new')
    for (const name of list(folder)) {
      const path = join(folder, name)
      leave(() => {
        if (!/^[0-9a-f]{16}(\.old)?$/.test(name)) return
        if (fs.lstatSync(path).mtimeMs > Date.now() - LEFT_BEHIND) return
        // Moved first, so that what is half removed cannot be installed.
        const old = name.endsWith('.old') ? path : `${path}.old`
        fs.renameSync(path, old)
        fs.rmSync(old, { recursive: true })
      })
    }
  }
}

function othersFirst(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
