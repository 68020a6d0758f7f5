import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { findNode20 } from './node20.ts'
import { packed, root } from './packed.ts'

const manifest: {
  version: string
  bin: Record<string, string>
  exports: Record<string, { types: string; default: string } | string>
} = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))

/** What a user writes to import each entry: `sojourn`, `sojourn/sqlite`, ... */
const entries = Object.entries(manifest.exports)
  .filter(([, target]) => typeof target === 'object')
  .map(([path]) => `sojourn${path.slice(1)}`)

let app: string
let files: { path: string; mode: number }[]

beforeAll(async () => {
  ;({ app, files } = await packed())
})

describe('the tarball', () => {
  it('holds the build and the papers, and nothing more', () => {
    const papers = ['CHANGELOG.md', 'LICENSE', 'README.md', 'SECURITY.md', 'package.json']
    const others = paths().filter((file) => !/^dist\/[\w/-]+(\.js|\.js\.map|\.d\.ts)$/.test(file))
    expect(others.sort()).toEqual(papers)
  })

  it('marks the command as executable', () => {
    for (const path of trimmed(Object.values(manifest.bin))) {
      const mode = files.find((file) => file.path === path)?.mode ?? 0
      expect(mode & 0o111).toBe(0o111)
      expect(readFileSync(join(app, 'node_modules/sojourn', path), 'utf8')).toMatch(
        /^#!\/usr\/bin\/env node\n/,
      )
    }
  })

  it('holds what the exports and the command lead to', () => {
    const targets = Object.values(manifest.exports).flatMap((target) =>
      typeof target === 'string' ? [target] : Object.values(target),
    )
    expect(paths()).toEqual(expect.arrayContaining(trimmed([...targets, ...Object.values(manifest.bin)])))
  })
})

describe.each([
  ['Node 20', findNode20()],
  ['the Node of the tools', process.execPath],
])('installed in an empty folder, on %s', (_name, node) => {
  it.skipIf(!node)('import and require of every entry give the same', () => {
    const script = `
      import { createRequire } from 'node:module'
      const require = createRequire(import.meta.url)
      const names = (exported) => Object.keys(exported).filter((name) => name !== '__esModule').sort()
      const found = {}
      for (const entry of ${JSON.stringify(entries)}) {
        found[entry] = { required: names(require(entry)), imported: names(await import(entry)) }
      }
      console.log(JSON.stringify(found))`
    const found: Record<string, { imported: string[]; required: string[] }> = JSON.parse(
      run(node, ['--input-type=module', '-e', script]),
    )
    expect(Object.keys(found)).toEqual(entries)
    for (const [entry, { imported, required }] of Object.entries(found)) {
      expect(imported, entry).not.toEqual([])
      expect(required, entry).toEqual(imported)
    }
  })

  it.skipIf(!node)('is required by a program of CommonJS', () => {
    const path = join(app, 'visit.cjs')
    writeFileSync(
      path,
      `const { createSessions } = require('sojourn')
      const { nodeSession } = require('sojourn/node')
      const sessions = createSessions()
      nodeSession(sessions, () => {})
      sessions.open({ secure: false }).session().then((session) => {
        console.log(session.update('num_visits', (n = 0) => n + 1))
        return sessions.close()
      })`,
    )
    expect(run(node, [path])).toBe('1\n')
  })

  it.skipIf(!node)('counts a visit', () => {
    const script = `
      import { createSessions } from 'sojourn'
      const sessions = createSessions()
      const visit = sessions.open({ cookie: undefined, secure: false })
      const session = await visit.session()
      console.log(session.update('num_visits', (n = 0) => n + 1))
      await sessions.close()`
    expect(run(node, ['--input-type=module', '-e', script])).toBe('1\n')
  })

  it.skipIf(!node)('has a command that runs', () => {
    const command = join(app, 'node_modules/.bin/sojourn')
    expect(run(node, [command, '--version'])).toBe(`${manifest.version}\n`)
    const path = mkdtempSync(join(app, 'sessions-'))
    const script = `
      import { fileStore } from 'sojourn/file'
      await fileStore(process.argv[1]).create('key', { value: 'x', expiresAt: Date.now() + 1, userId: undefined })
      await new Promise((resolve) => setTimeout(resolve, 5))`
    run(node, ['--input-type=module', '-e', script, path])
    expect(run(node, [command, 'purge', `file:${path}`])).toBe('1 expired session removed\n')
  })
})

describe('the types, library check included', () => {
  it('of the core, the embedded stores and the adapters of the Fetch standard need the types of the web platform alone', () => {
    const portable = ['memory', 'sqlite', 'file', 'fetch', 'hono'].map((entry) => `sojourn/${entry}`)
    expect(compile(['sojourn', ...portable], [])).toBe('')
  })

  it('of all entries compile beside those of Node', () => {
    expect(compile(entries, ['node'])).toBe('')
  })
})

/** What the compiler says about a strict program that imports the entries. */
function compile(imports: string[], types: string[]): string {
  const program = join(app, `types-${types.length}`)
  mkdirSync(program)
  // The types of Node that the project develops with; the application has none installed.
  if (types.length > 0) {
    mkdirSync(join(program, 'node_modules/@types'), { recursive: true })
    for (const name of ['@types/node', 'undici-types']) {
      symlinkSync(join(root, 'node_modules', name), join(program, 'node_modules', name), 'junction')
    }
  }
  const lines = imports.map((entry, i) => `export * as entry${i} from '${entry}'`)
  writeFileSync(join(program, 'index.ts'), lines.join('\n'))
  const compilerOptions = {
    strict: true,
    module: 'nodenext',
    // A program without those of Node has the web's, as in Deno, Bun or a worker.
    lib: types.length > 0 ? ['ES2023'] : ['ES2023', 'DOM', 'DOM.Iterable'],
    types,
    skipLibCheck: false,
    noEmit: true,
  }
  writeFileSync(join(program, 'tsconfig.json'), JSON.stringify({ compilerOptions }))
  const tsc = join(root, 'node_modules/typescript/bin/tsc')
  const { stdout } = spawnSync(process.execPath, [tsc, '-p', program, '--pretty', 'false'], {
    encoding: 'utf8',
  })
  return stdout
}

function run(node: string | undefined, args: string[]): string {
  const { status, stdout, stderr } = spawnSync(node ?? 'node', args, { cwd: app, encoding: 'utf8' })
  if (status !== 0) throw new Error(`It ended with ${status}: ${stderr}`)
  return stdout
}

function paths(): string[] {
  return files.map(({ path }) => path)
}

function trimmed(paths: string[]): string[] {
  return paths.map((path) => path.replace(/^\.\//, ''))
}
