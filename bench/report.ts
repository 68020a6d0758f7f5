import { type VariantName, variants } from './apps.ts'
import { type Spread, show, spread, table } from './statistics.ts'

/** One server in one round. */
export interface Cell {
  requestsPerSecond: number
  /** In microseconds, of the server's process. */
  cpuPerRequest: number
  /** Which part of the time the server used its core, and the load its own. */
  serverBusy: number
  loadBusy: number
}

type Cells = Map<VariantName, Cell[]>

/** The table of one workload, with what must be known to believe it. */
export function report(title: string, cells: Cells): string {
  const rows = [...cells.keys()].map((name) => [
    variants[name].title,
    show(ratio(cells, name, 'requestsPerSecond'), 2),
    show(ratio(cells, name, 'cpuPerRequest'), 2),
    percent(cells, name, 'serverBusy'),
  ])
  const head = [title, 'requests per second', 'CPU per request', 'server busy']
  return [
    `### ${title}\n`,
    table(['bare Express = 1', ...head.slice(1)], rows, 'right'),
    '',
    ...shares(cells),
    ...warnings(cells),
    '',
  ].join('\n')
}

/** Taken inside each round, since the machine of one round is not that of the next. */
function ratio(cells: Cells, name: VariantName, figure: keyof Cell): Spread {
  return spread(perRound(cells, name, (cell, bare) => cell[figure] / bare[figure]))
}

function perRound(cells: Cells, name: VariantName, figure: (cell: Cell, bare: Cell) => number): number[] {
  const bare = cells.get('bare') ?? []
  return bare.flatMap((base, round) => {
    const cell = cells.get(name)?.[round]
    return cell ? [figure(cell, base)] : []
  })
}

function percent(cells: Cells, name: VariantName, figure: 'serverBusy' | 'loadBusy'): string {
  return `${(middle(cells, name, figure) * 100).toFixed(0)} %`
}

function middle(cells: Cells, name: VariantName, figure: keyof Cell): number {
  return spread((cells.get(name) ?? []).map((cell) => cell[figure])).median
}

/** What the sessions alone cost, side by side: the CPU above that of bare Express. */
function shares(cells: Cells): string[] {
  const added = (name: VariantName) =>
    perRound(cells, name, (cell, bare) => cell.cpuPerRequest - bare.cpuPerRequest)
  return [...cells.keys()].flatMap((name) => {
    const { title, peer } = variants[name]
    if (!peer || !cells.has(peer)) return []
    const [ours, theirs] = [added(name), added(peer)]
    const share = spread(ours.map((value, round) => value / (theirs[round] ?? Number.NaN)))
    return [`- ${title} adds ${show(share, 2)} times the CPU that ${variants[peer].title} adds.`]
  })
}

// Wider than what two cores of a quiet machine show.
const WIDE = 0.3

function warnings(cells: Cells): string[] {
  const names = [...cells.keys()]
  const title = (name: VariantName) => `"${variants[name].title}"`
  const wide = names.filter((name) => width(ratio(cells, name, 'requestsPerSecond')) > WIDE)
  const speed = width(spread((cells.get('bare') ?? []).map((cell) => cell.requestsPerSecond)))
  const held = names.filter(
    (name) => middle(cells, name, 'loadBusy') > 0.95 && middle(cells, name, 'serverBusy') < 0.9,
  )
  const said: string[] = []
  if (speed > WIDE)
    said.push(`NOISE: the speed of bare Express itself swung by ${(speed * 100).toFixed(0)} %.`)
  if (wide.length > 0) {
    said.push(`NOISE: rounds lie more than ${WIDE * 100} % apart for ${wide.map(title).join(', ')}.`)
  }
  if (held.length > 0) said.push(`LIMIT: the load could not ask faster of ${held.map(title).join(', ')}.`)
  return said
}

function width({ median, min, max }: Spread): number {
  return (max - min) / median
}
