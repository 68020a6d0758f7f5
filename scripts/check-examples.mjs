// Compiles every ```ts block of the documentation in strict mode, against the built package as its users import it.
//
// The blocks of one page form one program. A block that begins with a comment such as `// sessions.ts` is that file, and
// other blocks of the page may import it; a second block of that name takes its place from there on. Blocks without a name
// are one file together, each continuing the one before. Lines that a block needs but a reader does not stand before it,
// in a comment of the page: `<!-- before: declare const req: Request -->`.
import { spawnSync } from 'node:child_process'
import { globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const BLOCK = /(?:<!-- before:([\s\S]*?)-->\s*\n)?^```ts\n([\s\S]*?)^```$/gm
const FILE_NAME = /^\/\/ ([\w./-]+\.ts)\b/
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
  skipLibCheck: true,
  noEmit: true,
}

/** The blocks of a page: their file's name, if they have one, and their lines, with the number of each in the page. */
function blocksOf(page) {
  const text = readFileSync(join(root, page), 'utf8')
  const numbered = (part, start) => {
    const first = text.slice(0, start).split('\n').length
    return part.split('\n').map((code, i) => ({ code, number: first + i }))
  }
  return [...text.matchAll(BLOCK)].map((match) => {
    const [whole, before = '', code] = match
    const start = match.index + whole.indexOf('```ts\n') + '```ts\n'.length
    return {
      name: FILE_NAME.exec(code)?.[1],
      lines: [...(before ? numbered(before, match.index) : []), ...numbered(code.trimEnd(), start)],
    }
  })
}

/** The blocks as folders of files: a new folder whenever a block takes the place of an earlier one. */
function programsOf(blocks) {
  const programs = [new Map()]
  for (const { name, lines } of blocks) {
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

function run() {
  const sources = new Map()
  const pages = ['README.md', 'SECURITY.md', ...globSync('docs/**/*.md', { cwd: root })]
  let count = 0
  for (const page of pages) {
    const blocks = blocksOf(page)
    count += blocks.length
    programsOf(blocks).forEach((program, i) => {
      for (const [name, lines] of program) {
        const file = join(folder, page.replaceAll(/[^\w]/g, '_'), String(i), name)
        mkdirSync(dirname(file), { recursive: true })
        writeFileSync(file, lines.map(({ code }) => code).join('\n'))
        sources.set(relative(folder, file), { page, lines })
      }
    })
  }
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions: OPTIONS }))
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'), 'junction')

  const { status, stdout } = spawnSync(
    process.execPath,
    [join(root, 'node_modules/typescript/bin/tsc'), '-p', folder, '--pretty', 'false'],
    { cwd: folder, encoding: 'utf8' },
  )
  process.stderr.write(
    stdout.replaceAll(/^(\S+?)\((\d+),(\d+)\)/gm, (all, file, line, column) => {
      const source = sources.get(file)
      return source ? `${source.page}:${source.lines[line - 1].number}:${column}` : all
    }),
  )
  console.log(`${count} examples on ${pages.length} pages`)
  return status ?? 1
}
