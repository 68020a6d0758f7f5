/*
 * How long a purge holds up the event loop: its turns while 500 sessions after 500 are purged, and in between, when
 * nothing is done; and what a purge costs that finds nothing.
 *   node bench/purge-turns.ts [sessions]
 */
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'
import { createSessions, type PurgeableStore, type Store } from 'sojourn'
import { openStoreUrl } from 'sojourn/from-url'
import { sqliteStore } from 'sojourn/sqlite'
import { makeOurs } from './bench-data.ts'
import { copierOf } from './copies.ts'
import { surroundings } from './machine.ts'
import { available, type Place, startPlace } from './places.ts'
import { ms, summary, urlFor } from './size.ts'
import { spread, table } from './statistics.ts'
import { type Turns, turnsOf } from './turns.ts'

const count = Number(process.argv[2] ?? 1_000_000)
const PARTS = 20

interface Subject {
  title: string
  kind: 'sqlite' | 'postgres'
  open(place: Place): Promise<Store>
}

const ways: Subject[] = [
  { title: 'SQLite by its path', kind: 'sqlite', open: (place) => openStoreUrl(urlFor(place, 'sojourn')) },
  {
    title: 'SQLite, a database passed in',
    kind: 'sqlite',
    async open(place) {
      const database = new DatabaseSync(urlFor(place, 'sojourn').slice('sqlite:'.length))
      database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL')
      return sqliteStore(database)
    },
  },
  { title: 'PostgreSQL', kind: 'postgres', open: (place) => openStoreUrl(urlFor(place, 'sojourn')) },
]

/** Of the turns that did anything, which takes a tenth of a millisecond: how many there were, and how long they took. */
function cells(all: Turns[]): string[] {
  const turns = all.flatMap(({ own }) => own).filter((turn) => turn > 100)
  const { median, p99, max } = summary(turns)
  const short = turns.filter((turn) => turn <= 1000).length
  return [
    String(turns.length),
    `${((100 * short) / turns.length).toFixed(1)} %`,
    ...[median, p99, max].map(ms),
  ]
}

console.log(`${surroundings()}\n${count.toLocaleString('en')} sessions, half of them expired.\n`)
const rows: string[][] = []
for (const { title, kind, open } of ways) {
  if (available([kind]).length === 0) continue
  console.error(`${title} ...`)
  const place = await startPlace(kind)
  const store = (await open(place)) as PurgeableStore
  const copier = await copierOf(place)
  await copier.copy('sojourn', await makeOurs(store), 0, count)
  const nothing: number[] = []
  for (let i = 0; i < 2000; i++) {
    const start = performance.now()
    await store.purge(500)
    nothing.push((performance.now() - start) * 1000)
  }
  await copier.expireOdd?.(count)
  const [idle, purging]: [Turns[], Turns[]] = [[], []]
  for (let part = 0; part < PARTS; part++) {
    idle.push(await turnsOf(() => sleep(500)))
    const stop = new AbortController()
    const onProgress = (removed: number) => {
      if (removed >= count / 2 / PARTS) stop.abort()
    }
    const purge = () => createSessions({ store }).purge({ signal: stop.signal, onProgress })
    purging.push(await turnsOf(purge))
  }
  rows.push([`${title}, idle`, ...cells(idle), ''])
  rows.push([`${title}, purging`, ...cells(purging), spread(nothing).median.toFixed(1)])
  await copier.close()
  await (store as PurgeableStore & { close(): Promise<void> }).close()
  await place.remove()
}
const head = ['turns', 'of 1 ms at most', 'median, ms', '99 of 100', 'longest']
console.log(table(['', ...head, 'a purge of nothing, µs'], rows, 'right'))
process.exit()
