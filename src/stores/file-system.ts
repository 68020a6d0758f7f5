import fs from 'node:fs'
import { crc32 } from 'node:zlib'
import type { Entry, KeyedEntry } from '../store.ts'

/** What {@link list} answers for a folder that is not there. */
export const NOTHING: readonly string[] = []

/** Writes the data file of a state, or nothing. */
export function writeData(path: string, key: string, { value, userId }: Entry, flush: boolean): void {
  const header = JSON.stringify({ key, userId, crc32: crc32(value) })
  try {
    fs.writeFileSync(path, `${header}\n${value}`, { flag: 'wx', mode: 0o600, flush })
  } catch (error) {
    fs.rmSync(path, { force: true })
    throw error
  }
}

/** What the data file of a state holds, or `undefined` when it is missing, cut off or otherwise damaged. */
export function readData(path: string): Pick<KeyedEntry, 'key' | 'value' | 'userId'> | undefined {
  let text = ''
  if (!unlessMissing(() => (text = fs.readFileSync(path, 'utf8')))) return undefined
  const end = text.indexOf('\n')
  const value = text.slice(end + 1)
  try {
    const header = JSON.parse(text.slice(0, end)) as { key: string; userId?: string; crc32: number }
    if (header.crc32 === crc32(value)) return { key: header.key, value, userId: header.userId }
  } catch {
    // Damaged, as the checksum would have told.
  }
  return undefined
}

/** The names in a folder; `NOTHING` itself when there is no such folder. */
export function list(folder: string): readonly string[] {
  let names: readonly string[] = NOTHING
  unlessMissing(() => (names = fs.readdirSync(folder)))
  return names
}

/** Answers false when what it works on is not there. */
export function unlessMissing(work: () => unknown): boolean {
  try {
    work()
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false
    throw error
  }
}

/** What cannot be removed now (a folder in use, a file held open on Windows) is left to the next purge. */
export function leave(work: () => unknown): void {
  try {
    work()
  } catch {
    // As said above.
  }
}

/** Brings the names in a folder to the disk. */
export function syncFolder(folder: string): void {
  // Windows has no such thing for folders.
  if (process.platform === 'win32') return
  const opened = fs.openSync(folder, 'r')
  try {
    fs.fsyncSync(opened)
  } finally {
    fs.closeSync(opened)
  }
}

/** Long work on the file system stops the event loop. This divides it: a millisecond, or sixteen steps, at a time. */
export class Pace {
  #steps = 0
  #since: number = performance.now()

  /** To be called after each step. */
  step(): Promise<void> | undefined {
    this.#steps++
    if (this.#steps < 16 && performance.now() - this.#since < 1) return undefined
    return this.#othersFirst()
  }

  async #othersFirst(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve))
    this.#steps = 0
    this.#since = performance.now()
  }
}
