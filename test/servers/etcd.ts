import { existsSync } from 'node:fs'
import { type Program, path } from './program.ts'
import { dataFolder, freePorts, run, Server } from './server.ts'

export const ETCD: Program = { name: 'etcd', debian: 'etcd-server' }

/** Nodes of etcd: one, or a cluster. */
export interface EtcdNodes {
  /** Their URLs, in the order of `nodes`. */
  readonly endpoints: readonly string[]
  readonly nodes: readonly Server[]
  /** As the server says, such as `etcd 3.4.23`. */
  readonly version: string
  /** Which of the nodes leads. */
  leader(): Promise<number>
  stop(): Promise<void>
}

/** Starts so many nodes, and waits until they have agreed on a leader. */
export async function startEtcd(count: number, program: Program = ETCD): Promise<EtcdNodes> {
  // In memory, where there is such a folder: etcd waits for the disk at every write, and other tests for etcd.
  const folder = dataFolder(existsSync('/dev/shm') ? '/dev/shm' : undefined)
  const ports = await freePorts(2 * count)
  const endpoints = ports.slice(0, count).map((port) => `http://127.0.0.1:${port}`)
  const peers = ports.slice(count).map((port) => `http://127.0.0.1:${port}`)
  const cluster = peers.map((peer, i) => `n${i}=${peer}`).join(',')
  const nodes = endpoints.map((endpoint, i) => {
    const peer = peers[i] ?? ''
    const args = ['--name', `n${i}`, '--data-dir', `${folder.path}/${i}`, '--initial-cluster', cluster]
    args.push('--listen-client-urls', endpoint, '--advertise-client-urls', endpoint)
    args.push('--listen-peer-urls', peer, '--initial-advertise-peer-urls', peer)
    return new Server({ program: path(program), args, isReady: () => isHealthy(endpoint) })
  })
  await Promise.all(nodes.map((node) => node.start()))
  const [, version = ''] = /etcd Version: (\S+)/.exec(run(path(program), ['--version'])) ?? []
  const stop = async () => {
    await Promise.all(nodes.map((node) => node.kill()))
    folder.remove()
  }
  return { endpoints, nodes, version: `etcd ${version}`, leader: () => leader(endpoints), stop }
}

/** The URL by which a store is opened on them. */
export function urlOf({ endpoints }: EtcdNodes, query = ''): string {
  return `etcd://${endpoints.map((endpoint) => endpoint.replace('http://', '')).join(',')}${query}`
}

/** Asks etcd directly, as an administrator would. */
export async function askEtcd<T>(endpoint: string, path: string, body: object): Promise<T> {
  const response = await fetch(endpoint + path, { method: 'POST', body: JSON.stringify(body) })
  return (await response.json()) as T
}

export function base64(text: string): string {
  return Buffer.from(text).toString('base64')
}

async function isHealthy(endpoint: string): Promise<boolean> {
  const response = await fetch(`${endpoint}/health`, { signal: AbortSignal.timeout(1000) })
  return ((await response.json()) as { health: unknown }).health === 'true'
}

async function leader(endpoints: readonly string[]): Promise<number> {
  for (const [i, endpoint] of endpoints.entries()) {
    const status = await askEtcd<{ header: { member_id: string }; leader: string }>(
      endpoint,
      '/v3/maintenance/status',
      {},
    ).catch(() => undefined)
    if (status && status.leader === status.header.member_id) return i
  }
  throw new Error('No node of etcd leads')
}
