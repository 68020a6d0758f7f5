import { table } from './statistics.ts'

/** What the sessions ask of their store in a second, and how many there are. */
export interface Demand {
  sessions: number
  created: number
  changed: number
  extended: number
  removed: number
  lookedAt: number
}

/** Measured by `npm run bench -- cluster`, `npm run bench -- bytes`, for `docs/stores/postgres.md`, and by `node bench/partitions.ts`. */
const MEASURED = {
  /** Bytes of a session with 280 characters of data, keys and indexes included. */
  redisBytes: 537,
  postgresBytes: 530,
  /** Bytes of the log. */
  updateLog: 500,
  extensionLog: 185,
  /** Microseconds of a master's CPU, what its replica and its connections take included; by the client that asks for least and for most. */
  redisRead: [5, 12],
  redisWrite: [20, 23],
  /** Microseconds of PostgreSQL's CPU for a session among 16 partitions, with 64 in a statement and with one. */
  postgresRead: [16, 144],
  postgresWrite: [36, 288],
} as const

const SLOTS = 16_384
const MASTERS = [6, 12, 24, 48]
const SERVERS = [4, 8, 16, 32]
/** Seconds that a replica is behind. */
const LAGS = [0.001, 0.01, 0.1, 1]

export function clusterTable(reads: number, demand: Demand): string {
  const writes = writesOf(demand)
  const { redisBytes, redisRead, redisWrite } = MEASURED
  const cores = coresOf(reads, redisRead, writes, redisWrite)
  const rows = MASTERS.map((masters) => {
    const perMaster = demand.sessions / masters
    return [
      String(masters),
      (perMaster / 1e6).toFixed(1),
      whole(demand.sessions / SLOTS),
      gigabytes(perMaster * redisBytes),
      whole(reads / masters),
      whole(writes / masters),
      cores.map((all) => percent(all / masters)).join(' to '),
    ]
  })
  const head = [
    'masters',
    'sessions each, millions',
    'keys a slot',
    'memory each, GB',
    'reads a second each',
    'writes a second each',
    'of one core',
  ]
  return table(head, rows, 'right')
}

export function postgresTable(reads: number, demand: Demand): string {
  const { postgresBytes, postgresRead, postgresWrite } = MEASURED
  const writes = writesOf(demand)
  const log = demand.extended * MEASURED.extensionLog + (writes - demand.extended) * MEASURED.updateLog
  const cores = coresOf(reads, postgresRead, writes, postgresWrite)
  const rows = SERVERS.map((servers) => [
    String(servers),
    (demand.sessions / servers / 1e6).toFixed(1),
    gigabytes((demand.sessions * postgresBytes) / servers),
    whole(reads / servers),
    whole(writes / servers),
    `${(log / servers / 1e6).toFixed(1)} MB`,
    cores.map((all) => (all / servers).toFixed(1)).join(' to '),
    ((demand.removed + demand.lookedAt) / servers).toFixed(1),
  ])
  const head = [
    'servers',
    'sessions each, millions',
    'size each, GB',
    'reads a second each',
    'writes a second each',
    'log a second each',
    'cores each',
    'rows a purge touches a second each',
  ]
  return table(head, rows, 'right')
}

export function failoverTable(demand: Demand): string {
  const rows = MASTERS.map((masters) => [
    String(masters),
    ...LAGS.map((lag) => whole((writesOf(demand) / masters) * lag)),
  ])
  const head = ['masters', ...LAGS.map((lag) => `${lag * 1000} ms behind`)]
  return table(head, rows, 'right')
}

type Range = readonly [number, number]

function coresOf(reads: number, read: Range, writes: number, write: Range): number[] {
  return ([0, 1] as const).map((i) => (reads * read[i] + writes * write[i]) / 1e6)
}

function writesOf({ created, changed, extended }: Demand): number {
  return created + changed + extended
}

function whole(number: number): string {
  return Math.round(number).toLocaleString('en')
}

function gigabytes(bytes: number): string {
  return (bytes / 1e9).toFixed(1)
}

function percent(part: number): string {
  return `${(part * 100).toFixed(0)} %`
}
