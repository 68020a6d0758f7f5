import { note } from '../tested/note.ts'
import { hasPackage, versionOf } from '../tested/versions.ts'

/**
 * Notes, for the table in `docs/stores/tested.md`, that the store contract runs with this client on this server.
 * @param client the name of the npm package, or a sentence where there is none
 * @param server name and version as the server itself says, such as `PostgreSQL 15.18`
 */
export function tested(store: string, client: string, server: string): void {
  const versioned = hasPackage(client) ? `${client} ${versionOf(client)}` : client
  note({ page: 'stores', store, client: versioned, server })
}
