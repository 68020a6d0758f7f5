import fs from 'node:fs'
import { basename, join, resolve } from 'node:path'
import { checkClock, known, oneOf } from '../check-options.ts'
import type {
  Entry,
  KeyedEntry,
  PurgeableStore,
  StoredEntry,
  UpdateResult,
  UserIndexedStore,
  Version,
} from '../store.ts'
import { FileEntries } from './file-entries.ts'
import {
  dataFile,
  isHash,
  NO_PARENT,
  newState,
  parseToken,
  type State,
  sha256,
  tokenFile,
} from './file-state.ts'
import { leave, list, Pace, syncFolder, writeData } from './file-system.ts'
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
 */
export function fileStore(folder: string, options: FileStoreOptions = {}): FileStore {
  known(options, ['synchronous', 'clock'], 'fileStore')
  const { synchronous = 'normal', clock = Date.now } = options
  if (typeof folder !== 'string' || folder === '')
    throw new TypeError('"folder" must be the path of a folder')
  oneOf(synchronous, ['normal', 'full'], 'synchronous')
  checkClock(clock)
  const path = resolve(folder)
  try {
    fs.mkdirSync(join(path, 'new'), { recursive: true, mode: 0o700 })
    fs.accessSync(path, fs.constants.R_OK | fs.constants.W_OK | fs.constants.X_OK)
  } catch (cause) {
    throw new Error(`Sessions cannot be kept in "${path}": ${(cause as Error).message}`, { cause })
  }
  return new Files(path, synchronous === 'full', clock)
}

/** Nothing that still runs left files for so long without using them. */
const LEFT_BEHIND = 3_600_000

class Files implements FileStore {
  readonly #path: string
  readonly #flush: boolean
  readonly #clock: () => number
  readonly #entries: FileEntries
  readonly #users: FileUsers
  #purgeNext = 0

  constructor(path: string, flush: boolean, clock: () => number) {
    this.#path = path
    this.#flush = flush
    this.#clock = clock
    this.#entries = new FileEntries(flush, clock)
    this.#users = new FileUsers(
      join(path, 'users'),
      flush,
      (hash) => this.#entries.state(this.#folder(hash))?.user,
    )
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
      if (!this.#entries.install(made, this.#folder(hash))) return undefined
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
    if (!this.#entries.replace(folder, state, next, key, entry)) return this.#conflict(folder)
    leave(() => fs.unlinkSync(dataFile(folder, state)))
    if (next.user !== state.user) {
      this.#users.mark(next.user, hash)
      this.#users.unmark(state.user, hash)
    }
    return { version: next.name }
  }

  async delete(key: string): Promise<void> {
    const folder = this.#folder(sha256(key))
    let state = this.#entries.state(folder)
    while (state && !this.#end(folder, state)) state = this.#entries.state(folder)
  }

  async ofUser(userId: string): Promise<KeyedEntry[]> {
    const user = sha256(userId)
    const entries: KeyedEntry[] = []
    for (const hash of this.#users.marked(user)) {
      const entry = this.#entries.load(this.#folder(hash))
      if (entry?.userId === userId) entries.push(entry)
      else this.#users.unmark(user, hash)
    }
    return entries
  }

  async purge(limit: number): Promise<number> {
    const pace = new Pace()
    let removed = 0
    for (let shards = 0; shards < 256; shards++) {
      const shard = this.#purgeNext.toString(16).padStart(2, '0')
      removed += await this.#purgeShard(shard, limit - removed, pace)
      // The next call goes on in this shard.
      if (removed === limit) return removed
      await this.#purgeMarks(shard, pace)
      this.#purgeNext = (this.#purgeNext + 1) % 256
    }
    this.#purgeNew()
    return removed
  }

  #folder(hash: string): string {
    return join(this.#path, hash.slice(0, 2), hash)
  }

  #read(folder: string): StoredEntry | undefined {
    const found = this.#entries.load(folder)
    if (!found) return undefined
    const { value, expiresAt, userId, version } = found
    return { value, expiresAt, userId, version }
  }

  #conflict(folder: string): UpdateResult | undefined {
    const current = this.#read(folder)
    return current && { current }
  }

  #end(folder: string, state: State): boolean {
    const ended = this.#entries.kill(folder, state)
    if (ended) this.#users.unmark(state.user, basename(folder))
    return ended
  }

  async #purgeShard(shard: string, limit: number, pace: Pace): Promise<number> {
    let removed = 0
    for (const hash of list(join(this.#path, shard)).filter(isHash)) {
      if (removed === limit) break
      if (this.#purgeEntry(this.#folder(hash))) removed++
      await pace.step()
    }
    return removed
  }

  #purgeEntry(folder: string): boolean {
    // Again listed first.
    const names = list(folder)
    const state = this.#entries.state(folder)
    if (!state) this.#entries.tidy(folder, names)
    else if (state.expiresAt <= this.#clock()) return this.#end(folder, state)
    else if (names.length > 2) this.#entries.tidyBeside(folder, names, state)
    return false
  }

  /** Marks that do not fit their entry: a crash left them. */
  async #purgeMarks(shard: string, pace: Pace): Promise<void> {
    for (const [user, hash] of this.#users.marks(shard)) {
      if (this.#entries.state(this.#folder(hash))?.user !== user) this.#users.unmark(user, hash)
      await pace.step()
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
