import type { RedisDriver } from './redis-driver.ts'
import { run, type Send, script } from './redis-script.ts'

/*
The sessions of a user are members of a sorted set. A member is a hint where to look, never a proof: whoever lists them
reads each session, and believes that. So a member too many is harmless, and only a missing one is not.

A member's score is, in seconds, the end of the day in which its session expires, plus the time of day when it was
written, by the server's clock. The first half keeps a member until its session has expired, and lets it be written once
a day at most however often the session is extended. The second half shows what was written just now: its session may
be on the way still, so nobody takes it for dead.
*/

const DAY = 86_400
/** Clocks of applications may differ by less than this. */
const SKEW = 3600

/** Adds a member; removes those whose time is over. Lowers no score and no lifetime, since another write may need them. */
const ADD = script(`
local last = tonumber(ARGV[2])
local known = redis.call('ZSCORE', KEYS[1], ARGV[1])
if known then last = math.max(last, math.floor(known / ${DAY}) * ${DAY}) end
local time = redis.call('TIME')[1] % ${DAY}
redis.call('ZADD', KEYS[1], string.format('%.0f', last + time), ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', ARGV[3])
if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[4]) then redis.call('PEXPIRE', KEYS[1], ARGV[4]) end
return 1`)

/** Removes members that were not written within the hour. */
const REMOVE = script(`
local time = redis.call('TIME')[1]
for _, member in ipairs(ARGV) do
  local score = redis.call('ZSCORE', KEYS[1], member)
  if score then
    local age = (time - score) % ${DAY}
    if age > ${SKEW} and age < ${DAY - SKEW} then redis.call('ZREM', KEYS[1], member) end
  end
end
return 1`)

/** So many members at once keep both the server and the connection free for others. */
const SLICE = 250

/** Which sessions may be a user's. */
export class RedisUsers {
  readonly #driver: RedisDriver
  readonly #write: Send
  readonly #prefix: string

  /** @param write sends what must not be lost */
  constructor(driver: RedisDriver, write: Send, prefix: string) {
    this.#driver = driver
    this.#write = write
    this.#prefix = prefix
  }

  /** Whether a session that expires at one instant is a member for long enough when it expires at another one instead. */
  static covers(written: number, expiresAt: number): boolean {
    return endOfDay(written) >= endOfDay(expiresAt)
  }

  /** Adds a session to those of a user, before it is written, since a crash in between must not hide it. */
  async add(userId: string, key: string, expiresAt: number, now: number): Promise<void> {
    const last = endOfDay(expiresAt)
    const over = Math.floor(now / 1000) - SKEW
    const lifetime = Math.ceil((last + DAY + SKEW) * 1000 - now)
    const index = this.#index(userId)
    await run(this.#write, ADD, index, [key, String(last), String(over), String(Math.max(lifetime, 1))])
  }

  /**
   * Looks up all sessions that may be a user's, and forgets those that are not.
   * @param look answers what is there, or `undefined` when the session is not this user's
   */
  async find<T>(userId: string, look: (key: string) => Promise<T | undefined>): Promise<T[]> {
    const index = this.#index(userId)
    const keys = (await this.#driver.send(index, ['ZRANGE', index, '0', '-1'])) as string[]
    const found: T[] = []
    for (let start = 0; start < keys.length; start += SLICE) {
      const slice = keys.slice(start, start + SLICE)
      // Each by a command of its own, since each is in a slot of its own. Clients send them without waiting in between.
      const looks = await Promise.all(slice.map(look))
      found.push(...looks.filter((one) => one !== undefined))
      const dead = slice.filter((_key, i) => looks[i] === undefined)
      if (dead.length > 0) await run(this.#driver.send, REMOVE, index, dead)
    }
    return found
  }

  /** A key of a session has no colon, so none is ever taken for an index. */
  #index(userId: string): string {
    return `${this.#prefix}user:${userId}`
  }
}

/** In seconds; later than the instant. */
function endOfDay(instant: number): number {
  return (Math.floor(instant / 1000 / DAY) + 1) * DAY
}
