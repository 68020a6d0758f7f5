import type { ClusterFigures, NodeFigures } from './cluster-nodes.ts'
import type { Task } from './cluster-visits.ts'
import { table } from './statistics.ts'

/** What so many requests took, and what the servers say of them. */
export interface Step {
  what: Task['what']
  requests: number
  seconds: number
  /** How many commands all of them have sent, each of which its request waited for. */
  commands: number
  before: ClusterFigures
  after: ClusterFigures
}

export interface Measured {
  steps: Step[]
  keysBySlot: number[]
}

const TITLES: Record<Step['what'], string> = {
  begin: 'first visit',
  visit: 'visit counter',
  read: 'read only',
}

/** What the requests of each client took. */
export function requestsTable(found: Readonly<Record<string, Measured>>): string {
  const rows = Object.entries(found).flatMap(([client, { steps }]) =>
    steps.map((step) => [`${client}: ${TITLES[step.what]}`, ...cells(step)]),
  )
  const head = [
    '',
    'requests',
    'a second',
    'round trips a request',
    '`MOVED`, `ASK`',
    '`CROSSSLOT`, `TRYAGAIN`',
    'reads at replicas',
    'commands by master',
    'CPU of a master, µs a command',
  ]
  return table(head, rows, 'right')
}

function cells({ what, requests, seconds, commands, before, after }: Step): string[] {
  const { masters, replicas } = after
  const errors = (...names: string[]) =>
    total([...masters, ...replicas], ({ errors }) => total(names, (name) => errors[name]))
  // The scripts that replace a session begin with a GET, so that one is counted for each of them, too.
  const command = what === 'begin' ? 'set' : 'get'
  const calls = masters.map(({ calls }) => calls[command] ?? 0)
  const cpu = total(masters, ({ cpu }) => cpu) - total(before.masters, ({ cpu }) => cpu)
  return [
    requests.toLocaleString('en'),
    (requests / seconds).toFixed(0),
    (commands / requests).toFixed(3),
    String(errors('MOVED', 'ASK')),
    String(errors('CROSSSLOT', 'TRYAGAIN')),
    String(total(replicas, ({ calls }) => calls['get'])),
    shares(calls),
    ((cpu * 1e6) / commands).toFixed(0),
  ]
}

/** Where the keys are, when all sessions have been made. */
export function keysTable(found: Readonly<Record<string, Measured>>): string {
  const rows = Object.entries(found).map(([client, { steps, keysBySlot }]) => {
    const [{ before, after }] = steps as [Step, ...Step[]]
    const keys = total(keysBySlot, (count) => count)
    const mean = keys / keysBySlot.length
    const variance = total(keysBySlot, (count) => (count - mean) ** 2) / keysBySlot.length
    const memory = ({ masters }: { masters: NodeFigures[] }) => total(masters, ({ memory }) => memory)
    return [
      client,
      keys.toLocaleString('en'),
      shares(after.masters.map(({ keys }) => keys)),
      mean.toFixed(2),
      Math.sqrt(variance).toFixed(2),
      Math.sqrt(mean).toFixed(2),
      String(Math.max(...keysBySlot)),
      ((memory(after) - memory(before)) / keys).toFixed(0),
    ]
  })
  const head = [
    'sessions made by',
    'keys',
    'by master',
    'a slot',
    'standard deviation',
    'that of chance',
    'the fullest slot',
    'bytes of memory a session',
  ]
  return table(head, rows, 'right')
}

function shares(counts: readonly number[]): string {
  const all = total(counts, (count) => count)
  return counts.map((count) => `${((count / all) * 100).toFixed(1)} %`).join(', ')
}

function total<T>(list: readonly T[], figure: (one: T) => number | undefined): number {
  return list.reduce((sum, one) => sum + (figure(one) ?? 0), 0)
}
