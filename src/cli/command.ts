import type { ParseArgsOptionsConfig } from 'node:util'

/** One command of the command line. */
export interface Command {
  /** One line for the list of commands. */
  summary: string
  /** The names of the arguments, all of them needed. */
  positionals: readonly string[]
  /** The command's own options; `--help` and `--json` are everybody's. */
  options: ParseArgsOptionsConfig
  /** What `--help` says about the arguments and options. */
  help: string
  run(call: Call): Promise<Result>
}

/** How a command was called. */
export interface Call {
  positionals: readonly string[]
  values: Readonly<Record<string, unknown>>
  /** Tells a waiting person how far a long command has come. */
  progress(text: string): void
}

/** What a command found out, for people and for programs. */
export interface Result {
  text: string
  json: unknown
  /** @defaultValue 0 */
  exitCode?: number
}

/** The command was called in a way that cannot work. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

/** The command could not do what it was asked to, for a reason that the message tells. */
export class Failure extends Error {
  override readonly name = 'Failure'
}
