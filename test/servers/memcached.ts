import { createConnection } from 'node:net'
import { type Program, path } from './program.ts'
import { freePort, Server } from './server.ts'

export const MEMCACHED: Program = { name: 'memcached', debian: 'memcached' }

/** A memcached on this machine. */
export interface Memcached {
  readonly server: Server
  readonly port: number
  /** As clients name it. */
  readonly address: string
}

/** Starts one. With `-vv` among the arguments its output has every command. */
export async function startMemcached(args: readonly string[] = []): Promise<Memcached> {
  const port = await freePort()
  const server = await Server.start({
    program: path(MEMCACHED),
    args: ['-l', '127.0.0.1', '-p', `${port}`, '-U', '0', ...args],
    isReady: async () => (await ask(port, 'version')).startsWith('VERSION'),
  })
  return { server, port, address: `127.0.0.1:${port}` }
}

/** Sends one command on a connection of its own, and answers all that the server says to it. */
export async function ask(port: number, command: string): Promise<string> {
  const socket = createConnection(port, '127.0.0.1').setEncoding('utf8')
  socket.write(`${command}\r\n`)
  let answer = ''
  for await (const chunk of socket) {
    answer += chunk
    if (isWhole(answer)) break
  }
  return answer
}

/** Values, statistics and lists end with `END`; all other answers are one line. */
function isWhole(answer: string): boolean {
  return /^(?:VALUE|STAT|key=)/.test(answer) ? answer.endsWith('\nEND\r\n') : answer.endsWith('\r\n')
}

/** The names of all items of a server. */
export async function keysOf(port: number): Promise<string[]> {
  const dump = await ask(port, 'lru_crawler metadump all')
  return [...dump.matchAll(/^key=(\S+)/gm)].map(([, key = '']) => decodeURIComponent(key))
}

/** Name and version, as the server says. */
export async function versionOf(port: number): Promise<string> {
  return (await ask(port, 'version')).trim().replace('VERSION', 'memcached')
}
