import type { MysqlConnection } from './mysql-client.ts'
import { PURGE_SLICE, type Statements } from './mysql-table.ts'
import { minuteOf } from './purge-minute.ts'

/** A row whose minute has come. */
interface Due {
  key: Buffer
  expired: number | bigint | string
}

/**
 * Removes what has expired, so many entries at most, and puts off what was extended. Answers how many were removed.
 *
 * What is due is read first, which locks nothing, and then named by its keys. A `DELETE` that searches would lock what
 * lives on, too, and pass over it anew with each slice.
 */
export async function purgeTable(
  connection: MysqlConnection,
  sql: Statements,
  limit: number,
  clock: () => number,
): Promise<number> {
  let removed = 0
  while (removed < limit) {
    const now = clock()
    const due = await connection.rows<Due>(sql.due, [now, minuteOf(now), now])
    const expired = keys(due, true).slice(0, limit - removed)
    const alive = keys(due, false)
    // It may have been extended since.
    if (expired.length > 0) removed += await connection.write(sql.deleteExpired, [...slice(expired), now])
    if (alive.length > 0) await connection.write(sql.putOff, slice(alive))
    if (due.length < PURGE_SLICE) break
  }
  return removed
}

function keys(due: readonly Due[], expired: boolean): Buffer[] {
  return due.filter((row) => (Number(row.expired) === 1) === expired).map(({ key }) => key)
}

/** As many as the statement has places for, so that a connection prepares one: the last one stands for those that lack. */
function slice(keys: readonly Buffer[]): Buffer[] {
  return Array.from({ length: PURGE_SLICE }, (_, i) => keys[Math.min(i, keys.length - 1)] as Buffer)
}
