import { execFile } from 'node:child_process'
import { cpSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { packed, root } from './packed.ts'
import { findPackage, link } from './pages.ts'

// The programs of `test/types` and `test/frameworks`, compiled against the types in the tarball as users compile theirs, by each
// TypeScript since 5.4: where a mistake would compile, or our declarations cannot be read, it fails. Library check included, for
// what is ours.

const VERSIONS = ['5.4', '5.5', '5.6', '5.7', '5.8', '5.9', '6.0', '7.0']
/** Those that compile the programs of frameworks with large types, too: the oldest and the newest. */
const ENDS = ['5.4', '7.0']
/** Our declarations, and the programs that use them. */
const OURS = '/(programs|programs-at-ends|programs-by-bundlers|beside|node_modules/sojourn)/'
/** Packages whose types are in one of their own, which is all that a compiler needs of them. */
const TYPED_APART = ['node', 'express', 'express-session', 'koa', 'koa-session']

const manifest: { exports: Record<string, { types?: string }> } = JSON.parse(
  readFileSync(join(root, 'package.json'), 'utf8'),
)
/** What a user writes for a file of the sources that is an entry. */
const entries = new Map(
  Object.entries(manifest.exports).map(([path, { types = '' }]) => [
    types.replace('./dist/', '').replace('.d.ts', '.ts'),
    `sojourn${path.slice(1)}`,
  ]),
)

// Where `test/typescript/package.json` has the compilers and the other session packages.
const tools = join(root, 'test/typescript')

let folder: string

beforeAll(async () => {
  const { app } = await packed()
  folder = mkdtempSync(join(tmpdir(), 'sojourn-typescript-'))
  for (const kind of ['programs', 'programs-at-ends', 'programs-by-bundlers']) mkdirSync(join(folder, kind))
  for (const file of globSync('test/types/*.ts', { cwd: root })) {
    writeFileSync(join(folder, 'programs', basename(file)), asUser(file))
  }
  for (const file of globSync('test/frameworks/*/types.ts', { cwd: root })) {
    writeFileSync(join(folder, 'programs-at-ends', `${basename(dirname(file))}.ts`), asUser(file))
  }
  cpSync(join(root, 'test/frameworks/next/mistakes.ts'), join(folder, 'programs-by-bundlers/next.ts'))
  cpSync(join(import.meta.dirname, 'beside'), join(folder, 'beside'), { recursive: true })
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
  link(join(app, 'node_modules/sojourn'), join(folder, 'node_modules/sojourn'))
  const imported = globSync('{programs*,beside}/*.ts', { cwd: folder }).flatMap(packagesOf)
  for (const name of new Set(['@types/node', ...imported])) {
    // Those installed here go first: what they add to a framework's types must be added to the ones in use.
    link(findPackage(name, tools), join(folder, 'node_modules', name))
  }
})
afterAll(() => rmSync(folder, { recursive: true }))

describe.each(VERSIONS)('TypeScript %s', (version) => {
  it('finds the mistakes in the programs and no others, with moduleResolution nodenext and bundler', async () => {
    const configs = ['nodenext', 'bundler'].map((moduleResolution) =>
      configured(['programs', ...(ENDS.includes(version) ? atEnds(moduleResolution) : [])], {
        module: moduleResolution === 'bundler' ? 'esnext' : moduleResolution,
        moduleResolution,
        exactOptionalPropertyTypes: true,
        // Decorators of parameters, which are Nest's, are of this kind only.
        experimentalDecorators: true,
        skipLibCheck: false,
      }),
    )
    expect(await compile(version, configs)).toEqual(['', ''])
  })
})

// The other package's declarations are not ours to check.
it.each(ENDS)(
  'TypeScript %s keeps our sessions apart from those of express-session, koa-session, hono-sessions and Fastify plugins',
  async (version) => {
    const configs = globSync('beside/*.ts', { cwd: folder }).map((file) =>
      configured([file], { module: 'nodenext', skipLibCheck: true }),
    )
    expect(await compile(version, configs)).toEqual(['', ''])
  },
  300_000,
)

/** What else is compiled: `next/headers` is found by that of bundlers only, which Next's own settings have. */
function atEnds(moduleResolution: string): string[] {
  return moduleResolution === 'bundler' ? ['programs-at-ends', 'programs-by-bundlers'] : ['programs-at-ends']
}

/** A program as one writes it outside of the repository. */
function asUser(file: string): string {
  return readFileSync(join(root, file), 'utf8').replaceAll(
    /'(?:\.\.\/)+src\/([\w/-]+\.ts)'/g,
    (_, source) => {
      const entry = entries.get(source)
      if (!entry) throw new Error(`${file} imports src/${source}, which users cannot`)
      return `'${entry}'`
    },
  )
}

/** The packages with the types of what a program imports, but our own. */
function packagesOf(file: string): string[] {
  const code = readFileSync(join(folder, file), 'utf8')
  return [...code.matchAll(/ from '((?:@[\w-]+\/)?[\w-]+)/g)]
    .map(([, name = '']) => (TYPED_APART.includes(name) ? `@types/${name}` : name))
    .filter((name) => name !== 'sojourn')
}

/** Makes a project. @returns the path of its configuration */
function configured(include: string[], options: Record<string, string | boolean>): string {
  const name = [...include, ...Object.values(options)].join('-').replaceAll(/\W/g, '-')
  const file = join(folder, `${name}.json`)
  const common = { target: 'es2022', lib: ['es2023'], types: ['node'], strict: true, noEmit: true }
  writeFileSync(file, JSON.stringify({ compilerOptions: { ...common, ...options }, include }))
  return file
}

/** What a compiler says of what is ours, in each of the projects. */
async function compile(version: string, configs: string[]): Promise<string[]> {
  if (version === '7.0') return await Promise.all(configs.map(compileBy7))
  const compiler = join(tools, 'node_modules', `typescript${version.replace('.', '')}`)
  const stdout = await run(join(tools, 'compile.mjs'), compiler, OURS, ...configs)
  const answer: { version: string; projects: { files: number; text: string }[] } = JSON.parse(stdout)
  expect(answer.version).toMatch(`${version}.`)
  return answer.projects.map(({ files, text }) => seen(files, text))
}

/** TypeScript 7 has no interface for programs, and is so fast that it may look at all files. */
async function compileBy7(config: string): Promise<string> {
  const tsc = join(root, 'node_modules/typescript/bin/tsc')
  const lines = (await run(tsc, '-p', config, '--pretty', 'false', '--listFiles')).split('\n')
  const ours = lines.filter((line) => new RegExp(OURS).test(`/${line}`) || line.startsWith('error '))
  const mistakes = ours.filter((line) => /(^|: )error /.test(line))
  return seen(ours.length - mistakes.length, mistakes.join('\n'))
}

/** A compiler that looked at none of our declarations would find nothing wrong. */
function seen(files: number, text: string): string {
  expect(files).toBeGreaterThan(10)
  return text
}

function run(...args: string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(process.execPath, args, { cwd: folder, maxBuffer: 2 ** 26 }, (error, stdout, stderr) => {
      // A compiler that finds a mistake ends with 1 or 2, too.
      if (error && stdout === '') reject(new Error(`${error.message}${stderr}`))
      else resolve(stdout)
    })
  })
}
