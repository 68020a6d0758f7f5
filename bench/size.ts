import { writeFile } from 'node:fs/promises'
import type session from 'express-session'
import type { Entry, Store } from 'sojourn'
import { openStoreUrl } from 'sojourn/from-url'
import { makeOurs, makePeers, peerData } from './bench-data.ts'
import { type By, type Copied, copierOf, nameOf } from './copies.ts'
import { surroundings } from './machine.ts'
import { peerOf } from './peer-stores.ts'
import { available, type Place, startPlace } from './places.ts'
import { table } from './statistics.ts'

export interface SizeOptions {
  /** How many sessions there are when it is measured, smallest first. */
  sizes: number[]
  /** How many reads, and how many writes, are timed at each size. */
  calls: number
  only: string
  json: string | undefined
}

const KINDS: readonly Copied[] = ['sqlite', 'postgres', 'mariadb', 'redis']

/** One store, as it is asked in the measurement. */
interface Subject {
  by: By
  title: string
  /** The session that all others are copies of. */
  name: string
  read(name: string): Promise<unknown>
  write(name: string): Promise<unknown>
  close(): Promise<void>
}

interface Row {
  title: string
  /** In microseconds, one for each size. */
  reads: Times[]
  writes: Times[]
  bytesPerSession: number
}

interface Times {
  median: number
  p99: number
}

/** Prints how long a read and a write take among few and many sessions, and what a session takes in bytes. */
export async function size({ sizes, calls, only, json }: SizeOptions): Promise<void> {
  console.log(`${surroundings()}\nOne call after the other, ${calls} of each: median (99th of 100), in ms.\n`)
  const rows: Row[] = []
  for (const kind of available(KINDS.filter((kind) => kind.includes(only)))) {
    const place = await startPlace(kind)
    console.error(`${kind} (${place.server}) ...`)
    try {
      rows.push(...(await measured(place, sizes, calls)))
    } finally {
      await place.remove()
    }
  }
  const head = (verb: string) => sizes.map((size) => `${verb} among ${size.toLocaleString('en')}`)
  const cells = rows.map(({ title, reads, writes, bytesPerSession }) => [
    title,
    ...[...reads, ...writes].map(({ median, p99 }) => `${ms(median)} (${ms(p99)})`),
    Math.round(bytesPerSession).toLocaleString('en'),
  ])
  console.log(table(['store', ...head('read'), ...head('write'), 'bytes a session'], cells, 'right'))
  if (json) await writeFile(json, JSON.stringify({ surroundings: surroundings(), sizes, rows }, null, 2))
}

async function measured(place: Place, sizes: number[], calls: number): Promise<Row[]> {
  const subjects = [await ours(place), await theirs(place)]
  const copier = await copierOf(place)
  const rows = subjects.map(({ title }): Row => ({ title, reads: [], writes: [], bytesPerSession: 0 }))
  let copied = 0
  for (const size of sizes) {
    for (const { by, name } of subjects) await copier.copy(by, name, copied, size)
    copied = size
    // In turn, so that what slows one of them slows the other.
    const times = subjects.map(() => ({ reads: [] as number[], writes: [] as number[] }))
    for (let call = 0; call < calls; call++) {
      for (const [i, { read, write }] of subjects.entries()) {
        const name = nameOf(place.kind, Math.floor(Math.random() * size))
        times[i]?.reads.push(await timed(() => read(name)))
        times[i]?.writes.push(await timed(() => write(name)))
      }
    }
    for (const [i, { reads, writes }] of times.entries()) {
      rows[i]?.reads.push(summary(reads))
      rows[i]?.writes.push(summary(writes))
    }
    console.error(`  ${size.toLocaleString('en')} sessions`)
  }
  for (const [i, { by, close }] of subjects.entries()) {
    const row = rows[i]
    if (row) row.bytesPerSession = (await copier.bytes(by)) / copied
    await close()
  }
  await copier.close()
  return rows
}

async function ours(place: Place): Promise<Subject> {
  const store = await openStoreUrl(urlFor(place, 'sojourn'))
  let last: { entry: Entry; version: string | number } | undefined
  return {
    by: 'sojourn',
    title: `**Sojourn**, ${place.server}`,
    name: await makeOurs(store),
    async read(name) {
      const found = await store.read(name)
      if (!found) throw new Error('A session that was copied is not there')
      const { version, ...entry } = found
      last = { entry, version }
    },
    // Of what was just read, as a request does.
    async write(name) {
      if (!last) throw new Error('Read it first')
      const result = await store.update(name, last.entry, last.version)
      if (!result || !('version' in result)) throw new Error('A session that nobody else writes has changed')
    },
    close: () => (store as Store & { close(): Promise<void> }).close(),
  }
}

async function theirs(place: Place): Promise<Subject> {
  const peer = peerOf(place.kind)
  if (!peer) throw new TypeError(`express-session has no usual store for ${place.kind}`)
  const store = await peer.open(urlFor(place, 'peer'))
  await makePeers(store, 'first')
  return {
    by: 'peer',
    title: `${peer.name}, ${place.server}`,
    name: 'first',
    read: (name) =>
      new Promise<void>((resolve, reject) => {
        store.get(name, (error: unknown, found: session.SessionData | null | undefined) => {
          if (error || !found) reject(error ?? new Error('A session that was copied is not there'))
          else resolve()
        })
      }),
    write: (name) =>
      new Promise<void>((resolve, reject) => {
        store.set(name, peerData(), (error: unknown) => (error ? reject(error) : resolve()))
      }),
    close: async () => undefined,
  }
}

/** The two have names of their own, where they would have the same. */
export function urlFor({ kind, url }: Place, by: By): string {
  if (kind === 'sqlite' || kind === 'file') return `${url}-${by}`
  return kind === 'mariadb' && by === 'sojourn' ? `${url}?table=visits` : url
}

async function timed(call: () => Promise<unknown>): Promise<number> {
  const start = performance.now()
  await call()
  return (performance.now() - start) * 1000
}

export function summary(values: number[]): Times & { max: number } {
  const sorted = values.toSorted((a, b) => a - b)
  const at = (part: number) =>
    sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN
  return { median: at(0.5), p99: at(0.99), max: at(1) }
}

/** Of microseconds. */
export function ms(microseconds: number): string {
  const ms = microseconds / 1000
  return ms < 10 ? ms.toFixed(2) : ms.toFixed(0)
}
