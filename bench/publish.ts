import { readFile, writeFile } from 'node:fs/promises'
import { chart, DARK, LIGHT } from './chart.ts'
import { Figures } from './figures.ts'
import { frameworkOf, measuredIn, type Pair, pairs, titleOf } from './pairs.ts'
import { report } from './report.ts'
import type { Run } from './run.ts'
import { show, table } from './statistics.ts'
import { frameworks } from './variants.ts'

/** Writes what the documentation says of speed from the JSON of one run: the chart, the README's table, and all tables. */
export async function publish(file: string): Promise<void> {
  const run: Run = JSON.parse(await readFile(file, 'utf8'))
  const peers = pairs(run, 'peer')
  await writeFile(place('docs/speed.svg'), chart(run, peers, LIGHT))
  await writeFile(place('docs/speed-dark.svg'), chart(run, peers, DARK))
  await replace('README.md', 'speed', summary(run, [...peers, ...pairs(run, 'floor', 'node')]))
  const tables = frameworks.flatMap((framework) =>
    measuredIn(run).map((workload) => report(run, workload, framework).replace('###', '####')),
  )
  await replace('bench/README.md', 'run', [about(run), ...tables.filter(Boolean)].join('\n\n'))
}

function summary(run: Run, rows: readonly Pair[]): string {
  const cells = rows.map(({ ours, other }) => [
    `${frameworkOf(ours)}: ${ours.title}`,
    other.name.endsWith('/floor') ? 'written by hand: only what must be done' : other.title,
    ...measuredIn(run).map((workload) => {
      const figures = new Figures(run, workload)
      const [mine, theirs] = [figures.added(ours), figures.added(other)]
      return `${mine.median.toFixed(0)} / ${theirs.median.toFixed(0)} = **${show(figures.share(ours, other), 2).replace(' ', '** ')}`
    }),
  ])
  const head = ['', 'beside', ...measuredIn(run).map((workload) => titleOf(workload))]
  return `CPU that sessions add to a request, in microseconds, Sojourn's / the other's, and as a ratio: medians of ${run.rounds} rounds, and the lowest and
highest ratio. Less is better.

<picture>
  <source media="(prefers-color-scheme: dark)" srcset="docs/speed-dark.svg">
  <img src="docs/speed.svg" alt="A chart of the CPU that sessions add to a request; the figures are in the table below">
</picture>

${table(head, cells, 'right')}

${about(run)} All figures: [\`bench/\`](bench/README.md#a-run).`
}

function about({ at, surroundings, rounds, seconds }: Run): string {
  return `Measured on ${at.slice(0, 10)} by \`npm run bench\`, ${rounds} rounds of ${seconds} s: ${surroundings.replaceAll('\n', '; ')}.`
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
