import { writeFile } from 'node:fs/promises'
import { type Duration, milliseconds } from '../src/duration.ts'
import { extensionDue } from '../src/lifetime.ts'
import { newRecord } from '../src/record.ts'
import { type Counts, Lives } from './scale-lives.ts'
import { clusterTable, failoverTable, postgresTable } from './scale-servers.ts'
import { BEHAVIOUR, DAY, forEachPageLoad, randoms, visitsPerDay } from './scale-visitors.ts'
import { table } from './statistics.ts'

export interface ScaleOptions {
  json: string | undefined
}

/** What all of it is scaled to. */
const REQUESTS = 1e6
const VISITORS = 2000
const SEED = 20_261_130
/** Nothing is counted until all sessions of the beginning have ended. */
const WINDOW = { from: 31 * DAY, to: 45 * DAY }
/** The part of all requests that change the session. Where some do, it is the one for the page. */
const CHANGING = [0, 0.01, 0.05]

const TIMEOUTS: readonly [idle: Duration, absolute: Duration][] = [
  ['14d', '30d'],
  ['1d', '7d'],
  ['1h', '1d'],
  ['30m', '12h'],
]

interface Policy {
  idle: Duration
  absolute: Duration
  /** By the part of all requests that change something. */
  lives: Lives[]
}

interface Figures {
  idle: Duration
  absolute: Duration
  /** Milliseconds between two extensions, at least. */
  interval: number
  perSecond: PerSecond[]
}

/** What a second brings, and how many sessions there are. */
type PerSecond = Record<Exclude<keyof Counts, 'lived'>, number> & { sessions: number }

/** Prints, as Markdown, what many visitors ask of a store, by the rules of Sojourn and by arithmetic: no clock, no server. */
export async function scale({ json }: ScaleOptions): Promise<void> {
  const policies: Policy[] = TIMEOUTS.map(([idle, absolute]) => {
    const lifetimes = {
      idle: milliseconds(idle, 'idleTimeout'),
      absolute: milliseconds(absolute, 'absoluteTimeout'),
    }
    return { idle, absolute, lives: CHANGING.map(() => new Lives(lifetimes, WINDOW)) }
  })
  const pageLoads = simulate(
    policies.flatMap(({ lives }) => lives.map((life, i) => [life, CHANGING[i] ?? 0])),
  )
  const factor = REQUESTS / (pageLoads * BEHAVIOUR.requestsPerPageLoad)
  const figures: Figures[] = policies.map(({ idle, absolute, lives }) => ({
    idle,
    absolute,
    interval: intervalOf(milliseconds(idle, 'idleTimeout')),
    perSecond: lives.map(({ counts }) => perSecond(counts, factor)),
  }))
  const [usual] = figures
  const [still, few, busy] = usual?.perSecond ?? []
  if (!still || !few || !busy) throw new Error('Nothing was simulated')
  console.log(`${behaviour(factor)}\n`)
  console.log(`${trafficTable(figures)}\n`)
  console.log(`${clusterTable(REQUESTS, busy)}\n`)
  console.log(`${postgresTable(REQUESTS, busy)}\n`)
  console.log(failoverTable(busy))
  if (json) await writeFile(json, `${JSON.stringify({ behaviour: BEHAVIOUR, figures }, null, 1)}\n`)
}

/** How long a use is worth no write after the last one: found by asking. */
function intervalOf(idle: number): number {
  const record = newRecord(0)
  const lifetimes = { idle, absolute: 1000 * DAY }
  let [never, due] = [0, idle]
  while (due - never > 1) {
    const middle = Math.floor((never + due) / 2)
    if (extensionDue(record, idle, lifetimes, middle)) due = middle
    else never = middle
  }
  return due
}

/** Answers how many page loads a second were counted. */
function simulate(lives: readonly (readonly [Lives, changing: number])[]): number {
  const random = randoms(SEED)
  let pageLoads = 0
  for (const rate of visitsPerDay(VISITORS)) {
    const part = random()
    for (const [life] of lives) life.next(part)
    forEachPageLoad(rate, WINDOW.to, random, (at) => {
      if (at >= WINDOW.from) pageLoads++
      // One number for all, so that whoever changes in one of them changes in those that change more.
      const chance = random() / BEHAVIOUR.requestsPerPageLoad
      for (const [life, changing] of lives) life.use(at, chance < changing)
    })
  }
  for (const [life] of lives) life.next(0)
  return (pageLoads * 1000) / (WINDOW.to - WINDOW.from)
}

function perSecond({ lived, ...counts }: Counts, factor: number): PerSecond {
  const length = WINDOW.to - WINDOW.from
  const rates = Object.entries(counts).map(([name, count]) => [name, (count * 1000 * factor) / length])
  return { ...Object.fromEntries(rates), sessions: (lived * factor) / length }
}

function behaviour(factor: number): string {
  const { requestsPerPageLoad, pageLoadsPerVisit, betweenPageLoads, visitsPerDay } = BEHAVIOUR
  return [
    `${millions(VISITORS * factor)} million visitors, ${REQUESTS.toLocaleString('en')} requests a second, evenly over the day. ${VISITORS} of them`,
    `were simulated for ${WINDOW.to / DAY} days, of which the last ${(WINDOW.to - WINDOW.from) / DAY} are counted (seed ${SEED}).`,
    `Visits a day: ${visitsPerDay} on average, Weibull of shape 1/2. A visit: ${pageLoadsPerVisit} page loads on average, ${betweenPageLoads / 1000} s`,
    `apart; a page load: ${requestsPerPageLoad} requests, each of which reads the session.`,
  ].join('\n')
}

function trafficTable(figures: Figures[]): string {
  const head = [
    'idle, absolute timeout',
    'sessions, millions',
    'at most, if all were always there',
    'when no request changes anything',
    'when 1 % do',
    'when 5 % do',
    'of these, extensions',
    'new sessions',
    'removed',
    'looked at by a purge, and kept',
  ]
  const rows = figures.map(({ idle, absolute, interval, perSecond: [still, few, busy] }) => {
    if (!still || !few || !busy) throw new Error('Nothing was simulated')
    const writes = ({ created, changed, extended }: PerSecond) => created + changed + extended
    const { created, removed, lookedAt, extended, sessions } = busy
    const most = (1000 * sessions) / interval
    const rates = [most, ...[still, few, busy].map(writes), extended, created, removed, lookedAt]
    return [`${idle}, ${absolute}`, millions(sessions), ...rates.map(whole)]
  })
  return table(head, rows, 'right')
}

function whole(number: number): string {
  return Math.round(number).toLocaleString('en')
}

function millions(number: number): string {
  return (number / 1e6).toFixed(1)
}
