import { createHash } from 'node:crypto'
import type { Command, RedisDriver, Reply } from './redis-driver.ts'

/** A Lua script. It touches the one key that it is given, `KEYS[1]`, and nothing else. */
export interface Script {
  readonly source: string
  readonly digest: string
}

export function script(source: string): Script {
  return { source, digest: createHash('sha1').update(source).digest('hex') }
}

/** What sends a command, whose only key is the first argument, by whatever way. */
export type Send = RedisDriver['send']

/**
 * Runs a script by its digest. A server that does not know it (a new one, a replica that was promoted, one whose scripts
 * were flushed) is sent the source, which it keeps.
 */
export async function run(
  send: Send,
  { digest, source }: Script,
  key: string,
  args: Command,
): Promise<Reply> {
  try {
    return await send(key, ['EVALSHA', digest, '1', key, ...args])
  } catch (error) {
    if (!isUnknownScript(error)) throw error
    return send(key, ['EVAL', source, '1', key, ...args])
  }
}

function isUnknownScript(error: unknown): boolean {
  // The server's code, and the name that Valkey GLIDE gives it.
  return error instanceof Error && /NOSCRIPT|NoScriptError/.test(error.message)
}
