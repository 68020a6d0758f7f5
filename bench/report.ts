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

function warnings(cells: Cells): string[] {
  return [...cells.keys()].flatMap((name) => {
    const { median, min, max } = ratio(cells, name, 'requestsPerSecond')
    const rates = spread((cells.get(name) ?? []).map((cell) => cell.requestsPerSecond))
    const { title } = variants[name]
    const said: string[] = []
    const range = (max - min) / median
    if (range > 0.3) said.push(`NOISE: the ratios of "${title}" lie ${(range * 100).toFixed(0)} % apart.`)
    const swing = (rates.max - rates.min) / rates.median
    if (swing > 0.5)
      said.push(`NOISE: the speed of "${title}" itself swung by ${(swing * 100).toFixed(0)} %.`)
    if (middle(cells, name, 'loadBusy') > 0.95 && middle(cells, name, 'serverBusy') < 0.9) {
      said.push(`LIMIT: the load, not "${title}", was what held this back.`)
    }
    return said
  })
}
