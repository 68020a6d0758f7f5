import fs from 'node:fs'
import { dirname, join } from 'node:path'
import { isHash, NOBODY } from './file-state.ts'
import { leave, list, syncFolder } from './file-system.ts'

/**
 * Which entries may be bound to which user: an empty file for each, called as the entry, in a folder called as the user.
 * The entry itself has the last word.
 */
export class FileUsers {
  readonly #path: string
  readonly #flush: boolean
  readonly #userOf: (entry: string) => string | undefined

  /** @param userOf tells to whom an entry is bound now */
  constructor(path: string, flush: boolean, userOf: (entry: string) => string | undefined) {
    this.#path = path
    this.#flush = flush
    this.#userOf = userOf
  }

  /**
   * Notes that an entry may be of that user. This is done before the entry says so, so that a crash leaves no entry
   * unmarked, and once more afterwards: `unmark` looks at the entry after it has removed the mark, so whoever of the two
   * comes last, the mark is there.
   */
  mark(user: string, entry: string): void {
    if (user === NOBODY) return
    const mark = join(this.#folder(user), entry)
    // Another process may remove the empty folder as soon as it is made.
    for (let attempt = 1; ; attempt++) {
      try {
        fs.writeFileSync(mark, '', { flag: 'a', mode: 0o600 })
        if (this.#flush) this.#sync(dirname(mark))
        return
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || attempt === 10) throw error
        fs.mkdirSync(dirname(mark), { recursive: true, mode: 0o700 })
      }
    }
  }

  unmark(user: string, entry: string): void {
    if (user === NOBODY) return
    leave(() => fs.unlinkSync(join(this.#folder(user), entry)))
    leave(() => fs.rmdirSync(this.#folder(user)))
    if (this.#userOf(entry) === user) this.mark(user, entry)
  }

  /** The entries that are marked as that user's. */
  marked(user: string): string[] {
    return list(this.#folder(user)).filter(isHash)
  }

  /** The marks of all users whose hash begins with these two digits. */
  *marks(shard: string): Generator<[user: string, entry: string]> {
    for (const user of list(join(this.#path, shard)).filter(isHash)) {
      for (const entry of this.marked(user)) yield [user, entry]
    }
  }

  #sync(folder: string): void {
    for (let path = folder; path !== dirname(this.#path); path = dirname(path)) syncFolder(path)
  }

  #folder(user: string): string {
    return join(this.#path, user.slice(0, 2), user)
  }
}
