import { globSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { blocksOf } from '../../scripts/page-blocks.ts'
import { root } from './packed.ts'

// A page of the documentation as somebody follows it in an empty folder: the files and commands that he sees there.

export interface Page {
  files: Map<string, string>
  /** What the page has installed by npm. */
  packages: string[]
  /** The other commands of the `sh` block that installs, or else of the first one; the last of them serves. */
  commands: string
}

/** The first program of a page, without what its reader does not see. `commands` is empty where none are given. */
export function readPage(page: string): Page {
  const blocks = blocksOf(readFileSync(join(root, page), 'utf8'))
  const files = new Map<string, string>()
  for (const { name, lines } of blocks) {
    if (name && !files.has(name)) files.set(name, lines.map(({ code }) => code).join('\n'))
  }
  const shells = blocks.filter(({ language }) => language === 'sh')
  const { lines } = shells.find(({ lines }) => lines.some(isInstall)) ?? shells[0] ?? { lines: [] }
  return {
    files,
    packages: lines.filter(isInstall).flatMap(({ code }) => code.split(' ').slice(2).filter(isPackage)),
    commands: lines
      .filter((line) => !isInstall(line))
      .map(({ code }) => code)
      .join('\n'),
  }
}

function isInstall({ code }: { code: string }): boolean {
  return code.startsWith('npm install ')
}

function isPackage(argument: string): boolean {
  return !argument.startsWith('-')
}

/**
 * Puts a page's files and packages into a folder: Sojourn as it is installed from its tarball, others as the repository has
 * them. `npm install` would do the same, from the network.
 * @throws when the repository has no such package.
 */
export function layOut(page: Page, folder: string, app: string): void {
  for (const [name, code] of page.files) {
    const file = join(folder, name)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, `${code}\n`)
  }
  link(join(app, 'node_modules/.bin'), join(folder, 'node_modules/.bin'))
  for (const name of page.packages) {
    const source = name === 'sojourn' ? join(app, 'node_modules/sojourn') : findPackage(name)
    link(source, join(folder, 'node_modules', name))
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
  const { devDependencies = {} } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  return devDependencies
}

export function link(source: string, path: string): void {
  mkdirSync(dirname(path), { recursive: true })
  symlinkSync(source, path, 'junction')
}
