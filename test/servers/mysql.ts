import { join } from 'node:path'
import type { Connection } from 'mysql2/promise'
import { createConnection } from 'mysql2/promise'
import { type Program, path } from './program.ts'
import { dataFolder, freePort, run, Server } from './server.ts'

export const MARIADB: Program = { name: 'mariadbd', debian: 'mariadb-server' }
const INSTALL: Program = { name: 'mariadb-install-db', debian: 'mariadb-server' }
/** Debian has it only in its unstable suite. */
export const MYSQL: Program = {
  name: 'mysqld',
  debian: 'mysql-server-core',
  newer: { suite: 'sid', folder: 'mysql-sid' },
}

/** A server, and what a test needs to reach it as its administrator. */
export interface Database {
  readonly server: Server
  readonly port: number
  /** As the server itself says, such as `MariaDB 10.11.19`. */
  readonly version: string
  /** Runs statements as the administrator, on a connection of their own. */
  administer(...statements: string[]): Promise<unknown[]>
  /** Kills it and removes its data. */
  remove(): Promise<void>
}

/** A database that all tests of a server share, and whose tables they name. */
export const SCHEMA = 'test'

export interface DatabaseOptions {
  /** More arguments of the server. */
  args?: readonly string[]
  /** Where its data is. By default a folder in the system's folder for temporary files. */
  folder?: { path: string; remove(): void }
  port?: number
}

/** For tests that ask nothing of the disk: making a table takes ten syncs. */
export const NO_SYNC = ['--innodb-flush-method=nosync', '--innodb-flush-log-at-trx-commit=0']

/** Starts MariaDB or MySQL with no data. The administrator is `root`, without a password. */
export async function startDatabase(program: Program, options: DatabaseOptions = {}): Promise<Database> {
  const { args = [], folder = dataFolder(), port = await freePort() } = options
  const data = join(folder.path, 'data')
  // In a folder that several share, each server that starts takes away the temporary tables of the others.
  const temporary = `--tmpdir=${folder.path}`
  const paths = program === MYSQL ? initializeMysql(data, temporary) : initializeMariadb(data, temporary)
  const administer = (...statements: string[]) => administerAt(port, statements)
  const server = await Server.start({
    program: path(program),
    args: [
      '--no-defaults',
      ...paths,
      `--datadir=${data}`,
      `--port=${port}`,
      '--bind-address=127.0.0.1',
      `--socket=${join(folder.path, 's.sock')}`,
      `--pid-file=${join(folder.path, 'pid')}`,
      temporary,
      '--skip-log-bin',
      '--innodb-buffer-pool-size=32M',
      ...args,
    ],
    // Asked to write: a node of a cluster answers `SELECT 1` before it may, and again not while another one joins.
    isReady: () => administer(`CREATE DATABASE IF NOT EXISTS ${SCHEMA}`),
  })
  const [answer] = await administer('SELECT VERSION() AS version')
  const [number = ''] = /^[\d.]+/.exec((answer as { version: string }[])[0]?.version ?? '') ?? []
  return {
    server,
    port,
    version: `${program === MYSQL ? 'MySQL' : 'MariaDB'} ${number}`,
    administer,
    async remove() {
      await server.kill()
      folder.remove()
    },
  }
}

function initializeMariadb(data: string, temporary: string): string[] {
  run(path(INSTALL), [
    '--no-defaults',
    temporary,
    `--datadir=${data}`,
    '--auth-root-authentication-method=normal',
    '--skip-test-db',
  ])
  return []
}

/** Its own files lie where it was unpacked. */
function initializeMysql(data: string, temporary: string): string[] {
  const program = path(MYSQL)
  const usr = join(program, '..', '..', 'root', 'usr')
  const paths = [
    `--basedir=${usr}`,
    `--lc-messages-dir=${join(usr, 'share', 'mysql')}`,
    `--plugin-dir=${join(usr, 'lib', 'mysql', 'plugin')}`,
    '--secure-file-priv=',
    '--mysqlx=OFF',
    '--performance-schema=OFF',
  ]
  run(program, [
    '--no-defaults',
    ...paths,
    ...NO_SYNC,
    temporary,
    '--initialize-insecure',
    `--datadir=${data}`,
  ])
  return paths
}

async function administerAt(port: number, statements: readonly string[]): Promise<unknown[]> {
  const connection: Connection = await createConnection({ host: '127.0.0.1', port, user: 'root' })
  try {
    const answers: unknown[] = []
    for (const statement of statements) answers.push((await connection.query(statement))[0])
    return answers
  } finally {
    connection.destroy()
  }
}
