/*
 * The session layer by itself: no sockets, no framework, sessions in memory. The CPU time and the memory of one request.
 *   npm run bench -- layer          a table
 *   npm run bench -- layer --json   the bytes alone, as JSON
 */
import { parseArgs } from 'node:util'
import { layerTasks, type Task } from './layer-tasks.ts'
import { table } from './statistics.ts'

const { values: options } = parseArgs({
  options: { only: { type: 'string', default: '' }, json: { type: 'boolean', default: false } },
})

const ROUNDS = 7
const WARM_UP = 30_000
const CALLS = 20_000
/** As many as are under way at a time, as under load. */
const AT_ONCE = 32

const tasks = Object.entries(await layerTasks()).filter(([name]) => name.includes(options.only))
const bytes: Record<string, number> = {}
const times = new Map<string, number[]>(tasks.map(([name]) => [name, []]))

for (const [name, task] of tasks) {
  await run(task, WARM_UP)
  bytes[name] = await allocated(task)
}
if (options.json) {
  console.log(JSON.stringify(bytes))
} else {
  // Round by round, since what slows the machine in one slows them all.
  for (let round = 0; round < ROUNDS; round++) {
    for (const [name, task] of tasks) times.get(name)?.push(await run(task, CALLS))
  }
  const rows = tasks.map(([name]) => {
    const sorted = (times.get(name) ?? []).toSorted((a, b) => a - b)
    const [best = 0, middle = 0] = [sorted[0], sorted[ROUNDS >> 1]]
    return [name, best.toFixed(1), middle.toFixed(1), String(bytes[name])]
  })
  console.log(table(['one request', 'CPU, µs: best round', 'median', 'bytes allocated'], rows, 'right'))
}
// A store in memory keeps a timer.
process.exit()

/** CPU microseconds of one. */
async function run(task: Task, times: number): Promise<number> {
  const before = process.cpuUsage()
  for (let done = 0; done < times; done += AT_ONCE) {
    await Promise.all(Array.from({ length: AT_ONCE }, task))
    if (done % 1024 === 0) await new Promise((resolve) => setImmediate(resolve))
  }
  const { user, system } = process.cpuUsage(before)
  return (user + system) / times
}

/** Bytes of one, the fewest of five measurements: code that is not compiled yet, on a busy machine, needs more. */
async function allocated(task: Task): Promise<number> {
  const measured: number[] = []
  for (let round = 0; round < 5; round++) measured.push(await allocatedBy(1024, task))
  return Math.round(Math.min(...measured))
}

/**
 * Nothing is collected meanwhile, since the young generation is larger than all of them. Of four times as many calls by a
 * sealed cookie some was: then a request seemed to need next to nothing.
 */
async function allocatedBy(calls: number, task: Task): Promise<number> {
  if (!globalThis.gc) throw new Error('Run it with --expose-gc')
  globalThis.gc()
  const before = process.memoryUsage().heapUsed
  const tasks = new Array<Promise<unknown>>(AT_ONCE)
  for (let done = 0; done < calls; done += AT_ONCE) {
    for (let i = 0; i < AT_ONCE; i++) tasks[i] = task()
    for (let i = 0; i < AT_ONCE; i++) await tasks[i]
  }
  return (process.memoryUsage().heapUsed - before) / calls
}
