import fs from 'node:fs'
import { basename, dirname, join } from 'node:path'
import type { Entry, KeyedEntry } from '../store.ts'
import { dataFile, parseData, parseToken, type State, tokenFile } from './file-state.ts'
import { leave, list, NOTHING, readData, syncFolder, unlessMissing, writeData } from './file-system.ts'

/** How a rename fails when there is a folder already; on Windows an empty one, too. */
const IN_THE_WAY = new Set(['ENOTEMPTY', 'EEXIST', 'EPERM'])

/**
 * The folders of the entries. Each has two files. The _data_ file of a state holds the value and never changes. The
 * empty _token_ file says by its name which state is the current one, when it expires and whose it is. To replace a
 * state is to write the next data file and to rename the token: of several processes one finds the old name, the others
 * find nothing and have lost. So there is no lock that a crash could leave behind.
 */
export class FileEntries {
  readonly #flush: boolean
  readonly #clock: () => number

  /** @param flush whether everything is brought to the disk at once */
  constructor(flush: boolean, clock: () => number) {
    this.#flush = flush
    this.#clock = clock
  }

  /** The entry of a folder, unless it has expired. */
  load(folder: string): KeyedEntry | undefined {
    let last: State | undefined
    for (;;) {
      const state = this.state(folder)
      if (!state || state.expiresAt <= this.#clock()) return undefined
      const data = readData(dataFile(folder, state))
      if (data) return { ...data, expiresAt: state.expiresAt, version: state.name }
      // Either it was replaced between the two steps, or its data is damaged: then there is no session any more.
      if (state.name === last?.name) return undefined
      last = state
    }
  }

  /** The current state, expired or not. */
  state(folder: string): State | undefined {
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
  replace(folder: string, state: State, next: State, key: string, entry: Entry): boolean {
    const data = dataFile(folder, next)
    if (!unlessMissing(() => writeData(data, key, entry, this.#flush))) return false
    let replaced = false
    try {
      replaced = unlessMissing(() => fs.renameSync(tokenFile(folder, state), tokenFile(folder, next)))
    } finally {
      if (!replaced) this.tidy(folder, [basename(data)])
    }
    if (replaced && this.#flush) syncFolder(folder)
    return replaced
  }

  /** Puts a folder that is ready in its place. Answers false when there is a live entry. */
  install(made: string, folder: string): boolean {
    for (let attempt = 1; ; attempt++) {
      const inTheWay = this.#tryInstall(made, folder)
      if (!inTheWay) return true
      if (attempt === 100) throw inTheWay
      // Listed before the look at the state, so that it holds nothing that came afterwards.
      const names = list(folder)
      const state = this.state(folder)
      if (!state) this.tidy(folder, names)
      else if (this.#alive(folder, state)) return false
      else this.kill(folder, state)
    }
  }

  /** Whether a state has an entry. It is that very state that is ended otherwise, never what has come after it. */
  #alive(folder: string, state: State): boolean {
    return this.#clock() < state.expiresAt && readData(dataFile(folder, state)) !== undefined
  }

  #tryInstall(made: string, folder: string): NodeJS.ErrnoException | undefined {
    const shard = dirname(folder)
    try {
      if (fs.mkdirSync(shard, { recursive: true, mode: 0o700 }) && this.#flush) syncFolder(dirname(shard))
      fs.renameSync(made, folder)
      if (this.#flush) syncFolder(shard)
      return undefined
    } catch (error) {
      const reason = error as NodeJS.ErrnoException
      if (IN_THE_WAY.has(reason.code ?? '')) return reason
      throw error
    }
  }

  /** Ends an entry, if that is its state. What another process is about to replace this state with ends with it. */
  kill(folder: string, state: State): boolean {
    const names = list(folder)
    if (!unlessMissing(() => fs.unlinkSync(tokenFile(folder, state)))) return false
    if (this.#flush) syncFolder(folder)
    this.tidy(folder, names)
    return true
  }

  /** Removes the data of states that are over or never were, and the folder when nothing else is in it. */
  tidy(folder: string, names: readonly string[]): void {
    for (const name of names) if (parseData(name)) leave(() => fs.unlinkSync(join(folder, name)))
    leave(() => fs.rmdirSync(folder))
  }

  /** Removes the data of those who came second: it is not current, nor can it follow what is. */
  tidyBeside(folder: string, names: readonly string[], current: State): void {
    for (const name of names) {
      const data = parseData(name)
      if (!data || data.id === current.id || data.parent === current.id) continue
      leave(() => fs.unlinkSync(join(folder, name)))
    }
  }
}
