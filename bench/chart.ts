import { Figures } from './figures.ts'
import { frameworkOf, measuredIn, type Pair, titleOf } from './pairs.ts'
import type { Run } from './run.ts'
import type { Spread } from './statistics.ts'
import { besides, type Variant } from './variants.ts'

export interface Theme {
  paper: string
  ink: string
  faint: string
  ours: string
  other: string
  floor: string
}

export const LIGHT: Theme = {
  paper: '#ffffff',
  ink: '#1f2328',
  faint: '#59636e',
  ours: '#0969da',
  other: '#afb8c1',
  floor: '#bc4c00',
}

export const DARK: Theme = {
  paper: '#0d1117',
  ink: '#e6edf3',
  faint: '#9198a1',
  ours: '#4493f8',
  other: '#545d68',
  floor: '#f0883e',
}

const LABELS = 280
const COLUMN = 165
/** What is left of a column for the figure behind the longest bar. */
const BARS = 115
const HEAD = 84
const ROW = 44
const BAR = 11
const FOOT = 30

/**
 * Each row has a scale of its own, from 0 to the highest of its figures: it compares two packages on one framework and store,
 * not frameworks. Bars are medians, thin lines have the middle half of the rounds.
 */
export function chart(run: Run, pairs: readonly Pair[], theme: Theme): string {
  const workloads = measuredIn(run)
  const width = LABELS + workloads.length * COLUMN
  const height = HEAD + pairs.length * ROW + FOOT
  const columns = workloads.map((workload, i) =>
    text(LABELS + i * COLUMN, HEAD - 10, titleOf(workload), theme.ink),
  )
  const rows = pairs.map((pair, i) => row(run, pair, HEAD + i * ROW, theme))
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="system-ui, sans-serif" font-size="12">
<title>CPU that sessions add to a request</title>
<rect width="${width}" height="${height}" fill="${theme.paper}"/>
${text(12, 24, 'CPU that sessions add to a request, microseconds: less is better', theme.ink, 'font-size="15" font-weight="600"')}
${legend(theme)}
${columns.join('\n')}
${rows.join('\n')}
${text(12, height - 10, `${run.at.slice(0, 10)}, medians of ${run.rounds} rounds; lines: the middle half of them. Each row has a scale of its own.`, theme.faint, 'font-size="11"')}
</svg>
`
}

function legend(theme: Theme): string {
  const entries: [string, string][] = [
    [theme.ours, 'Sojourn'],
    [theme.other, 'the other package'],
    [theme.floor, 'written by hand: only what must be done'],
  ]
  return entries
    .map(([colour, label], i) => {
      const x = 12 + i * 145
      return `<rect x="${x}" y="38" width="10" height="10" fill="${colour}"/>${text(x + 15, 47, label, theme.faint)}`
    })
    .join('\n')
}

function row(run: Run, { ours, other }: Pair, top: number, theme: Theme): string {
  const floor = besides(ours, 'floor')
  const cells = measuredIn(run).map((workload) => {
    const figures = new Figures(run, workload)
    const added = (variant: Variant | undefined) =>
      variant && figures.has(variant) ? figures.added(variant) : undefined
    return { ours: added(ours), other: added(other), floor: added(floor) }
  })
  const most = Math.max(
    1,
    ...cells.flatMap(({ ours: mine, other: theirs }) => [mine?.high ?? 0, theirs?.high ?? 0]),
  )
  const scale = (value: number): number => (Math.max(0, value) / most) * BARS
  const bars = cells.map((cell, i) => {
    const x = LABELS + i * COLUMN
    return [
      bar(x, top + 4, cell.ours, scale, theme.ours, theme, cell.floor),
      bar(x, top + 4 + BAR + 2, cell.other, scale, theme.other, theme),
      cell.floor ? tick(x + scale(cell.floor.median), top + 2, theme.floor) : '',
    ].join('')
  })
  return [
    text(
      12,
      top + 15,
      `${frameworkOf(ours)}: ${ours.title.replace('Sojourn, ', '')}`,
      theme.ink,
      'font-weight="600"',
    ),
    text(12, top + 29, other.title, theme.faint, 'font-size="10"'),
    ...bars,
  ].join('\n')
}

/** @param mark - What else is marked beside it, which its figure is not to cover. */
function bar(
  x: number,
  y: number,
  added: Spread | undefined,
  scale: (value: number) => number,
  colour: string,
  theme: Theme,
  mark = added,
): string {
  if (!added) return ''
  const [from, to] = [x + scale(added.low), x + scale(added.high)]
  const middle = y + BAR / 2
  return [
    `<rect x="${x}" y="${y}" width="${round(scale(added.median))}" height="${BAR}" fill="${colour}"/>`,
    `<path d="M${round(from)} ${middle}H${round(to)}" stroke="${theme.ink}" stroke-width="1"/>`,
    text(
      Math.max(to, x + scale(added.median), x + scale(mark?.median ?? 0)) + 5,
      y + BAR - 1,
      added.median.toFixed(0),
      theme.ink,
      'font-size="11"',
    ),
  ].join('')
}

/** Through Sojourn's bar, since that is what the floor is there for. */
function tick(x: number, y: number, colour: string): string {
  return `<path d="M${round(x)} ${y}v${BAR + 4}" stroke="${colour}" stroke-width="2"/>`
}

function text(x: number, y: number, content: string, colour: string, more = ''): string {
  const escaped = content.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
  return `<text x="${round(x)}" y="${y}" fill="${colour}" ${more}>${escaped}</text>`
}

function round(value: number): string {
  return value.toFixed(1)
}
