import { Figures } from './figures.ts'
import type { Run } from './run.ts'
import { type Spread, show, table } from './statistics.ts'
import { type By, besides, type Framework, type Variant, variants } from './variants.ts'
import { type WorkloadName, workloads } from './workloads.ts'

/** The table of one workload on one framework, with what must be known to believe it. */
export function report(run: Run, workload: WorkloadName, framework: Framework): string {
  const figures = new Figures(run, workload)
  const shown = [...variants.values()].filter(
    (variant) => variant.framework === framework && figures.has(variant),
  )
  const [bare] = shown
  if (!bare) return ''
  const rows = shown.map((variant) => [
    variant.title,
    show(figures.ratio(variant, 'requestsPerSecond'), 2),
    show(figures.ratio(variant, 'cpuPerRequest'), 2),
    variant === bare ? '' : show(figures.added(variant), 0),
    String(run.cookieBytes[variant.name] || ''),
    `${(figures.own(variant, 'serverBusy').median * 100).toFixed(0)} %`,
  ])
  const head = [
    `${bare.title} = 1`,
    'requests per second',
    'CPU per request',
    'CPU added, µs',
    'cookie, bytes',
    'server busy',
  ]
  return [
    `### ${bare.title.replace(' alone', '')}: ${workloads[workload].title}\n`,
    table(head, rows, 'right'),
    '',
    ...shown.flatMap((variant) => shares(figures, variant)),
    ...warnings(figures, shown, bare),
    '',
  ].join('\n')
}

/** What the sessions alone cost, side by side: the CPU above that of the bare framework. */
function shares(figures: Figures, variant: Variant): string[] {
  const beside = (['peer', 'floor', 'floor-turn'] as const).flatMap((by) => {
    const other = besides(variant, by)
    const share = other && figures.has(other) ? figures.share(variant, other) : undefined
    const who = FLOORS[by] ?? other?.title
    return share ? [`${show(share, 2)} times the CPU that ${who} adds`] : []
  })
  return beside.length > 0 ? [`- ${variant.title} adds ${beside.join(', and ')}.`] : []
}

const FLOORS: Partial<Record<By, string>> = {
  floor: 'the floor',
  'floor-turn': 'the floor at the end of the turn (both above the bare one there)',
}

// Wider than what two cores of a quiet machine show.
const WIDE = 0.15

function warnings(figures: Figures, shown: readonly Variant[], bare: Variant): string[] {
  const title = (variant: Variant) => `"${variant.title}"`
  const wide = shown.filter((variant) => width(figures.ratio(variant, 'requestsPerSecond')) > WIDE)
  const speed = width(figures.own(bare, 'requestsPerSecond'))
  const held = shown.filter(
    (variant) =>
      figures.own(variant, 'loadBusy').median > 0.95 && figures.own(variant, 'serverBusy').median < 0.9,
  )
  const said: string[] = []
  if (speed > WIDE)
    said.push(
      `NOISE: the speed of ${bare.title} itself swung by ${(speed * 100).toFixed(0)} % in the middle half of the rounds.`,
    )
  if (wide.length > 0) {
    said.push(
      `NOISE: the middle half of the rounds lie more than ${WIDE * 100} % apart for ${wide.map(title).join(', ')}.`,
    )
  }
  if (held.length > 0) said.push(`LIMIT: the load could not ask faster of ${held.map(title).join(', ')}.`)
  return said
}

function width({ median, low, high }: Spread): number {
  return (high - low) / median
}
