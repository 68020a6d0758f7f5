/*
 * npm run bench                  requests per second with and without sessions, about five minutes
 * npm run bench -- --quick       the same, rougher, in two minutes
 * npm run bench -- lost          what is lost under 100 parallel requests
 */
import { parseArgs } from 'node:util'
import { lostUpdates } from './lost-updates.ts'
import { throughput } from './throughput.ts'

const usage = `npm run bench -- [lost] [options]
  lost              what is lost under 100 parallel requests, instead of requests per second
  --quick           shorter and fewer rounds: a smoke test
  --rounds <n>      how often each server is measured (7; lost: repetitions, 5)
  --seconds <s>     how long each time (1)
  --only <text>     only the variants whose name has this text, beside bare Express
  --workload <name> one of visit, read, untouched, first
  --json <file>     writes every figure to a file
  --profile <dir>   writes a CPU profile of each server there
`

function wanted() {
  return parseArgs({
    allowPositionals: true,
    options: {
      quick: { type: 'boolean', default: false },
      rounds: { type: 'string' },
      seconds: { type: 'string' },
      only: { type: 'string', default: '' },
      workload: { type: 'string', default: '' },
      json: { type: 'string' },
      profile: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  })
}

function refuse(reason: unknown): never {
  console.error(`${reason instanceof Error ? reason.message : reason}\n\n${usage}`)
  process.exit(2)
}

function parsed() {
  try {
    return wanted()
  } catch (error) {
    return refuse(error)
  }
}

function count(text: string): number {
  const number = Number(text)
  return number > 0 ? number : refuse(`"${text}" is not a number above zero`)
}

const { values, positionals } = parsed()
const { quick, only, workload, json, profile } = values
const rounds = Math.ceil(count(values.rounds ?? (quick ? '3' : '7')))
const seconds = count(values.seconds ?? (quick ? '0.5' : '1'))

if (values.help) console.log(usage)
else if (positionals.length === 0) await throughput({ rounds, seconds, only, workload, json, profile })
else if (positionals.length === 1 && positionals[0] === 'lost')
  await lostUpdates({ rounds: values.rounds ? rounds : 5, json })
else refuse(`Unknown: ${positionals.join(' ')}`)

// A store of the other package keeps a timer running for ever.
process.exit()
