import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { inject } from 'vitest'

// The package as its users get it: built, packed and installed in an empty folder, once for all test files of a run.

export const root = fileURLToPath(new URL('../..', import.meta.url))

const PAPERS = ['package.json', 'README.md', 'CHANGELOG.md', 'SECURITY.md', 'LICENSE']

interface Packed {
  /** The folder that the tarball is installed in. */
  app: string
  /** What the tarball holds. */
  files: { path: string; mode: number }[]
}

/**
 * Packs and installs the package, or waits for the test file that does.
 * @throws what the build or npm said, in every file that asks.
 */
export async function packed(): Promise<Packed> {
  const folder = inject('packFolder')
  const result = join(folder, 'result.json')
  if (isFirst(folder)) {
    writeFileSync(`${result}.part`, JSON.stringify(attempt(folder)))
    renameSync(`${result}.part`, result)
  }
  while (!existsSync(result)) await setTimeout(100)
  const { error, ...answer } = JSON.parse(readFileSync(result, 'utf8'))
  if (error) throw new Error(error)
  return answer
}

function isFirst(folder: string): boolean {
  try {
    mkdirSync(join(folder, 'source'))
    return true
  } catch {
    return false
  }
}

function attempt(folder: string): Packed | { error: string } {
  try {
    return pack(folder)
  } catch (error) {
    const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string }
    return { error: `${error}\n${stdout}${stderr}` }
  }
}

function pack(folder: string): Packed {
  const source = join(folder, 'source')
  const app = join(folder, 'app')
  mkdirSync(app)
  // A build of its own: dist may be in use by other tests, and may be older than the sources.
  execFileSync(process.execPath, [join(root, 'scripts/build.mjs'), join(source, 'dist')], {
    encoding: 'utf8',
    stdio: 'pipe',
  })
  // The sources go along, for the tarball to leave them out.
  for (const path of [...PAPERS, 'src', 'scripts']) {
    cpSync(join(root, path), join(source, path), { recursive: true })
  }
  const [report] = JSON.parse(npm(source, 'pack', '--json', '--ignore-scripts', '--pack-destination', folder))
  writeFileSync(join(app, 'package.json'), '{ "private": true, "type": "module" }')
  npm(app, 'install', '--prefer-offline', '--no-audit', '--no-fund', join(folder, report.filename))
  return { app, files: report.files }
}

function npm(cwd: string, ...args: string[]): string {
  return execFileSync('npm', args, {
    cwd,
    encoding: 'utf8',
    stdio: 'pipe',
    shell: process.platform === 'win32',
  })
}
