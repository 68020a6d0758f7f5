import { writeFile } from 'node:fs/promises'
import { find } from '../test/servers/program.ts'
import { clusterRedis, REDIS_7, type RedisServers } from '../test/servers/redis.ts'
import { Child } from './child.ts'
import { figures, keysBySlot, reset } from './cluster-nodes.ts'
import { keysTable, type Measured, requestsTable, type Step } from './cluster-report.ts'
import type { Done, Task } from './cluster-visits.ts'
import { surroundings } from './machine.ts'

export interface ClusterOptions {
  /** How many sessions are made by each client, and visits, and reads. */
  sessions: number
  /** Only clients with this text in their name. */
  only: string
  json: string | undefined
}

const CLIENTS = ['redis', 'ioredis', '@valkey/valkey-glide']
const PROCESSES = 4

/**
 * Four application processes on a cluster of three masters with a replica each: whether commands cross slots, how evenly keys and
 * load lie, and what a request asks for.
 */
export async function cluster({ sessions, only, json }: ClusterOptions): Promise<void> {
  if (!find(REDIS_7)) throw new Error(`There is no redis-server: apt-get install ${REDIS_7.debian}`)
  const servers = await clusterRedis()
  const found: Record<string, Measured> = {}
  try {
    for (const client of CLIENTS.filter((name) => name.includes(only))) {
      console.error(`${client} ...`)
      for (const port of await servers.masters()) await servers.ask(port, 'FLUSHALL', 'SYNC')
      found[client] = await measured(client, servers, sessions)
    }
  } finally {
    await servers.stop()
  }
  const about = `${servers.version}, three masters with a replica each; ${PROCESSES} application processes`
  console.log(`${surroundings(CLIENTS)}\n${about}, 64 requests at a time in each.\n`)
  console.log(`${requestsTable(found)}\n\n${keysTable(found)}`)
  if (json) await writeFile(json, JSON.stringify({ surroundings: surroundings(CLIENTS), found }))
}

async function measured(client: string, servers: RedisServers, sessions: number): Promise<Measured> {
  const starting = Array.from({ length: PROCESSES }, (_, i) =>
    Child.start<Task, Done>('cluster-visits.ts', [client, JSON.stringify(servers.target)], i % 2),
  )
  const children = (await Promise.all(starting)).map(({ child }) => child)
  const steps: Step[] = []
  async function step(what: Task['what'], cookies: string[]): Promise<Done[]> {
    await reset(servers)
    const before = await figures(servers)
    // Each of them gets every fourth, so it is given sessions that others have made.
    const parts = children.map((_, i) => cookies.filter((_, j) => j % PROCESSES === i))
    const done = await Promise.all(children.map((child, i) => child.ask({ what, cookies: parts[i] ?? [] })))
    const seconds = Math.max(...done.map(({ seconds }) => seconds))
    const commands = done.reduce((sum, { commands }) => sum + commands, 0)
    steps.push({ what, requests: cookies.length, seconds, commands, before, after: await figures(servers) })
    return done
  }
  try {
    const begun = await step('begin', Array(sessions).fill(''))
    const cookies = begun.flatMap(({ cookies }) => cookies)
    // Some of them several times, others never.
    const visits = cookies.map(() => cookies[Math.floor(Math.random() * cookies.length)] ?? '')
    await step('visit', visits)
    const read = await step('read', cookies)
    const counted = read.reduce((sum, { visits }) => sum + visits, 0)
    if (counted !== visits.length) throw new Error(`${client} counted ${counted} of ${visits.length} visits`)
    return { steps, keysBySlot: await keysBySlot(servers) }
  } finally {
    for (const child of children) await child.stop()
  }
}
