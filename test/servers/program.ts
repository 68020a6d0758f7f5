import { accessSync, constants, existsSync, readdirSync } from 'node:fs'
import { homedir } from 'node:os'
import { delimiter, join } from 'node:path'
import { describe, it } from 'vitest'

// As scripts/newer-debian.sh has it.
const cache =
  process.getuid?.() === 0 ? '/var/cache' : (process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'))
const UNPACKED = process.env['SOJOURN_SERVERS'] ?? join(cache, 'sojourn', 'servers')

/** A program that tests run but npm does not bring. */
export interface Program {
  name: string
  /** The Debian package that has it; of another suite, all packages that it takes. */
  debian: string
  /** The Debian suite that has it, and the name of the folder that `scripts/newer-debian.sh` unpacks it into. */
  newer?: { suite: string; folder: string }
  /** A folder outside the PATH where it may be; `*` stands for a version. */
  folder?: string
}

/** The path of the program; the newest version where there are several. `undefined` when the machine has none. */
export function find({ name, folder, newer }: Program): string | undefined {
  if (newer) return [join(UNPACKED, newer.folder, 'bin', name)].find(isExecutable)
  const folders = (process.env['PATH'] ?? '').split(delimiter).concat('/usr/sbin', '/usr/local/sbin')
  if (folder) folders.unshift(...versionsOf(folder))
  return folders.map((path) => join(path, name)).find(isExecutable)
}

/** The path of a program that is known to be there. */
export function path(program: Program): string {
  const found = find(program)
  if (!found) throw new Error(needs(program))
  return found
}

/**
 * Describes tests that need programs. Where one is missing, a person sees which command installs it, and the tests are
 * skipped; with `CI=true` that is a failure.
 */
export function describeWith(programs: readonly Program[], name: string, body: () => void): void {
  const missing = programs.find((program) => !find(program))
  if (!missing) {
    describe(name, body)
    return
  }
  if (process.env['CI'] === 'true') {
    it(`${name}: ${needs(missing)}`, () => {
      throw new Error(needs(missing))
    })
    return
  }
  describe.skip(`${name} (${needs(missing)})`, body)
}

function needs({ name, debian, newer }: Program): string {
  if (newer) return `needs ${newer.folder}: scripts/newer-debian.sh ${newer.suite} ${newer.folder} ${debian}`
  return `needs ${name}: apt-get install ${debian}`
}

function versionsOf(folder: string): string[] {
  const [before = '', after = ''] = folder.split('*')
  if (!folder.includes('*') || !existsSync(before)) return [folder]
  const versions = readdirSync(before).sort((a, b) => Number.parseFloat(b) - Number.parseFloat(a))
  return versions.map((version) => before + version + after)
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}
