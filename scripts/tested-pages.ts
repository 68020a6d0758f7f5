// The pages of what was tested, as `npm run tested` writes them: from what the tests have noted while they ran.
//   tested-pages.ts REPORT PAGE...
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { storeContract } from '../src/testing/store-contract.ts'
import type { StoreHarness } from '../src/testing/store-harness.ts'
import { ADAPTERS, NODE, type TestedAdapter } from '../test/tested/adapters.ts'
import { COOKIE_SERVERS } from '../test/tested/cookie.ts'
import type { Note, RuleNote, StoreNote, Table } from '../test/tested/note.ts'
import { TESTED_RUNTIMES } from '../test/tested/runtimes.ts'
import { ADAPTER_RULES, type Column, expectedNotes, TABLES } from '../test/tested/tables.ts'

type Rules = readonly { readonly group: string; readonly name: string }[]

const STORE_RULES: Rules = storeContract({ abilities: {} } as StoreHarness)

const PAGES: Record<Note['page'], { file: string; write(notes: Note[]): string }> = {
  stores: {
    file: 'docs/stores/tested.md',
    write: (notes) => storesPage(notes.filter((note) => note.page === 'stores')),
  },
  adapters: {
    file: 'docs/frameworks/tested.md',
    write: (notes) => adaptersPage(notes.filter((note): note is RuleNote => note.page === 'adapters')),
  },
  runtimes: {
    file: 'docs/runtimes-tested.md',
    write: (notes) => runtimesPage(notes.filter((note): note is RuleNote => note.page === 'runtimes')),
  },
}

/** The table of clients and servers. */
function storesPage(notes: readonly StoreNote[]): string {
  const rows = new Set(notes.map(({ store, client, server }) => `| ${store} | ${client} | ${server} |`))
  if (rows.size === 0) throw new Error('The store contract ran with nothing')
  return `# Tested clients and servers

The store contract ran, whole, with each of these. The page is written by that run: \`npm run tested\`.

| store | client | server |
|---|---|---|
${[...rows].sort().join('\n')}
`
}

/**
 * The tables of rules by adapter.
 * @throws Error when a rule was not run, or left out for no reason, or when something ran that is no column of the page
 */
export function adaptersPage(notes: readonly RuleNote[]): string {
  checkAll('adapters', notes)
  const how = ({ by, ways }: TestedAdapter) =>
    [by, ways.filter(Boolean).join(', and ')].filter(Boolean).join('; ')
  const adapters: readonly TestedAdapter[] = Object.values(ADAPTERS)
  const rows = adapters.map((one) => `| ${one.column} | \`sojourn/${one.entry}\` | ${how(one)} |`)
  return `# Tested adapters

${about('adapters', 'an adapter')}

## Adapters

Each over real HTTP on ${NODE}; for others see [runtimes](../runtimes.md).

| adapter | entry point | how |
|---|---|---|
${rows.join('\n')}

${sectionOf('adapters', ADAPTER_RULES, notes)}

## Sessions in the cookie

With [\`cookieStore\`](../stores/cookie.md) there is less that can hold. Each column ran on ${COOKIE_SERVERS.join(', ')}; that what does not
apply would indeed fail is tested, too.

${sectionOf('cookie', ADAPTER_RULES, notes)}
`
}

/**
 * The tables of rules by runtime.
 * @throws Error as `adaptersPage` does
 */
export function runtimesPage(notes: readonly RuleNote[]): string {
  checkAll('runtimes', notes)
  const runtimes = Object.values(TESTED_RUNTIMES)
  const adapters = runtimes.map(({ column, adapters }) => `| ${column} | ${adapters.join(', ')} |`)
  const stores = runtimes.map(
    ({ column, stores }) => `| ${column} | ${stores.map(({ subject }) => subject).join(', ')} |`,
  )
  return `# Tested runtimes

${about('runtimes', 'a runtime')}

## The rules for adapters

| runtime | adapters |
|---|---|
${adapters.join('\n')}

${sectionOf('runtimes, adapters', ADAPTER_RULES, notes)}

## The rules for stores

| runtime | stores |
|---|---|
${stores.join('\n')}

${sectionOf('runtimes, stores', STORE_RULES, notes)}
`
}

