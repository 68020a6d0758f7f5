import type { Reply } from './redis-driver.ts'
import { head } from './redis-entry.ts'
import { run, type Send, script } from './redis-script.ts'

/** What `SET key new IFEQ old GET PX lifetime` does, for any server, and with less to send: a state's head will do. */
const REPLACE = script(`
local current = redis.call('GET', KEYS[1])
if not current or string.sub(current, 1, #ARGV[1]) ~= ARGV[1] then return current end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
return 1`)

/** `IFEQ` sends and answers the whole old state. What a script costs more, a text of this length costs, too. */
const SHORT = 1000

/** Puts a new state in the place of an old one, in one command. */
export class Replacer {
  readonly #send: Send
  /** Whether the server has `IFEQ`, as far as is known. */
  #hasIfeq = true

  constructor(send: Send) {
    this.#send = send
  }

  /** Answers 1, or what is there instead of the old state, if anything. */
  replace(key: string, old: string, raw: string, lifetime: string): Promise<Reply> {
    return this.#hasIfeq && old.length <= SHORT
      ? this.#byIfeq(key, old, raw, lifetime)
      : this.#byScript(key, old, raw, lifetime)
  }

  async #byIfeq(key: string, old: string, raw: string, lifetime: string): Promise<Reply> {
    try {
      const before = await this.#send(key, ['SET', key, raw, 'IFEQ', old, 'GET', 'PX', lifetime])
      return before === old ? 1 : before
    } catch (error) {
      // An older server, which has done nothing.
      if (!isSyntax(error)) throw error
      this.#hasIfeq = false
      return this.#byScript(key, old, raw, lifetime)
    }
  }

  #byScript(key: string, old: string, raw: string, lifetime: string): Promise<Reply> {
    return run(this.#send, REPLACE, key, [head(old), raw, lifetime])
  }
}

function isSyntax(error: unknown): boolean {
  return error instanceof Error && error.message.includes('syntax error')
}
