// Compiles every ```ts block of the documentation in strict mode, against the built package as its users import it.
//
// The blocks of one page form one program. A block that begins with a comment such as `// sessions.ts` is that file, and
// later blocks of the page may import it; a second block of that name takes its place from there on. Lines that a block
// needs but a reader does not stand before it, in a comment of the page: `<!-- before: declare const req: Request -->`.
import { spawnSync } from 'node:child_process'
import { globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const BLOCK = /(?:<!-- before:([\s\S]*?)-->\s*\n)?^```ts\n([\s\S]*?)^```$/gm
const FILE_NAME = /^\/\/ ([\w./-]+\.ts)\b/
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

/** The blocks of a page: file name, code, and how far the code's lines lie behind those of the page. */
function blocksOf(page) {
  const text = readFileSync(join(root, page), 'utf8')
  return [...text.matchAll(BLOCK)].map((match, i) => {
    const [whole, before = '', code] = match
    const firstLine = text.slice(0, match.index + whole.indexOf('```ts\n')).split('\n').length + 1
    const lead = before.trim() === '' ? '' : `${before.trim()}\n`
    const name = FILE_NAME.exec(code)?.[1] ?? `block-${i + 1}.ts`
    return { name, code: lead + code, offset: firstLine - lead.split('\n').length }
  })
}

/** The blocks as folders of files: a new folder whenever a block takes the place of an earlier one. */
function programsOf(blocks) {
  const programs = [new Map()]
  for (const block of blocks) {
    const last = programs.at(-1)
    if (last.has(block.name)) programs.push(new Map(last).set(block.name, block))
    else last.set(block.name, block)
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
  for (const page of pages) {
    programsOf(blocksOf(page)).forEach((program, i) => {
      for (const { name, code, offset } of program.values()) {
        const file = join(folder, page.replaceAll(/[^\w]/g, '_'), String(i), name)
        mkdirSync(dirname(file), { recursive: true })
        writeFileSync(file, code)
        sources.set(relative(folder, file), { page, offset })
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
      return source ? `${source.page}:${Number(line) + source.offset}:${column}` : all
    }),
  )
  console.log(`${sources.size} examples on ${pages.length} pages`)
  return status ?? 1
}
