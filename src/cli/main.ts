#!/usr/bin/env node
import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { isKey } from '../id.ts'
import { nearest } from '../nearest.ts'
import { type Command, Failure, UsageError } from './command.ts'
import { inspect } from './inspect.ts'
import { purge } from './purge.ts'
import { schema } from './schema.ts'
import { secret } from './secret.ts'

const COMMANDS: Readonly<Record<string, Command>> = { secret, schema, purge, inspect }

const OPTIONS = {
  help: { type: 'boolean', short: 'h' },
  json: { type: 'boolean' },
} as const

const OK = 0
const FAILED = 1
const MISUSED = 2

// A reader that has seen enough (`| head`) is no failure of ours.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
})
process.exitCode = await main(process.argv.slice(2))

async function main(args: readonly string[]): Promise<number> {
  try {
    return await run(args)
  } catch (error) {
    console.error(`sojourn: ${reason(error)}`)
    if (!(error instanceof UsageError)) return FAILED
    console.error('Try: sojourn --help')
    return MISUSED
  }
}

async function run([name, ...args]: readonly string[]): Promise<number> {
  if (name === undefined) throw new UsageError('no command given')
  if (name === '--help' || name === '-h') return print(overview())
  if (name === '--version') return print(version())
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined
  if (!command) throw new UsageError(unknownCommand(name))

  const { values, positionals } = parsed(args, command)
  if (values['help']) return print(helpOf(name, command))
  expectPositionals(positionals, command)
  const silent = values['json'] === true
  const result = await command.run({ positionals, values, progress: silent ? () => undefined : progress() })
  print(values['json'] ? JSON.stringify(result.json) : result.text)
  return result.exitCode ?? OK
}

function parsed(args: string[], command: Command) {
  const options = { ...OPTIONS, ...command.options }
  try {
    return parseArgs({ args: handlesLast(args), options, allowPositionals: true })
  } catch (error) {
    // Node throws it for a wrong call, with the option in its message.
    throw error instanceof TypeError ? new UsageError(parseFault(error, Object.keys(options))) : error
  }
}

/** A handle is random text, which may begin with the dash of an option. */
function handlesLast(args: string[]): string[] {
  const isDashed = (arg: string) => arg.startsWith('-') && isKey(arg)
  if (args.includes('--') || !args.some(isDashed)) return args
  return [...args.filter((arg) => !isDashed(arg)), '--', ...args.filter(isDashed)]
}

function parseFault({ message }: TypeError, options: readonly string[]): string {
  const [, unknown] = /^Unknown option '-*([^']*)'/.exec(message) ?? []
  if (unknown === undefined) return message
  const near = nearest(unknown, options)
  const hint = near ? `did you mean "--${near}"?` : `there are: --${options.join(', --')}`
  return `there is no option "${unknown}"; ${hint}`
}

function expectPositionals(given: readonly string[], { positionals }: Command): void {
  const missing = positionals[given.length]
  if (missing !== undefined) throw new UsageError(`<${missing}> is missing`)
  if (given.length > positionals.length) {
    throw new UsageError(`unexpected argument ${JSON.stringify(given[positionals.length])}`)
  }
}

function unknownCommand(name: string): string {
  const names = Object.keys(COMMANDS)
  const near = nearest(name, names)
  const hint = near ? `did you mean "${near}"?` : `there are: ${names.join(', ')}`
  return `${JSON.stringify(name)} is not a command; ${hint}`
}

/** Tells how far a long command has come: from the second second on, and once a second. */
function progress(): (text: string) => void {
  let told = Date.now()
  return (text) => {
    if (Date.now() - told < 1000) return
    told = Date.now()
    console.error(text)
  }
}

function usage(name: string, { positionals }: Command): string {
  return [name, ...positionals.map((positional) => `<${positional}>`)].join(' ')
}

function overview(): string {
  const usages = Object.entries(COMMANDS).map(([name, command]) => [usage(name, command), command.summary])
  const width = Math.max(...usages.map(([text = '']) => text.length))
  return `Tools for the sessions of a site.

Usage: sojourn <command> [options]

Commands:
${usages.map(([text = '', summary]) => `  ${text.padEnd(width)}  ${summary}`).join('\n')}

Options of all commands:
  --json      Prints the result as JSON, and nothing else
  -h, --help  Explains a command

  --version   Prints the version of Sojourn

Exit codes: 0 done, 1 failed, 2 called wrongly, 130 stopped by Ctrl-C`
}

function helpOf(name: string, command: Command): string {
  return `${command.summary}.

Usage: sojourn ${usage(name, command)} [options]

${command.help}

Options of all commands:
  --json      Prints the result as JSON, and nothing else
  -h, --help  Prints this`
}

function version(): string {
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))
  return String(version)
}

function print(text: string): number {
  process.stdout.write(`${text}\n`)
  return OK
}

/** What went wrong, down to what the outside world said. A fault of the program's own shows where it is. */
function reason(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const { message, cause } = error
  if (error instanceof UsageError || error instanceof Failure || 'code' in error || cause instanceof Error) {
    return cause instanceof Error && !message.includes(cause.message)
      ? `${message}: ${reason(cause)}`
      : message
  }
  return error.stack ?? message
}