function about(page: RuleNote['page'], what: string): string {
  return `Written by the run itself, \`npm run tested -- ${page}\`: nothing stands here that was not run. The rules are those that
\`sojourn/testing\` has for authors of adapters and stores. There are two kinds of cells:

- ✓ the rule was run, with all that the column stands for, and held;
- – the rule does not apply, for the reason of that number. After ✓ a number tells to which part it does not apply.

A rule that failed, or that was left out without a reason, would have left the page unwritten. When ${what}, a rule or an installed
version is another than here, a test fails (\`test/tested\`).`
}

function checkAll(page: RuleNote['page'], notes: readonly RuleNote[]): void {
  const [expected, found] = [idsOf(expectedNotes(page)), idsOf(notes)]
  const missing = [...expected].filter((id) => !found.has(id)).map((id) => `missing: ${id}`)
  const unknown = [...found].filter((id) => !expected.has(id)).map((id) => `unknown: ${id}`)
  if (missing.length + unknown.length === 0) return
  const some = [...missing, ...unknown].slice(0, 20).join('\n')
  throw new Error(`${missing.length} rules were not run, ${unknown.length} are no part of the page\n${some}`)
}

/** A table for each group of rules, and the reasons below them. */
function sectionOf(table: Table, rules: Rules, all: readonly RuleNote[]): string {
  const columns = TABLES[table]
  const notes = notesOf(all, table)
  const reasons: string[] = []
  const numberOf = (reason: string): number => {
    if (!reasons.includes(reason)) reasons.push(reason)
    return reasons.indexOf(reason) + 1
  }
  const cell = (rule: string, { name: column, ways }: Column): string => {
    const skipped = ways.flatMap(({ name: way }) => {
      const why = notes.get(keyOf(column, way, rule))
      return why ? [{ way, why }] : []
    })
    const isLeftOut = skipped.length === ways.length
    const reasons = new Set(skipped.map(({ why }) => why))
    const numbers = [...reasons].map((why) => {
      const parts = skipped.filter((one) => one.why === why).map(({ way }) => way)
      return numberOf(parts.length === ways.length ? why : `${parts.join(', ')}: ${why}`)
    })
    return [isLeftOut ? '–' : '✓', ...(numbers.length > 0 ? [`(${numbers.join(', ')})`] : [])].join(' ')
  }
  const groups = [...new Set(rules.map(({ group }) => group))].map((group) => {
    const rows = rules
      .filter((rule) => rule.group === group)
      .map(({ name }) => `| ${name} | ${columns.map((column) => cell(name, column)).join(' | ')} |`)
    return `### ${group}

| | ${columns.map(({ name }) => name).join(' | ')} |
|---|${columns.map(() => ':-:').join('|')}|
${rows.join('\n')}`
  })
  if (reasons.length === 0) return groups.join('\n\n')
  const why = reasons.map((reason, i) => `${i + 1}. ${reason}`)
  return [...groups, `Not applicable, because:\n\n${why.join('\n')}`].join('\n\n')
}

/** Why a rule does not apply, by its place; `undefined` where it held. */
function notesOf(notes: readonly RuleNote[], table: Table): Map<string, string | undefined> {
  const those = notes.filter((note) => note.table === table)
  return new Map(those.map(({ column, way, rule, skip }) => [keyOf(column, way, rule), skip]))
}

function keyOf(column: string, way: string, rule: string): string {
  return JSON.stringify([column, way, rule])
}

function idsOf(notes: readonly RuleNote[]): Set<string> {
  return new Set(
    notes.map(({ table, column, way, rule, skip }) => {
      const place = way ? `${column}, ${way}` : column
      return `${table}, on ${place}: ${rule}${skip ? ` (not applicable: ${skip})` : ''}`
    }),
  )
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [, , report = '', ...names] = process.argv
  const notes = readFileSync(report, 'utf8')
    .trim()
    .split('\n')
    .map((line): Note => JSON.parse(line))
  for (const name of names) {
    const { file, write } = PAGES[name as Note['page']]
    writeFileSync(new URL(`../${file}`, import.meta.url), write(notes))
    console.log(`${file} is written`)
  }
}
