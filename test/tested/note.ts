import { appendFileSync } from 'node:fs'

/** Where `npm run tested` collects what a run has shown; nowhere otherwise. */
const report = process.env['TESTED_REPORT']

/** What a page of tested things is made of: the store contract ran, whole, with a client on a server. */
export interface StoreNote {
  page: 'stores'
  store: string
  client: string
  server: string
}

export type Table = 'adapters' | 'cookie' | 'runtimes, adapters' | 'runtimes, stores'

/** What a cell is made of: a rule of a contract held, or does not apply, and why. */
export interface RuleNote {
  page: 'adapters' | 'runtimes'
  table: Table
  /** The heading of the column, with the version. */
  column: string
  /** Which of the ways of the column, where it has several; else empty. */
  way: string
  rule: string
  skip?: string | undefined
}

export type Note = StoreNote | RuleNote

/** Notes what has just been shown. */
export function note(shown: Note): void {
  if (report) appendFileSync(report, `${JSON.stringify(shown)}\n`)
}
