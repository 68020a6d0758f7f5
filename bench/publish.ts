import { readFile, writeFile } from 'node:fs/promises'
import { chart, DARK, LIGHT } from './chart.ts'
import { Figures } from './figures.ts'
import { frameworkOf, measuredIn, type Pair, pairs, titleOf } from './pairs.ts'
import { report } from './report.ts'
import type { Run } from './run.ts'
import { show, table } from './statistics.ts'
import { frameworks, variants } from './variants.ts'

/** Writes what the documentation says of speed from the JSON of one run: the chart, the README's table, and all tables. */
export async function publish(file: string): Promise<void> {
  const run: Run = JSON.parse(await readFile(file, 'utf8'))
  const peers = pairs(run, 'peer')
  await writeFile(place('docs/speed.svg'), chart(run, peers, LIGHT))
  await writeFile(place('docs/speed-dark.svg'), chart(run, peers, DARK))
  const floors = (['floor', 'floor-turn'] as const).flatMap((by) => pairs(run, by, 'node'))
  await replace('README.md', 'speed', summary(run, [...peers, ...floors]))
  const tables = frameworks.flatMap((framework) =>
    measuredIn(run).map((workload) => report(run, workload, framework).replace('###', '####')),
  )
  await replace('bench/README.md', 'run', [about(run), ...tables.filter(Boolean)].join('\n\n'))
}

function summary(run: Run, rows: readonly Pair[]): string {
  const cells = rows.map(({ ours, other }) => [
    `${frameworkOf(ours)}: ${ours.title}`,
    // The store is told by the first column.
    other.title.replace(
      `, ${ours.title.replace('Sojourn, ', '')}`,
      other.name.includes('/floor') ? '' : '$&',
    ),
    ...measuredIn(run).map((workload) => {
      const figures = new Figures(run, workload)
      const [mine, theirs] = figures.addedBeside(ours, other).map(({ median }) => median.toFixed(0))
      const share = figures.share(ours, other)
      return `${mine} / ${theirs}${share ? ` = **${show(share, 2).replace(' ', '** ')}` : ''}`
    }),
  ])
  const head = ['', 'beside', ...measuredIn(run).map((workload) => titleOf(workload))]
  return `CPU that sessions add to a request, in microseconds, Sojourn's / the other's, and as a ratio: medians of ${run.rounds} rounds, and
within which the middle half of them lies. Less is better; there is no ratio
to what adds less than a tenth of the bare framework's CPU.

<picture>
  <source media="(prefers-color-scheme: dark)" srcset="docs/speed-dark.svg">
  <img src="docs/speed.svg" alt="A chart of the CPU that sessions add to a request; the figures are in the table below">
</picture>

${table(head, cells, 'right')}

${inOneGo(run)}

${about(run)} All figures: [\`bench/\`](bench/README.md#a-run).`
}

/** What of it any server could have, told apart. */
function inOneGo(run: Run): string {
  const figures = new Figures(run, 'visit')
  const rows = frameworks.flatMap((framework) => {
    const [alone, inTurn, ours, peer] = ['bare', 'bare-turn', 'memory/sojourn', 'memory/peer'].map((name) => {
      const variant = variants.get(`${framework}/${name}`)
      return variant && figures.has(variant) ? figures.own(variant, 'cpuPerRequest').median.toFixed(0) : ''
    })
    const bare = variants.get(`${framework}/bare`)
    return bare && ours ? [[frameworkOf(bare), alone ?? '', inTurn ?? '', ours, peer ?? '']] : []
  })
  const head = [
    'CPU of a whole request, µs',
    'alone',
    'alone, at the end of the turn',
    'Sojourn in memory, visit counter',
    'the other package',
  ]
  return `Below 0 is less than the framework alone: Sojourn looks after the requests that arrived in one turn of the event loop one right
after the other ([why](decisions/end-of-turn.md)). A site without sessions could do that too:

${table(head, rows, 'right')}`
}

function about({ at, surroundings, rounds, seconds }: Run): string {
  return `Measured on ${at.slice(0, 10)} by \`npm run bench\`, ${rounds} rounds of ${seconds} s each: ${surroundings.replaceAll('\n', '; ')}.`
}

/** Puts a text between the two comments of that name. */
async function replace(file: string, name: string, text: string): Promise<void> {
  const page = await readFile(place(file), 'utf8')
  const [begin, end] = [`<!-- ${name} -->`, `<!-- /${name} -->`]
  const [from, to] = [page.indexOf(begin), page.indexOf(end)]
  if (from < 0 || to < from) throw new Error(`${file} has no ${begin} ... ${end}`)
  await writeFile(place(file), `${page.slice(0, from + begin.length)}\n${text}\n${page.slice(to)}`)
}

function place(file: string): URL {
  return new URL(`../${file}`, import.meta.url)
}
