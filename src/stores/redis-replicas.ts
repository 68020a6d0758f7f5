import type { Command, RedisDriver, Reply } from './redis-driver.ts'
import type { Send } from './redis-script.ts'

/** So often a client that asked the wrong server of a cluster learns which is the right one. */
const REDIRECTIONS = 5

/**
 * Sends a command and waits until replicas have what it wrote.
 *
 * `WAIT` counts the replicas that have what *its connection* wrote. On a connection that was lost and made anew, to the
 * same server or to another one, it finds nothing to wait for and reports success. So the connection says its name before
 * and after, and what was not between two equal names is not believed.
 */
export function replicated(driver: RedisDriver, replicas: number, timeout: number): Send {
  const who = ['CLIENT', 'INFO']
  const wait = ['WAIT', String(replicas), String(timeout)]
  const attempt = async (key: string, command: Command, redirections: number): Promise<Reply> => {
    const [before, answer, count, after] = await driver.sendAll(key, [who, command, wait, who])
    if (answer instanceof Error) {
      if (!/^(MOVED|ASK)\b/.test(answer.message) || redirections === 0) throw answer
      // A command by itself follows to the right server, and shows the client where that is.
      await driver.send(key, ['EXISTS', key])
      return attempt(key, command, redirections - 1)
    }
    if (identity(before) === undefined || identity(before) !== identity(after)) {
      throw new Error('the write was done, but the connection was lost before a replica confirmed it')
    }
    if (typeof count !== 'number') throw count ?? new Error('WAIT was not answered')
    if (count >= replicas) return answer ?? null
    throw new Error(
      `the write was done, but ${count} of ${replicas} replicas confirmed it within ${timeout} ms`,
    )
  }
  return (key, command) => attempt(key, command, REDIRECTIONS)
}

/** The number of a connection, and both of its ends: no two connections share all of it, be they to one server or to two. */
function identity(info: Reply | Error | undefined): string | undefined {
  return typeof info === 'string' ? /\bid=\d+ addr=\S+ laddr=\S+/.exec(info)?.[0] : undefined
}
