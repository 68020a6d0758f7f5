import { writeFile } from 'node:fs/promises'
import { makerOf, SESSION } from './bytes-maker.ts'
import { Child } from './child.ts'
import type { By } from './copies.ts'
import { surroundings } from './machine.ts'
import { peerOf } from './peer-stores.ts'
import { available, kinds, type Place, startPlace } from './places.ts'
import { urlFor } from './size.ts'
import { table } from './statistics.ts'
import { ASKED, taken } from './taken.ts'

export interface BytesOptions {
  /** How many sessions are made in each place by each package. */
  sessions: number
  only: string
  json: string | undefined
}

/** Prints what a session takes in each kind of place, beside the same data of the usual store of express-session. */
export async function bytes({ sessions, only, json }: BytesOptions): Promise<void> {
  const count = Math.min(sessions, 20_000)
  console.log(
    `${surroundings()}\n${count.toLocaleString('en')} sessions of ${SESSION} characters of JSON each.\n`,
  )
  const rows: string[][] = []
  const figures: Record<string, object> = {}
  for (const kind of available(kinds.filter((kind) => kind.includes(only)))) {
    const place = await startPlace(kind)
    console.error(`${kind} (${place.server}) ...`)
    try {
      const peer = peerOf(kind)
      const ours = await perSession(place, 'sojourn', count)
      const theirs = peer && (await perSession(place, 'peer', count))
      figures[kind] = { server: place.server, ours, theirs }
      rows.push([
        kind === 'memory' ? 'memory of the process' : place.server,
        ASKED[kind] ?? 'heap after a collection',
        ours.toFixed(0),
        peer && theirs ? `${theirs.toFixed(0)} (${peer.name})` : '–',
      ])
    } finally {
      await place.remove()
    }
  }
  console.log(table(['where', 'counted as', 'Sojourn', "the other package's"], rows, 'right'))
  if (json) await writeFile(json, JSON.stringify({ surroundings: surroundings(), count, figures }, null, 2))
}

async function perSession(place: Place, by: By, count: number): Promise<number> {
  if (place.kind === 'memory') return inMemory(by, count)
  const here = { kind: place.kind, url: urlFor(place, by) }
  const { make, close } = await makerOf(here.kind, here.url, by)
  // What is there for all of them, such as an empty table, is no part of one.
  await make(100)
  const before = await taken(here, by)
  await make(count)
  const after = await taken(here, by)
  await close()
  return (after - before) / count
}

/** In a process that does nothing else. */
async function inMemory(by: By, count: number): Promise<number> {
  const { child, greeting } = await Child.start('bytes-in-memory.ts', [by, String(count)], 0, ['--expose-gc'])
  await child.stop()
  return greeting as number
}
