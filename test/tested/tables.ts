import { adapterContract } from '../../src/testing/adapter-contract.ts'
import type { Rule } from '../runtimes/program/suite.ts'
import { ADAPTERS, type TestedAdapter } from './adapters.ts'
import { COOKIE_SERVERS, KINDS } from './cookie.ts'
import type { RuleNote, Table } from './note.ts'
import { TESTED_RUNTIMES, type TestedRuntime } from './runtimes.ts'

/** A column of a table, and what has to hold in it, in each of its ways. */
export interface Column {
  readonly name: string
  readonly ways: readonly { readonly name: string; readonly rules: readonly TestedRule[] }[]
}

type TestedRule = Pick<Rule, 'name' | 'skip'>

const notServed = () => Promise.reject(new Error('Only the rules are wanted'))

/** The rules that every adapter has to hold to. */
export const ADAPTER_RULES = adapterContract(notServed)

const runtimes: readonly TestedRuntime[] = Object.values(TESTED_RUNTIMES)
const adapters: readonly TestedAdapter[] = Object.values(ADAPTERS)

/** What the run of `npm run tested` has to show: all of it, or there is no page. */
export const TABLES: Readonly<Record<Table, readonly Column[]>> = {
  adapters: adapters.map(({ column, ways }) => columnOf(column, ways)),
  cookie: Object.entries(KINDS).map(([kind, options]) =>
    columnOf(kind, COOKIE_SERVERS, adapterContract(notServed, options)),
  ),
  'runtimes, adapters': runtimes.map(({ column, adapters }) => columnOf(column, adapters)),
  'runtimes, stores': runtimes.map(({ column, stores }) => ({
    name: column,
    ways: stores.map(({ subject, rules }) => ({ name: subject, rules })),
  })),
}

const TABLES_OF: Readonly<Record<RuleNote['page'], readonly Table[]>> = {
  adapters: ['adapters', 'cookie'],
  runtimes: ['runtimes, adapters', 'runtimes, stores'],
}

/** The notes that such a run makes for a page. */
export function expectedNotes(page: RuleNote['page']): RuleNote[] {
  return TABLES_OF[page].flatMap((table) =>
    TABLES[table].flatMap(({ name: column, ways }) =>
      ways.flatMap(({ name: way, rules }) =>
        rules.map(({ name: rule, skip }) => ({
          page,
          table,
          column,
          way,
          rule,
          skip,
        })),
      ),
    ),
  )
}

function columnOf(
  name: string,
  ways: readonly string[],
  rules: readonly TestedRule[] = ADAPTER_RULES,
): Column {
  return { name, ways: ways.map((way) => ({ name: way, rules })) }
}
