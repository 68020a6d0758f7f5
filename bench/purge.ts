import { writeFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { createSessions, type Store } from 'sojourn'
import { openStoreUrl } from 'sojourn/from-url'
import { makeOurs } from './bench-data.ts'
import { type Copied, copierOf, nameOf } from './copies.ts'
import { surroundings } from './machine.ts'
import { available, type Place, startPlace } from './places.ts'
import { ms, summary, urlFor } from './size.ts'
import { table } from './statistics.ts'

export interface PurgeBenchOptions {
  /** How many sessions there are, of which every second one has expired. */
  sessions: number
  only: string
  json: string | undefined
}

const KINDS: readonly Copied[] = ['sqlite', 'postgres', 'mariadb']

/** What visitors of one process met while it purged. */
interface Visits {
  seconds: number
  /** In microseconds. */
  reads: number[]
  writes: number[]
  /** The most memory of the process above what it had before, in bytes. */
  memory: number
}

/** Prints how long reads and writes take while a million sessions are purged, and while one statement removes them. */
export async function purge({ sessions, only, json }: PurgeBenchOptions): Promise<void> {
  console.log(`${surroundings()}\n${sessions.toLocaleString('en')} sessions, half of them expired.\n`)
  const rows: string[][] = []
  const figures: Record<string, object> = {}
  for (const kind of available(KINDS.filter((kind) => kind.includes(only)))) {
    const place = await startPlace(kind)
    console.error(`${kind} (${place.server}) ...`)
    try {
      for (const [title, visits] of await measured(place, sessions)) {
        const [read, write] = [summary(visits.reads), summary(visits.writes)]
        rows.push([
          title,
          visits.seconds.toFixed(1),
          ...[read.median, read.p99, read.max, write.median, write.p99, write.max].map(ms),
          `${(visits.memory / 2 ** 20).toFixed(0)} MB`,
        ])
        figures[title] = { seconds: visits.seconds, read, write, memory: visits.memory }
      }
    } finally {
      await place.remove()
    }
  }
  const head = [
    '',
    'seconds',
    'read: median, ms',
    '99 of 100',
    'longest',
    'write: median, ms',
    '99 of 100',
    'longest',
  ]
  console.log(table([...head, 'more memory'], rows, 'right'))
  if (json)
    await writeFile(json, JSON.stringify({ surroundings: surroundings(), sessions, figures }, null, 2))
}

async function measured(place: Place, count: number): Promise<[title: string, visits: Visits][]> {
  const store = await openStoreUrl(urlFor(place, 'sojourn'))
  const copier = await copierOf(place)
  try {
    const name = await makeOurs(store)
    await copier.copy('sojourn', name, 0, count)
    const live = (await copier.count?.()) ?? 0
    const before = await visited(store, place, count, () => sleep(3000))
    await copier.expireOdd?.(count)
    // A purge that is stopped, a look whether what it told is so, and another one that finishes the work.
    let stopped = 0
    const first = await visited(store, place, count, async () => {
      stopped = await purgeUntil(store, count / 20)
    })
    const between = await copier.count?.()
    if (between !== live - stopped) throw new Error(`Told ${stopped}, and ${between} are left`)
    console.error(
      `  stopped after ${stopped.toLocaleString('en')}; ${between.toLocaleString('en')} sessions are there`,
    )
    const ours = joined(first, await visited(store, place, count, () => createSessions({ store }).purge()))
    const after = await copier.count?.()
    if (after !== live - Math.floor(count / 2)) throw new Error(`${after} are left`)
    await copier.copy('sojourn', name, 0, count)
    await copier.expireOdd?.(count)
    const theirs = await visited(store, place, count, async () => copier.removeExpired?.())
    const left = await copier.count?.()
    if (left !== live - Math.floor(count / 2)) throw new Error(`${left} sessions are left`)
    return [
      [`${place.server}, no purge`, before],
      [`${place.server}, \`sessions.purge()\``, ours],
      [`${place.server}, one \`DELETE\``, theirs],
    ]
  } finally {
    await copier.close()
    await (store as Store & { close(): Promise<void> }).close()
  }
}

/** Stops the purge when it tells that so many are removed. */
function purgeUntil(store: Store, enough: number): Promise<number> {
  const stop = new AbortController()
  const onProgress = (removed: number) => {
    if (removed >= enough) stop.abort()
  }
  return createSessions({ store }).purge({ signal: stop.signal, onProgress })
}

function joined(first: Visits, second: Visits): Visits {
  return {
    seconds: first.seconds + second.seconds,
    reads: [...first.reads, ...second.reads],
    writes: [...first.writes, ...second.writes],
    memory: Math.max(first.memory, second.memory),
  }
}

/** A visitor reads and writes sessions that have not expired, one call after the other, in the process that does the work. */
async function visited(
  store: Store,
  place: Place,
  count: number,
  work: () => Promise<unknown>,
): Promise<Visits> {
  const visits: Visits = { seconds: 0, reads: [], writes: [], memory: 0 }
  const before = process.memoryUsage().rss
  let isDone = false
  const visiting = (async () => {
    while (!isDone) {
      const name = nameOf(place.kind, 2 * Math.floor(Math.random() * (count / 2)))
      const start = performance.now()
      const found = await store.read(name)
      const middle = performance.now()
      if (!found) throw new Error('A session that has not expired is gone')
      await store.update(name, found, found.version)
      visits.reads.push((middle - start) * 1000)
      visits.writes.push((performance.now() - middle) * 1000)
      visits.memory = Math.max(visits.memory, process.memoryUsage().rss - before)
      await sleep(2)
    }
  })()
  const start = performance.now()
  await work()
  visits.seconds = (performance.now() - start) / 1000
  isDone = true
  await visiting
  return visits
}
