import { globSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { blocksOf } from '../../scripts/page-blocks.ts'
import { root } from './packed.ts'

// A page of the documentation as somebody follows it in an empty folder: the files and commands that he sees there.

/** A way to begin that a page shows. */
export interface Way {
  /** The program that is served, and what it imports of the page, by the names of the files; or all, if a framework serves. */
  files: Map<string, string>
  /** What is installed by npm. */
  packages: string[]
  /** The other commands; the last of them serves. */
  commands: string
  /** Whether the compiler knows all names in it: else the page declares some behind its reader's back, of a runtime's own. */
  isDeclared: boolean
}

/**
 * What a page has one do, without what its reader does not see: one way for each `sh` block that installs, else for the first one.
 * @param site - the rest of the site, for a page that has only a part of it
 */
export function waysOf(page: string, site?: Way): Way[] {
  const blocks = blocksOf(readFileSync(join(root, page), 'utf8'))
  const files = new Map(site?.files)
  // The first block of a name counts; others show what might stand in its place.
  for (const { name, code } of blocks.toReversed()) if (name) files.set(name, code)
  const undeclared = blocks.filter(({ hidden }) => hidden.length > 0).map(({ name }) => name)
  const shells = blocks.filter(({ language }) => language === 'sh').map(({ code }) => code.split('\n'))
  const installing = shells.filter((lines) => lines.some(isInstall))
  const [first = []] = shells
  return (installing.length > 0 ? installing : [first]).map((lines) => {
    const commands = lines.filter((line) => !isInstall(line)).join('\n') || (site?.commands ?? '')
    const packages = lines.filter(isInstall).flatMap((line) => line.split(' ').slice(2).filter(isPackage))
    const main = mainOf(commands)
    return {
      // A framework that serves finds its files by itself.
      files: files.has(main) ? reach(files, main) : files,
      packages: [...new Set([...(site?.packages ?? []), ...packages])],
      commands,
      isDeclared: !undeclared.includes(main),
    }
  })
}

/** The file that the last command runs, as the page has it. */
export function mainOf(commands: string): string {
  return (commands.split(/\s/).at(-1) ?? '').replace(/\.js$/, '.ts')
}

/** A file and all that it imports, in turn. */
function reach(files: Map<string, string>, name: string, reached = new Map<string, string>()) {
  const code = files.get(name)
  if (code === undefined || reached.has(name)) return reached
  reached.set(name, code)
  for (const [, other = ''] of code.matchAll(/ from '\.\/([\w./-]+)'/g)) reach(files, other, reached)
  return reached
}

function isInstall(command: string): boolean {
  return command.startsWith('npm install ')
}

function isPackage(argument: string): boolean {
  return !argument.startsWith('-')
}

/**
 * Puts files and packages into a folder: Sojourn as it is installed from its tarball, others as the repository has
 * them. `npm install` would do the same, from the network.
 * @throws when the repository has no such package.
 */
export function layOut({ files, packages }: Way, folder: string, app: string): void {
  for (const [name, code] of files) {
    const file = join(folder, name)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, `${code}\n`)
  }
  for (const name of packages) {
    const source = name === 'sojourn' ? join(app, 'node_modules/sojourn') : findPackage(name)
    link(source, join(folder, 'node_modules', name))
    const { bin = {} } = manifestOf(source)
    for (const [command, file] of Object.entries(typeof bin === 'string' ? { [name]: bin } : bin)) {
      link(join(source, file), join(folder, 'node_modules/.bin', command))
    }
  }
}

/**
 * Where the repository has a package: its own, or of the folders below `test` that have some.
 * @param first - the folder to look into before all others
 */
export function findPackage(name: string, first = root): string {
  const folders = [
    first,
    root,
    ...globSync('test/{*,*/*}/package.json', { cwd: root }).map((file) => join(root, dirname(file))),
  ]
  // Not whichever has it: others may have it in another version, as a dependency of something else.
  const found = folders.find((folder) => name in devDependenciesOf(folder))
  if (!found) throw new Error(`No package.json of the repository lists ${name}`)
  return join(found, 'node_modules', name)
}

function devDependenciesOf(folder: string): object {
  return manifestOf(folder).devDependencies ?? {}
}

function manifestOf(folder: string): { bin?: string | Record<string, string>; devDependencies?: object } {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
}

export function link(source: string, path: string): void {
  mkdirSync(dirname(path), { recursive: true })
  symlinkSync(source, path, 'junction')
}
