import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Child } from './child.ts'
import type { Job, PreparedSession, Yield } from './load.ts'
import { surroundings } from './machine.ts'
import { available, startPlace } from './places.ts'
import { LOAD_CORE, type Load, SERVER_CORE } from './site.ts'
import { type Spread, show, spread, table } from './statistics.ts'
import { chosen, type Variant } from './variants.ts'
import { workloads } from './workloads.ts'

export interface HotOptions {
  rounds: number
  /** How long each measurement takes, about. */
  seconds: number
  /** Part of the names of the variants wanted. */
  only: string
  json: string | undefined
}

const CONNECTIONS = 64
const WARM_UP = 3000

interface Result {
  title: string
  /** Requests per second of many sessions, round by round, and of one. */
  many: number[]
  one: number[]
  /** How many visits were answered for the one session, and how many it counted. */
  answered: number
  counted: number
}

/** 64 connections that all change one session, beside as many that change one each. */
export async function hotSession({ rounds, seconds, only, json }: HotOptions): Promise<void> {
  const wanted = chosen(only, false).filter(({ name }) => /^express\/.+\/(sojourn|peer)$/.test(name))
  const kinds = available([...new Set(wanted.flatMap(({ needs }) => needs ?? []))])
  const variants = wanted.filter(({ needs }) => !needs || kinds.includes(needs))
  console.log(`${surroundings()}\n${CONNECTIONS} connections, ${rounds} rounds of about ${seconds} s.\n`)
  const folder = await mkdtemp(join(tmpdir(), 'sojourn-bench-'))
  const { child: load } = await Child.start<Job, Yield>('load.ts', [], LOAD_CORE)
  const results: Result[] = []
  try {
    for (const variant of variants) results.push(await measure(variant, load, folder, rounds, seconds))
  } finally {
    await load.stop()
    await rm(folder, { recursive: true, force: true })
  }
  console.log(tableOf(results))
  if (json)
    await writeFile(
      json,
      `${JSON.stringify({ surroundings: surroundings(), rounds, seconds, results }, null, 1)}\n`,
    )
}

async function measure(
  variant: Variant,
  load: Load,
  folder: string,
  rounds: number,
  seconds: number,
): Promise<Result> {
  const place = variant.needs && (await startPlace(variant.needs))
  const own = await mkdtemp(join(folder, 'hot-'))
  const { child: server, greeting } = await Child.start(
    'server.ts',
    [variant.name, own, place?.url ?? ''],
    SERVER_CORE,
  )
  const port = Number(greeting)
  try {
    const [one = [], many = []] = [await prepare(port, 1), await prepare(port, CONNECTIONS)]
    const result: Result = { title: variant.title, many: [], one: [], answered: 0, counted: 0 }
    // So many requests, not so long: none is cut off, and each that was answered must have been counted.
    const visit = async (sessions: PreparedSession[], amount: number): Promise<number> => {
      const job = { port, workload: 'visit', sessions, amount, connections: CONNECTIONS, seconds } as const
      const isShared = sessions === one
      const done = await load.ask({ ...job, isShared, hasSessions: !isShared, hasMovingCookies: false })
      if (isShared) result.answered += done.answers
      else many.splice(0, many.length, ...done.sessions.map((session) => ({ ...session, cutOff: 0 })))
      return done.answers / done.seconds
    }
    const amounts = [await visit(many, WARM_UP), await visit(one, WARM_UP)].map((rate) =>
      Math.max(CONNECTIONS, Math.round(rate * seconds)),
    )
    for (let round = 0; round < rounds; round++) {
      result.many.push(await visit(many, amounts[0] ?? CONNECTIONS))
      result.one.push(await visit(one, amounts[1] ?? CONNECTIONS))
    }
    result.counted = (await count(port, one[0]?.cookie ?? '')) - 1
    if (variant.name.endsWith('/sojourn') && result.counted !== result.answered) {
      throw new Error(`${variant.title} counted ${result.counted} of ${result.answered} visits`)
    }
    return result
  } finally {
    await server.stop()
    await place?.remove()
  }
}

async function prepare(port: number, sessions: number): Promise<PreparedSession[]> {
  const all: PreparedSession[] = []
  for (let i = 0; i < sessions; i++) {
    const response = await fetch(`http://127.0.0.1:${port}/prepare`)
    const cookie = response.headers.getSetCookie()[0]?.split(';')[0] ?? ''
    all.push({ cookie, count: 0, cutOff: 0 })
  }
  return all
}

async function count(port: number, cookie: string): Promise<number> {
  const body = await (await fetch(`http://127.0.0.1:${port}/`, { headers: { cookie } })).text()
  return Number(workloads.visit.body.exec(body)?.[1])
}

function tableOf(results: readonly Result[]): string {
  const rows = results.map(({ title, many, one, answered, counted }) => [
    title,
    show(spread(many), 0),
    show(shares(one, many), 2),
    `${counted} of ${answered}`,
  ])
  const head = ['', '64 sessions: visits per second', 'one session, where that is 1', 'of its visits counted']
  return table(head, rows, 'right')
}

/** Taken inside each round. */
function shares(one: readonly number[], many: readonly number[]): Spread {
  return spread(one.map((rate, round) => rate / (many[round] ?? Number.NaN)))
}
