import { existsSync } from 'node:fs'
import { type Database, MARIADB, startDatabase } from './mysql.ts'
import type { Program } from './program.ts'
import { dataFolder, freePorts } from './server.ts'

/** The nodes copy their state to each other with it. */
export const RSYNC: Program = { name: 'rsync', debian: 'rsync' }

const LIBRARY = '/usr/lib/galera/libgalera_smm.so'

/** A cluster of MariaDB whose nodes all take writes. */
export interface Galera {
  readonly nodes: readonly Database[]
  /** Waits until all nodes that run are in step with each other. */
  synced(nodes: number): Promise<void>
  remove(): Promise<void>
}

/** Starts three nodes on this machine. */
export async function startGalera(args: readonly string[] = []): Promise<Galera> {
  if (!existsSync(LIBRARY)) throw new Error('needs Galera: apt-get install galera-4')
  const ports = await freePorts(12)
  const peers = [0, 1, 2].map((i) => `127.0.0.1:${ports[3 + i]}`)
  const nodes: Database[] = []
  for (const i of [0, 1, 2]) {
    const folder = dataFolder()
    const [port = 0, group = 0, transfer = 0, changes = 0] = [0, 3, 6, 9].map((row) => ports[row + i])
    const options = [
      `base_port=${group}`,
      `gmcast.listen_addr=tcp://127.0.0.1:${group}`,
      `ist.recv_addr=127.0.0.1:${changes}`,
      'gcache.size=16M',
    ]
    const node = await startDatabase(MARIADB, {
      folder,
      port,
      args: [
        '--wsrep-on=ON',
        `--wsrep-provider=${LIBRARY}`,
        `--wsrep-cluster-address=gcomm://${i === 0 ? '' : peers.slice(0, i).join(',')}`,
        `--wsrep-node-address=127.0.0.1:${group}`,
        `--wsrep-sst-receive-address=127.0.0.1:${transfer}`,
        '--wsrep-sst-method=rsync',
        `--wsrep-node-name=node${i}`,
        `--wsrep-provider-options=${options.join(';')}`,
        '--binlog-format=ROW',
        '--innodb-autoinc-lock-mode=2',
        ...args,
      ],
    })
    nodes.push(node)
  }
  return {
    nodes,
    async synced(count) {
      for (;;) {
        const sizes = await Promise.all(nodes.slice(0, count).map(sizeSeenBy))
        if (sizes.every((size) => size === String(count))) return
        await new Promise((resolve) => setTimeout(resolve, 100))
      }
    },
    async remove() {
      await Promise.all(nodes.map((node) => node.remove()))
    },
  }
}

/** Of how many nodes its cluster is, as one sees it that is in step with them. */
async function sizeSeenBy(node: Database): Promise<string | undefined> {
  const [rows] = await node.administer(
    "SHOW STATUS WHERE Variable_name IN ('wsrep_cluster_size', 'wsrep_local_state_comment')",
  )
  const status = new Map(
    (rows as { Variable_name: string; Value: string }[]).map((row) => [row.Variable_name, row.Value]),
  )
  return status.get('wsrep_local_state_comment') === 'Synced' ? status.get('wsrep_cluster_size') : undefined
}
