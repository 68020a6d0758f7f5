import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Child, canPin, pin } from './child.ts'
import type { Job, Yield } from './load.ts'
import { surroundings } from './machine.ts'
import { available, type Kind, type Place, startPlace } from './places.ts'
import { report } from './report.ts'
import type { Cell, Run } from './run.ts'
import { CONNECTIONS, LOAD_CORE, type Load, SESSIONS, Site } from './site.ts'
import { chosen, frameworks, type Variant } from './variants.ts'
import { type WorkloadName, workloadNames } from './workloads.ts'

export interface ThroughputOptions {
  rounds: number
  /** How long each server is measured in each round. */
  seconds: number
  /** How long each server is warmed up, in seconds: until the engine has compiled what is measured. */
  warmUp: number
  /** Part of the names of the variants wanted; the bare framework of each is always there. */
  only: string
  /** Whether a few variants are enough, unless some are named. */
  quick: boolean
  /** The one workload wanted, or `''` for all. */
  workload: string
  json: string | undefined
  /** Where a CPU profile of each server goes. */
  profile: string | undefined
}

/** Measures all variants of a framework in turn, round by round, so that what slows the machine slows them all. */
export async function throughput(options: ThroughputOptions): Promise<void> {
  const { rounds, seconds, json } = options
  const wanted = chosen(options.only, options.quick)
  const needed = [...new Set(wanted.flatMap(({ needs }) => needs ?? []))]
  const kinds = new Set<Kind | undefined>([undefined, ...available(needed)])
  const variants = wanted.filter(({ needs }) => kinds.has(needs))
  const asked = workloadNames.filter((name) => options.workload === '' || name === options.workload)
  console.log(`${surroundings()}
${CONNECTIONS} connections, ${SESSIONS} sessions of about 280 bytes, ${rounds} rounds of ${seconds} s for each server.
${canPin ? 'Servers and load each on a core of their own.' : 'No taskset here: servers and load share all cores, expect more noise.'}
`)
  const run: Run = {
    at: new Date().toISOString(),
    surroundings: surroundings(),
    rounds,
    seconds,
    measured: {},
    cookieBytes: {},
  }
  const folder = await mkdtemp(join(tmpdir(), 'sojourn-bench-'))
  const { child: load } = await Child.start<Job, Yield>('load.ts', [], LOAD_CORE)
  try {
    for (const framework of frameworks) {
      const group = variants.filter((variant) => variant.framework === framework)
      if (group.length === 0) continue
      for (const workload of asked) {
        const cells = await measure(workload, group, load, folder, run, options)
        run.measured[workload] = { ...run.measured[workload], ...cells }
        console.log(report(run, workload, framework))
      }
    }
  } finally {
    await load.stop()
    await rm(folder, { recursive: true, force: true })
  }
  if (json) await writeFile(json, `${JSON.stringify(run, null, 1)}\n`)
}

async function measure(
  workload: WorkloadName,
  variants: readonly Variant[],
  load: Load,
  folder: string,
  { cookieBytes }: Run,
  { rounds, seconds, warmUp, profile }: ThroughputOptions,
): Promise<Record<string, Cell[]>> {
  // Fresh servers, so that what one workload leaves behind does not weigh on the next one.
  const sites: Site[] = []
  const places = await startPlaces(variants)
  const cells: Record<string, Cell[]> = {}
  try {
    for (const variant of variants) {
      const url = places.get(variant.needs)?.url ?? ''
      sites.push(await Site.start(variant, workload, folder, url, profile))
    }
    for (const site of sites) await site.window(load, warmUp)
    for (let round = 0; round < rounds; round++) {
      // There and back again: what grows steadily during a round hits all alike.
      for (const site of round % 2 ? sites.toReversed() : sites) {
        const cell = await site.window(load, seconds)
        cells[site.name] = [...(cells[site.name] ?? []), cell]
      }
    }
    for (const site of sites) {
      await site.verify()
      cookieBytes[site.name] = site.cookieBytes
    }
  } finally {
    for (const site of sites) await site.stop()
    for (const place of places.values()) await place.remove()
  }
  // In the order of the variants, whichever way the first round went.
  return Object.fromEntries(variants.map(({ name }) => [name, cells[name] ?? []]))
}

/** The servers that the variants need, on the core of the load. */
async function startPlaces(variants: readonly Variant[]): Promise<Map<Kind | undefined, Place>> {
  const places = new Map<Kind | undefined, Place>()
  for (const kind of new Set(variants.flatMap(({ needs }) => needs ?? []))) {
    const place = await startPlace(kind)
    places.set(kind, place)
    if (place.pid !== undefined) pin(place.pid, LOAD_CORE)
  }
  return places
}
