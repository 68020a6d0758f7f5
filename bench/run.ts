import type { WorkloadName } from './workloads.ts'

/** One server in one round. */
export interface Cell {
  requestsPerSecond: number
  /** In microseconds, of the server's process. */
  cpuPerRequest: number
  /** Which part of the time the server used its core, and the load its own. */
  serverBusy: number
  loadBusy: number
}

/** Everything that a run measured: the JSON of `--json`. */
export interface Run {
  /** When it began. */
  at: string
  surroundings: string
  rounds: number
  /** How long each server was measured in each round. */
  seconds: number
  measured: Partial<Record<WorkloadName, Record<string, Cell[]>>>
  /** The bytes of the cookie that each request of a known visitor brings, by variant. */
  cookieBytes: Record<string, number>
}
