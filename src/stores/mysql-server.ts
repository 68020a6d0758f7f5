import type { MysqlConnection } from './mysql-client.ts'

/** What the store has to know of the server. */
export interface MysqlServer {
  /** The longest message that it takes, in bytes. */
  readonly maxPacket: number
  /** What goes in front of each statement. */
  readonly prefix: string
}

const QUESTION =
  "SHOW VARIABLES WHERE Variable_name IN ('autocommit', 'max_allowed_packet', 'version', 'wsrep_on', 'wsrep_sync_wait')"

/** Reading, and updating or deleting, wait for what other nodes have committed before. */
const SYNC_WAIT = 3

/** @throws when its connections do not commit by themselves: nothing that is written would stay. */
export async function serverOf(connection: MysqlConnection): Promise<MysqlServer> {
  const rows = await connection.rows<{ Variable_name: unknown; Value: unknown }>(QUESTION, [])
  const variables = new Map(rows.map((row) => [String(row.Variable_name), String(row.Value)]))
  if (variables.get('autocommit') === 'OFF') {
    throw new Error('the connections have autocommit = 0, so nothing would be kept; give the store others')
  }
  return {
    maxPacket: Number(variables.get('max_allowed_packet') ?? Number.POSITIVE_INFINITY),
    prefix: prefixOf(variables),
  }
}

/**
 * A node of a Galera cluster answers from what it has applied, which another node may have committed a moment ago: the
 * next request of a visitor would miss what the one before has saved. With this it waits; MariaDB takes it for one
 * statement, so the application's own statements stay as they are.
 */
function prefixOf(variables: ReadonlyMap<string, string>): string {
  const isGalera = variables.get('wsrep_on') === 'ON' && variables.get('version')?.includes('MariaDB')
  const wait = Number(variables.get('wsrep_sync_wait'))
  if (!isGalera || (wait & SYNC_WAIT) === SYNC_WAIT) return ''
  return `SET STATEMENT wsrep_sync_wait = ${wait | SYNC_WAIT} FOR `
}
