// How large each entry point is when a bundler has made it small: what a function or worker loads when it starts.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { brotliCompressSync, gzipSync } from 'node:zlib'
import { type ExternalOption, rolldown } from 'rolldown'

/** Bytes of one entry point with all of ours that it loads, and of what its dependencies add to that. */
export interface Size {
  entry: string
  minified: number
  gzip: number
  brotli: number
  dependencies: { minified: number; gzip: number; brotli: number }
}

const root = fileURLToPath(new URL('..', import.meta.url))

/**
 * The sizes of all entry points, in the order of the manifest.
 * @param folder - the package, built, with its dependencies beside it or above
 */
export async function sizesOf(folder: string): Promise<Size[]> {
  const { exports, dependencies, peerDependencies } = JSON.parse(
    readFileSync(join(folder, 'package.json'), 'utf8'),
  )
  const peers = outside(Object.keys(peerDependencies))
  const others = outside([...Object.keys(peerDependencies), ...Object.keys(dependencies)])
  const sizes: Size[] = []
  for (const [path, target] of Object.entries<{ default?: string }>(exports)) {
    if (!target.default) continue
    const file = join(folder, target.default)
    const [all, own] = await Promise.all([bundle(file, peers), bundle(file, others)])
    sizes.push({
      entry: `sojourn${path.slice(1)}`,
      ...own,
      dependencies: {
        minified: all.minified - own.minified,
        gzip: all.gzip - own.gzip,
        brotli: all.brotli - own.brotli,
      },
    })
  }
  return sizes
}

/** What is left out of a bundle: modules of Node, and these packages. */
function outside(packages: string[]): ExternalOption {
  return [/^node:/, ...packages.map((name) => new RegExp(`^${name}(/|$)`))]
}

async function bundle(input: string, external: ExternalOption) {
  const build = await rolldown({ input, external, logLevel: 'silent' })
  // What is imported lazily, such as the store that a URL asks for, is not loaded at the start.
  const { output } = await build.generate({ format: 'esm', minify: true })
  await build.close()
  const chunks = new Map(output.flatMap((file) => (file.type === 'chunk' ? [[file.fileName, file]] : [])))
  const loaded = new Set([output[0].fileName])
  for (const name of loaded) for (const other of chunks.get(name)?.imports ?? []) loaded.add(other)
  const code = [...loaded].map((name) => chunks.get(name)?.code ?? '').join('')
  return {
    minified: Buffer.byteLength(code),
    gzip: gzipSync(code, { level: 9 }).length,
    brotli: brotliCompressSync(code).length,
  }
}

/** What the core should be one day at most, in bytes by brotli. */
const AIM = 8000

/** The page of sizes, as `npm run size` writes it. */
export function pageOf(sizes: Size[]): string {
  const rows = sizes.map(({ entry, minified, gzip, brotli, dependencies }) => {
    const cells = [
      entry,
      minified,
      gzip,
      brotli,
      dependencies.minified,
      dependencies.gzip,
      dependencies.brotli,
    ]
    return `| ${cells.join(' | ')} |`
  })
  const core = sizes.find(({ entry }) => entry === 'sojourn')?.brotli ?? 0
  const aim = `The aim for the core is ${AIM} bytes by brotli, its dependencies apart: ${core > AIM ? 'not met yet' : 'met'}.`
  return `# Size

Bytes of each entry point by itself, with all of Sojourn that it loads, bundled and minified by rolldown: what a worker or a function
loads when it starts. What the dependencies add (\`@noble/ciphers\`, \`@noble/hashes\`, \`devalue\`) is counted apart. Entry points share most
of this: two of them are smaller than their sum. Modules of Node and clients of databases are not in it.

The page is written by \`npm run size\`; a test fails when an entry point has grown by more than a tenth.

${aim}

| entry point | minified | gzip | brotli | dependencies, minified | gzip | brotli |
|---|---|---|---|---|---|---|
${rows.join('\n')}
`
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const page = pageOf(await sizesOf(root))
  writeFileSync(join(root, 'docs/size.md'), page)
  console.log(page)
}
