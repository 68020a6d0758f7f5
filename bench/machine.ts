import { readFileSync } from 'node:fs'
import { findPackageJSON } from 'node:module'
import { arch, availableParallelism, platform } from 'node:os'

const packages = [
  'express',
  'express-session',
  'better-sqlite3',
  'better-sqlite3-session-store',
  'connect-redis',
  'redis',
  'connect-pg-simple',
  'pg',
  'fastify',
  '@fastify/session',
  '@fastify/secure-session',
  'koa',
  'koa-session',
  'iron-session',
  'hono',
  '@hono/session',
  'autocannon',
]

/** What a figure was measured on, for whoever reads it later, and the versions of what took part. */
export function surroundings(took: readonly string[] = packages): string {
  const versions = took.map((name) => `${name} ${versionOf(name)}`)
  return [
    `${platform()} ${arch()}, ${availableParallelism()} cores, Node.js ${process.versions.node}`,
    `Sojourn ${versionIn('../package.json')}, ${versions.join(', ')}, SQLite of Node.js ${process.versions['sqlite']}`,
  ].join('\n')
}

/** Wherever Node finds it from here: some packages are the root's. */
function versionOf(name: string): string {
  return versionIn(findPackageJSON(name, import.meta.url) ?? '')
}

function versionIn(path: string): string {
  return JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8')).version
}
