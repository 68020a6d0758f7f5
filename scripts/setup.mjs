// Sets up what is missing: the dependencies, and the build of the library. Plain JavaScript without dependencies, since it
// runs before there are any, on whatever Node the machine has. Prints nothing when there is nothing to do.
// What only some tests or measurements need is listed in folders of their own: `setup.mjs test` sets up those, too.
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { delimiter, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = resolve(import.meta.dirname, '..')
const modules = join(root, 'node_modules')

/** @param folders - those below the root whose own dependencies are wanted too */
export function setUp(...folders) {
  if (!isInstalled(root)) installAll()
  for (const folder of folders.flatMap(packagesIn)) if (!isInstalled(folder)) install(folder)
  if (!isBuilt()) build()
}

/** The folders with a lock file of their own. @param folder - below the root */
export function packagesIn(folder) {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    if (entry.name === 'package-lock.json') return join(root, folder)
    const isSearched = entry.isDirectory() && !entry.name.startsWith('.') && entry.name !== 'node_modules'
    return isSearched ? packagesIn(join(folder, entry.name)) : []
  })
}

/** Where the pinned Node of the devDependencies is, or the Node that runs this when it is new enough. */
export function findNode() {
  const pinned = join(modules, 'node', 'bin', process.platform === 'win32' ? 'node.exe' : 'node')
  if (existsSync(pinned)) return pinned
  if (Number.parseInt(process.versions.node, 10) >= 24) return process.execPath
  return fail(`Node 24 is needed, this is ${process.version}, and node_modules has no other.`)
}

/**
 * Whether node_modules holds what the lock file asks for, by the record that npm leaves there. Compared by content: Git
 * touches the lock file on every checkout, and a reinstall for that would be half a minute lost.
 */
function isInstalled(folder) {
  const installed = readPackages(join(folder, 'node_modules', '.package-lock.json'))
  if (!installed) return false
  const wanted = readPackages(join(folder, 'package-lock.json'))
  return Object.entries(wanted).every(([path, { version, optional, link }]) => {
    if (!path.includes('node_modules/') || optional) return true
    return link ? installed[path]?.link : installed[path]?.version === version
  })
}

function readPackages(file) {
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')).packages : undefined
}

function installAll() {
  install(root)
  // It fetches the binary for this machine.
  npm(root, 'rebuild', 'node', '--loglevel=error')
}

function install(folder) {
  const name = relative(root, folder) || 'what the lock file lists'
  console.error(`Installing ${name} (once, up to a minute) ...`)
  // Without install scripts: they would call a compiler for packages that come with binaries.
  npm(folder, 'ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error')
}

/** tsc writes every file at each build, or none when there is an error, so one file of dist tells its age. */
function isBuilt() {
  const built = join(root, 'dist', 'index.js')
  if (!existsSync(built)) return false
  const { mtimeMs } = statSync(built)
  const sources = readdirSync(join(root, 'src'), { recursive: true, withFileTypes: true })
  return ['tsconfig.json', 'tsconfig.build.json', 'src']
    .concat(sources.map((entry) => join(entry.parentPath, entry.name)))
    .every((path) => statSync(resolve(root, path)).mtimeMs <= mtimeMs)
}

function build() {
  console.error('Building ...')
  run(findNode(), [join(root, 'scripts', 'build.mjs')])
}

function npm(cwd, ...args) {
  // Not with the Node in node_modules, which `npm start` puts first in PATH: npm ci removes it.
  const path = (process.env.PATH ?? '')
    .split(delimiter)
    .filter((folder) => !/node_modules[\\/]\.bin$/.test(folder))
  run('npm', args, { cwd, env: { ...process.env, PATH: path.join(delimiter) } })
}

function run(command, args, options) {
  const { status, error, stdout, stderr } = spawnSync(command, args, {
    cwd: root,
    ...options,
    encoding: 'utf8',
    // npm is a .cmd file on Windows, which needs a shell; none of the arguments holds a space there.
    shell: process.platform === 'win32' && command === 'npm',
  })
  if (status === 0) return
  console.error([stdout, stderr, error?.message].filter(Boolean).join('\n').trim())
  fail(`Failed: ${command} ${args.join(' ')}`)
}

function fail(message) {
  console.error(message)
  process.exit(1)
}

if (process.argv[1] && resolve(process.argv[1]) === fileURLToPath(import.meta.url))
  setUp(...process.argv.slice(2))
