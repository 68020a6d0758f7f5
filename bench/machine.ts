import { readFileSync } from 'node:fs'
import { arch, availableParallelism, platform } from 'node:os'

const packages = [
  'express',
  'express-session',
  'better-sqlite3',
  'better-sqlite3-session-store',
  'autocannon',
]

/** What a figure was measured on, for whoever reads it later. */
export function surroundings(): string {
  const versions = packages.map((name) => `${name} ${version(`../node_modules/${name}/package.json`)}`)
  return [
    `${platform()} ${arch()}, ${availableParallelism()} cores, Node.js ${process.versions.node}`,
    `Sojourn ${version('../package.json')}, ${versions.join(', ')}, SQLite of Node.js ${process.versions['sqlite']}`,
  ].join('\n')
}

function version(path: string): string {
  return JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8')).version
}
