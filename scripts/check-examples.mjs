// Compiles every ```ts block of the documentation in strict mode, against the built package as its users import it.
//
// The blocks of one page form one program. A block that begins with a comment such as `// sessions.ts` is that file, and
// other blocks of the page may import it; a second block of that name takes its place from there on. Blocks without a name
// are one file together, each continuing the one before. Lines that a block needs but a reader does not stand before it,
// in a comment of the page: `<!-- before: declare const req: Request -->`.
import { spawnSync } from 'node:child_process'
import {
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { blocksOf } from './page-blocks.ts'
import { packagesIn } from './setup.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const UNNAMED = 'page.ts'
const OPTIONS = {
  target: 'ES2023',
  lib: ['ES2023', 'DOM', 'DOM.Iterable'],
  module: 'nodenext',
  types: ['node'],
  strict: true,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
  verbatimModuleSyntax: true,
  erasableSyntaxOnly: true,
  allowImportingTsExtensions: true,
  moduleDetection: 'force',
  jsx: 'react-jsx',
  // As Nest's own compiler settings have it.
  experimentalDecorators: true,
  skipLibCheck: true,
  noEmit: true,
}
/** Pages for a bundler, which finds modules without their ending. */
const BUNDLED = ['docs/frameworks/next.md']

/** The blocks as folders of files: a new folder whenever a block takes the place of an earlier one. */
function programsOf(blocks) {
  const programs = [new Map()]
  for (const block of blocks) {
    const { name } = block
    const lines = [...block.hidden, ...block.lines]
    const last = programs.at(-1)
    if (name === undefined) last.set(UNNAMED, [...(last.get(UNNAMED) ?? []), ...lines])
    else if (last.has(name)) programs.push(new Map(last).set(name, lines))
    else last.set(name, lines)
  }
  return programs
}

const folder = mkdtempSync(join(tmpdir(), 'sojourn-examples-'))
try {
  process.exitCode = run()
} finally {
  rmSync(folder, { recursive: true })
}

/** The packages of the repository, and of the folders of its tests that have some of their own. */
function linkPackages() {
  const sources = [root, ...packagesIn('test')]
  // What a folder lists goes before what it has for others, which may be another version.
  for (const source of sources) linkThose(source, Object.keys(devDependenciesOf(source)))
  for (const source of sources) {
    linkThose(source, globSync(['[!@.]*', '@*/*'], { cwd: join(source, 'node_modules') }))
  }
}

function linkThose(source, names) {
  for (const name of names) {
    const path = join(folder, 'node_modules', name)
    if (existsSync(path)) continue
    mkdirSync(dirname(path), { recursive: true })
    symlinkSync(join(source, 'node_modules', name), path, 'junction')
  }
}

function devDependenciesOf(packageFolder) {
  const { devDependencies = {} } = JSON.parse(readFileSync(join(packageFolder, 'package.json'), 'utf8'))
  return devDependencies
}

function run() {
  const sources = new Map()
  const pages = ['README.md', 'SECURITY.md', ...globSync('docs/**/*.md', { cwd: root })]
  let count = 0
  for (const page of pages) {
    const blocks = blocksOf(readFileSync(join(root, page), 'utf8')).filter(
      ({ language }) => language === 'ts',
    )
    count += blocks.length
    programsOf(blocks).forEach((program, i) => {
      for (const [name, lines] of program) {
        const file = join(folder, folderOf(page), String(i), name)
        mkdirSync(dirname(file), { recursive: true })
        writeFileSync(file, lines.map(({ code }) => code).join('\n'))
        sources.set(relative(folder, file), { page, lines })
      }
    })
  }
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
  linkPackages()

  const bundled = BUNDLED.map(folderOf)
  const results = [
    compile('all.json', { compilerOptions: OPTIONS, exclude: ['node_modules', ...bundled] }),
    compile('bundled.json', {
      compilerOptions: { ...OPTIONS, module: 'preserve', moduleResolution: 'bundler' },
      include: bundled,
    }),
  ]
  const output = results.map(({ stdout }) => stdout).join('')
  process.stderr.write(
    output.replaceAll(/^(\S+?)\((\d+),(\d+)\)/gm, (all, file, line, column) => {
      const source = sources.get(file)
      return source ? `${source.page}:${source.lines[line - 1].number}:${column}` : all
    }),
  )
  console.log(`${count} examples on ${pages.length} pages`)
  return results.every(({ status }) => status === 0) ? 0 : 1
}

function folderOf(page) {
  return page.replaceAll(/[^\w]/g, '_')
}

function compile(config, content) {
  writeFileSync(join(folder, config), JSON.stringify(content))
  return spawnSync(
    process.execPath,
    [join(root, 'node_modules/typescript/bin/tsc'), '-p', config, '--pretty', 'false'],
    { cwd: folder, encoding: 'utf8' },
  )
}
