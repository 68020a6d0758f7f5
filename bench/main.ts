/*
 * npm run bench                  requests per second with and without sessions, 40 minutes
 * npm run bench -- --quick       a few of them, rougher, in two minutes
 * npm run bench -- hot           one session that 64 connections change at once
 * npm run bench -- publish <file> writes the chart and the tables of the documentation from the JSON of a run
 * npm run bench -- lost          what is lost under 100 parallel requests, on every store
 * npm run bench -- purge         what visitors notice while a million sessions are purged
 * npm run bench -- layer         one request through the session layer alone: CPU and memory
 * npm run bench -- size          reads and writes among up to a million sessions, and bytes a session
 * npm run bench -- bytes         what a session takes in each kind of store
 * npm run bench -- scale         a simulation: a million requests a second over a hundred million sessions
 * npm run bench -- cluster       four application processes on a cluster of Redis: where keys and commands go
 */
import { parseArgs } from 'node:util'
import { bytes } from './bytes.ts'
import { cluster } from './cluster.ts'
import { hotSession } from './hot.ts'
import { lostUpdates } from './lost-updates.ts'
import { publish } from './publish.ts'
import { purge } from './purge.ts'
import { scale } from './scale.ts'
import { size } from './size.ts'
import { throughput } from './throughput.ts'

const usage = `npm run bench -- [bytes | cluster | hot | layer | lost | purge | scale | size | publish <file>] [options]
  hot               one session that 64 connections change at once, beside 64 sessions
  lost              what is lost under 100 parallel requests on every store, instead of requests per second
  layer             one request through the session layer alone (--only, --json)
  purge             what visitors notice while a million sessions are purged
  size              reads and writes among up to a million sessions, and bytes a session
  bytes             what a session takes in each kind of store
  scale             a simulation: a million requests a second over a hundred million sessions
  cluster           four application processes on a cluster of Redis: where keys and commands go
  publish <file>    writes the chart and the tables of the documentation from what --json wrote
  --quick           a few variants, fewer and shorter rounds: a smoke test
  --rounds <n>      how often each server is measured (11; hot and lost: 5)
  --seconds <s>     how long each time (0.4; hot: 1)
  --only <text>     only what has this text in its name: express/redis, fastify/cookie, sojourn; or a kind of store
  --sessions <n>    purge: how many sessions; size, bytes, cluster: at most so many (1000000)
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
      sessions: { type: 'string', default: '1000000' },
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
const roundsOr = (usual: string) => Math.ceil(count(values.rounds ?? usual))
const secondsOr = (usual: string) => count(values.seconds ?? usual)

if (values.help) console.log(usage)
else if (positionals.length === 0) {
  const [rounds, seconds] = quick ? [roundsOr('3'), secondsOr('0.3')] : [roundsOr('11'), secondsOr('0.4')]
  await throughput({ rounds, seconds, warmUp: quick ? 0.5 : 4, only, quick, workload, json, profile })
} else if (positionals.length === 1 && positionals[0] === 'hot')
  await hotSession({
    rounds: roundsOr(quick ? '3' : '5'),
    seconds: secondsOr(quick ? '0.3' : '1'),
    only,
    json,
  })
else if (positionals.length === 2 && positionals[0] === 'publish') await publish(positionals[1] ?? '')
else if (positionals.length === 1 && positionals[0] === 'lost')
  await lostUpdates({ rounds: roundsOr('5'), only, json })
else if (positionals.length === 1 && positionals[0] === 'purge')
  await purge({ sessions: count(values.sessions), only, json })
else if (positionals.length === 1 && positionals[0] === 'size') {
  const sizes = [1e3, 1e4, 1e5, 1e6].filter((size) => size <= count(values.sessions))
  await size({ sizes, calls: quick ? 100 : 2000, only, json })
} else if (positionals.length === 1 && positionals[0] === 'bytes')
  await bytes({ sessions: count(values.sessions), only, json })
else if (positionals.length === 1 && positionals[0] === 'scale') await scale({ json })
else if (positionals.length === 1 && positionals[0] === 'cluster')
  await cluster({ sessions: Math.min(count(values.sessions), 60_000), only, json })
else refuse(`Unknown: ${positionals.join(' ')}`)

// A store of the other package keeps a timer running for ever.
process.exit()
