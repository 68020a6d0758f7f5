import { writeFile } from 'node:fs/promises'
import { Child } from './child.ts'
import { type Attempt, attempt, checkInTurn, type Ways, ways } from './lost-attempt.ts'
import { surroundings } from './machine.ts'
import { peerOf } from './peer-stores.ts'
import { available, type Kind, kinds, type Place, startPlace } from './places.ts'
import { show, spread, table } from './statistics.ts'

export interface LostUpdatesOptions {
  /** How often everything is done with each kind of session. */
  rounds: number
  /** Only kinds of places with this text in their name. */
  only: string
  json: string | undefined
}

const BY = ['sojourn', 'peer'] as const
type By = (typeof BY)[number]

/** What happened in all rounds, by one process and by four. */
interface Figures {
  one: Attempt[]
  four: Attempt[]
  ways: Ways[]
}

const SLOW_WRITE = 300

const TITLES: Record<Kind, string> = {
  memory: 'memory',
  sqlite: 'SQLite',
  file: 'files',
  postgres: 'PostgreSQL',
  mariadb: 'MariaDB',
  redis: 'Redis',
  memcached: 'memcached',
  nats: 'NATS',
  etcd: 'etcd',
  dynamodb: 'DynamoDB, an emulator',
}

/** Prints, as a Markdown table, what becomes of parallel requests with each kind of session. */
export async function lostUpdates({ rounds, only, json }: LostUpdatesOptions): Promise<void> {
  console.log(
    `${surroundings()}\n100 parallel requests of one session, ${rounds} repetitions: median (lowest–highest).\n`,
  )
  const rows: string[][] = []
  const figures: Record<string, Figures> = {}
  for (const kind of available(kinds.filter((kind) => kind.includes(only)))) {
    const place = await startPlace(kind)
    console.error(`${TITLES[kind]} (${place.server}) ...`)
    const peer = peerOf(kind)
    try {
      for (const by of BY) {
        if (by === 'peer' && !peer) continue
        const title =
          by === 'sojourn'
            ? `**Sojourn**, ${TITLES[kind]}`
            : `express-session, ${peer?.name} (${TITLES[kind]})`
        const found = await measured(by, place, rounds)
        figures[title] = found
        rows.push([title, ...cells(found)])
      }
    } finally {
      await place.remove()
    }
  }
  const head = [
    'sessions',
    'keys left of 100, one process',
    'four processes',
    'counter after 100 × +1, one process',
    'four processes',
    'alive after a sign-out that a slow request overtook',
    "page after the sign-in's redirect knows it",
    '... with `save()` before the redirect',
  ]
  console.log(table(head, rows, 'left'))
  if (json) await writeFile(json, JSON.stringify({ surroundings: surroundings(), rounds, figures }, null, 2))
}

async function measured(by: By, { kind, url }: Place, rounds: number): Promise<Figures> {
  const args = [by, kind, separate(url, by), String(SLOW_WRITE)]
  // What one process keeps for itself, others do not know.
  const processes = Array.from({ length: kind === 'memory' ? 1 : 4 }, (_, i) =>
    Child.start<never, never>('meeting-server.ts', args, i % 2),
  )
  const children = await Promise.all(processes)
  try {
    const sites = children.map(({ greeting }) => greeting as { quick: string; slow: string })
    const origins = sites.map(({ quick }) => quick)
    for (const origin of origins) await checkInTurn([origin])
    const found: Figures = { one: [], four: [], ways: [] }
    const [{ quick, slow }] = sites as [{ quick: string; slow: string }]
    for (let round = 0; round < rounds; round++) {
      found.one.push(await attempt([quick]))
      if (origins.length > 1) found.four.push(await attempt(origins))
      found.ways.push(await ways(quick, slow))
    }
    return found
  } finally {
    await Promise.all(children.map(({ child }) => child.stop()))
  }
}

/** The two keep apart what is theirs. Most of their tables and keys have different names. */
function separate(url: string, by: By): string {
  if (/^(sqlite|file):/.test(url)) return `${url}-${by}`
  return by === 'sojourn' && url.startsWith('mariadb:') ? `${url}?table=visits` : url
}

function cells({ one, four, ways }: Figures): string[] {
  const numbers = (attempts: Attempt[], of: keyof Attempt) =>
    attempts.length > 0 ? show(spread(attempts.map((attempt) => attempt[of])), 0) : '–'
  const said = (of: keyof Ways) => answers(ways.map((way) => way[of]))
  return [
    ...(['keys', 'counter'] as const).flatMap((of) => [numbers(one, of), numbers(four, of)]),
    said('aliveAfterLogout'),
    said('redirectSeesLogin'),
    said('savedRedirectSeesLogin'),
  ]
}

function answers(all: boolean[]): string {
  const yes = all.filter(Boolean).length
  if (yes === 0) return 'no'
  return yes === all.length ? 'yes' : `${yes} of ${all.length} times`
}
